//! The injectors of a cluster: configuration from files or ConfigMaps, settings from flags or a Deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use sidecar_contract::config::DEFAULT_REVISION;

use super::{ClusterArgs, Knowledge, has_all_files, run};
use crate::cli::registration::unnamed;
use crate::cli::{ConfigArgs, Failure};
use crate::config::Sources;
use crate::context::{Injector, InjectorSettings};
use crate::explain::NamespaceFacts;
use crate::explain::deployed::{Deployed, alternatives, deployed};
use crate::injectors::Injectors;
use crate::kubernetes::config_maps::ConfigMapNames;
use crate::kubernetes::reading::{ConfigurationRead, Reader};
use crate::native::Setting;
use crate::registration::{Settings, enables_namespaces_by_default};
use crate::selection::Selection;
use crate::webhooks::{Registered, registered, webhooks};

/// An injector as it is in the cluster.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The injector.
    pub injector: Injector,
    /// What its settings may be instead; empty where they are known.
    pub alternatives: Vec<InjectorSettings>,
    /// When its configuration was changed last, in RFC 3339, where that is known.
    pub changed: Option<String>,
    /// The webhooks that decide whether it is called; none when they are not known.
    pub registered: Option<Vec<Registered>>,
}

impl ClusterArgs {
    /// The injector that `config` and the cluster make, for a command that injects. Where the cluster is asked and no revision
    /// is given, it follows the webhooks to the injectors of other revisions.
    ///
    /// # Errors
    /// When a file or the cluster cannot be read, and all mistakes in the configuration.
    pub fn load(&self, config: &ConfigArgs) -> Result<Injectors, Failure> {
        run(async {
            let knowledge = self.knowledge(config, self.is_online(config)).await?;
            if !config.revision.is_empty() || config.compat.is_some() || knowledge.registered.is_none() {
                return Ok(self.configured(config, &knowledge, &config.revision).await?.injector.into());
            }
            self.following(config, &knowledge).await
        })
    }

    /// The injectors of all revisions, and one that is asked about pods for which none is called.
    async fn following(&self, config: &ConfigArgs, knowledge: &Knowledge) -> Result<Injectors, Failure> {
        let mut injectors = BTreeMap::new();
        let revisions = knowledge.revisions();
        let own = if revisions.len() == 1 { revisions.first().copied() } else { None };
        let own = own.unwrap_or(DEFAULT_REVISION);
        for revision in revisions.into_iter().chain([own]) {
            if !injectors.contains_key(revision) {
                let loaded = self.configured(config, knowledge, revision).await;
                let loaded = loaded.map(|configured| configured.injector).map_err(|failure| failure.messages);
                injectors.insert(revision.to_owned(), loaded);
            }
        }
        let loaded = injectors.get(own).and_then(|loaded| loaded.as_ref().ok());
        let Some(mut injector) = loaded.or_else(|| injectors.values().find_map(|loaded| loaded.as_ref().ok())).cloned()
        else {
            let messages = injectors.into_values().filter_map(Result::err).flatten().collect();
            return Err(Failure { messages });
        };
        // Whatever configuration it has: where it is asked what only its own could tell, there is none.
        own.clone_into(&mut injector.settings.revision);
        Ok(Injectors { own: injector, called: injectors })
    }

    /// The injector of a revision, or of a tag; empty and `default` mean the revision without a name.
    ///
    /// # Errors
    /// When a file or a ConfigMap cannot be read, and all mistakes in the configuration.
    pub async fn configured(
        &self,
        config: &ConfigArgs,
        knowledge: &Knowledge,
        revision: &str,
    ) -> Result<Configured, Failure> {
        let revision = knowledge.revision(revision);
        let ConfigurationRead { sources, changed } = match &knowledge.reader {
            Some(reader) if !has_all_files(config) => {
                let names = self.names(revision);
                let read = reader.configuration(&names).await.map_err(|errors| Failure::of_all(&errors))?;
                ConfigurationRead { sources: with_files(read.sources, config)?, ..read }
            }
            _ => ConfigurationRead { sources: config.sources()?, changed: None },
        };
        let injector = config.injector(&sources, knowledge.cluster.clone())?;
        Ok(self.in_cluster(injector, changed, knowledge, revision).await)
    }

    /// An injector that has to do without its own configuration, for what does not depend on that.
    ///
    /// # Errors
    /// When a file cannot be read, and all mistakes in it.
    pub async fn unconfigured(
        &self,
        config: &ConfigArgs,
        knowledge: &Knowledge,
        revision: &str,
    ) -> Result<Configured, Failure> {
        let injector = config.injector(&crate::defaults::sources(), knowledge.cluster.clone())?;
        Ok(self.in_cluster(injector, None, knowledge, knowledge.revision(revision)).await)
    }

    async fn in_cluster(
        &self,
        mut injector: Injector,
        changed: Option<String>,
        knowledge: &Knowledge,
        revision: &str,
    ) -> Configured {
        revision.clone_into(&mut injector.settings.revision);
        if injector.settings.mode.is_istio() {
            return Configured { injector, alternatives: Vec::new(), changed, registered: None };
        }
        injector.settings.namespace.clone_from(&knowledge.namespace);
        let registered = knowledge.registered.clone().or_else(|| self.assumed(&injector, revision));
        if let Some(registered) = &registered {
            let labels = |facts: &NamespaceFacts| facts.labels.clone();
            let selection = Selection {
                webhooks: registered.clone(),
                labels: knowledge.namespaces.iter().map(|(name, facts)| (name.clone(), labels(facts))).collect(),
                other_labels: knowledge.other_namespaces.as_ref().map(labels),
                given: Arc::clone(&knowledge.given),
            };
            Arc::make_mut(&mut injector.cluster).selection = Some(Arc::new(selection));
        }
        let alternatives = match &knowledge.reader {
            Some(reader) => settle(&mut injector, reader, registered.as_deref().unwrap_or_default()).await,
            None => Vec::new(),
        };
        Configured { injector, alternatives, changed, registered }
    }

    fn names(&self, revision: &str) -> ConfigMapNames {
        let mut names = ConfigMapNames::of_revision(self.injector_namespace(), unnamed(revision));
        names.injector = self.inject_config_map_name.clone().unwrap_or(names.injector);
        names.mesh = self.mesh_config_map_name.clone().unwrap_or(names.mesh);
        names
    }

    /// Offline, labels of a namespace are told to the webhooks that the revision would register.
    fn assumed(&self, injector: &Injector, revision: &str) -> Option<Vec<Registered>> {
        self.namespace_labels.as_ref()?;
        let settings = Settings {
            revision: unnamed(revision).to_owned(),
            tags: self.tags.clone(),
            namespace: self.injector_namespace().to_owned(),
            enable_namespaces_by_default: enables_namespaces_by_default(&injector.configuration.values),
            ..Settings::default()
        };
        let Ok(wanted) = settings.configurations() else {
            // Names that cannot be registered select all the same.
            let tags: Vec<&str> = settings.tags.iter().map(String::as_str).collect();
            let selecting = webhooks(&settings.revision, &tags, settings.enable_namespaces_by_default);
            return Some(selecting.into_iter().map(Registered::from).collect());
        };
        let read = wanted.iter().flat_map(|wanted| registered(&wanted.object));
        Some(read.map(|read| Registered::from(read.webhook)).collect())
    }
}

/// Gives the injector the settings with which it runs, where flags do not name others; what they may be is not empty where
/// that is not known.
async fn settle(injector: &mut Injector, reader: &Reader, registered: &[Registered]) -> Vec<InjectorSettings> {
    let own = registered.iter().filter(|one| one.webhook.revision == injector.revision_name());
    let known = match own.filter_map(|one| one.service.as_ref()).next() {
        Some((namespace, name)) => match reader.deployment_behind(namespace, name).await {
            Ok(deployment) => deployment.as_ref().and_then(deployed),
            Err(error) => {
                tracing::debug!("{error}; the settings of the injector are not known");
                None
            }
        },
        None => None,
    };
    let settings = &mut injector.settings;
    let Some(Deployed { native_sidecars, compliance_policy, openshift }) = known else {
        return alternatives(settings);
    };
    if settings.native_sidecars == Setting::Auto {
        settings.native_sidecars = native_sidecars;
    }
    if settings.compliance_policy.is_empty() {
        settings.compliance_policy = compliance_policy;
    }
    settings.openshift |= openshift;
    if settings.native_sidecars == Setting::Auto && injector.cluster.nodes.is_none() {
        let natives = [Setting::True, Setting::False];
        return natives.map(|native_sidecars| InjectorSettings { native_sidecars, ..settings.clone() }).into();
    }
    Vec::new()
}

/// Files that are given go before the cluster's texts.
fn with_files(mut sources: Sources, config: &ConfigArgs) -> Result<Sources, Failure> {
    let given = config.sources()?;
    if config.inject_config_file.is_some() {
        sources.config = given.config;
    }
    if config.values_file.is_some() {
        sources.values = given.values;
    }
    if config.mesh_config_file.is_some() {
        sources.mesh = given.mesh;
    }
    Ok(sources)
}
