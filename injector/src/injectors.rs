//! The injectors of a cluster, for a command that follows its webhooks.

use std::collections::BTreeMap;

use crate::context::Injector;
use crate::decide::Subject;

/// The injectors of a cluster.
#[derive(Clone, Debug)]
pub struct Injectors {
    /// Asked about pods for which no other is called.
    pub own: Injector,
    /// Those of all revisions, or why they cannot be had; empty where the own one is asked about all pods.
    pub called: BTreeMap<String, Result<Injector, Vec<String>>>,
}

impl Injectors {
    /// The injector that decides about a pod: that of the webhook that is called, if webhooks are followed.
    ///
    /// # Errors
    /// Why the injector that is called cannot be had.
    pub fn deciding(&self, subject: &Subject<'_>) -> Result<&Injector, &[String]> {
        let followed = Subject { revision: None, ..*subject };
        let revision = match followed.webhook() {
            _ if self.called.is_empty() => return Ok(&self.own),
            Some(Ok(called)) => called.webhook.revision.clone(),
            // Nobody is called, whoever is asked.
            Some(Err(_)) => return Ok(&self.own),
            None => self.own.revision_name().to_owned(),
        };
        match self.called.get(&revision) {
            Some(Ok(injector)) => Ok(injector),
            Some(Err(messages)) => Err(messages),
            None => Ok(&self.own),
        }
    }
}

impl From<Injector> for Injectors {
    fn from(own: Injector) -> Self {
        Self { own, called: BTreeMap::new() }
    }
}
