//! The ClusterRole that the webhook configurations belong to: garbage collection takes them with the installation.
//!
//! It has to be an object without a namespace, since they have none. This one also grants the right to write them: who may
//! still write has an owner, so an injector that outlives the installation for a moment makes nothing that stays behind.
//! A ClusterRole that is deleted and made again under its name is another owner, for which garbage collection deletes the
//! objects. The uid is therefore read anew before each pass, never remembered: what comes back has an owner that lives.

use std::time::Duration;

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::{Api, Client};
use tokio::time::timeout;

use crate::registration::Owner;

/// A request that takes longer is tried again.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is known of the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// None is wanted, or there is none.
    Nobody,
    /// This one.
    Known(Owner),
    /// It cannot be read: references that are there stay.
    Unknown,
    /// It was there and is not any more: the installation is being removed.
    Gone,
}

/// Reads the owner, and says once when that does not work.
#[derive(Debug)]
pub struct OwnerReader {
    roles: Api<ClusterRole>,
    /// None when nobody is to own the objects.
    name: Option<String>,
    was_there: bool,
    told: Option<String>,
}

impl OwnerReader {
    /// For the ClusterRole of this name. Needs the verb `get` for it.
    pub fn new(client: &Client, name: Option<String>) -> Self {
        Self { roles: Api::all(client.clone()), name, was_there: false, told: None }
    }

    /// The owner as it is now.
    pub async fn read(&mut self) -> Ownership {
        let Some(name) = &self.name else { return Ownership::Nobody };
        let problem = match timeout(PATIENCE, self.roles.get_metadata_opt(name)).await {
            Ok(Ok(Some(role))) => {
                (self.was_there, self.told) = (true, None);
                let uid = role.metadata.uid.unwrap_or_default();
                return Ownership::Known(Owner { name: name.clone(), uid });
            }
            Ok(Ok(None)) if self.was_there => return Ownership::Gone,
            Ok(Ok(None)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer in {PATIENCE:?}")),
        };
        let (ownership, text) = match problem {
            None => (Ownership::Nobody, "it does not exist".to_owned()),
            Some(problem) => (Ownership::Unknown, problem),
        };
        if self.told.as_ref() != Some(&text) {
            tracing::warn!(
                "the ClusterRole {name} cannot be made the owner of the webhook configurations, which stay behind when the \
                 installation is removed: {text}"
            );
            self.told = Some(text);
        }
        ownership
    }
}

impl Ownership {
    /// The owner to write.
    pub fn known(&self) -> Option<Owner> {
        match self {
            Self::Known(owner) => Some(owner.clone()),
            _ => None,
        }
    }
}
