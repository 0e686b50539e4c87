//! What is known of a cluster before the configuration of its injectors.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{ClusterArgs, Labels};
use crate::cli::kubernetes::ClientArgs;
use crate::cli::{ConfigArgs, Failure};
use crate::context::Cluster;
use crate::explain::NamespaceFacts;
use crate::kubernetes::reading::{NamespaceRead, ReadError, Reader};
use crate::native::{Node, Nodes, Setting};
use crate::selection::{GivenNamespaces, laid_over};
use crate::webhooks::Registered;

/// What is known of a cluster before its configuration.
#[derive(Default)]
pub struct Knowledge {
    /// The way to the cluster; none when it is not asked.
    pub reader: Option<Reader>,
    /// Nodes, ProxyConfig resources, and annotations of namespaces.
    pub cluster: Cluster,
    /// Its webhooks; none when they are not known.
    pub registered: Option<Vec<Registered>>,
    /// Its namespaces, by name.
    pub namespaces: BTreeMap<String, NamespaceFacts>,
    /// What holds for all other namespaces, where that is known.
    pub other_namespaces: Option<NamespaceFacts>,
    /// Namespace objects in what is read.
    pub given: Arc<GivenNamespaces>,
    /// Namespace of objects that name none; empty when it is not known.
    pub namespace: String,
}

impl Knowledge {
    /// What is known of the namespace `name`.
    pub fn facts(&self, name: &str) -> Option<&NamespaceFacts> {
        self.namespaces.get(name).or(self.other_namespaces.as_ref())
    }

    /// Takes note of those among `objects` that are Namespaces: their labels are what the cluster's will be.
    pub fn note<'a>(&mut self, objects: impl IntoIterator<Item = &'a Value>) {
        self.given.note(objects);
        for (name, given) in self.given.labels() {
            let known = self.namespaces.get(&name);
            let firm = self.other_namespaces.as_ref().filter(|_| known.is_none()).map(|facts| &facts.labels);
            let labels = laid_over(known.map(|facts| &facts.labels), &given, firm);
            let labelled = known.and_then(|facts| facts.labelled.clone());
            self.namespaces.insert(name, NamespaceFacts { labels, labelled });
        }
    }

    /// The revision that is meant by `given`, which may be one of its tags.
    pub fn revision<'a>(&'a self, given: &'a str) -> &'a str {
        let known = || self.registered.iter().flatten();
        let is_revision = known().any(|one| one.tag.is_none() && one.webhook.revision == given);
        let tagged = known().find(|one| one.tag.as_deref() == Some(given)).filter(|_| !is_revision);
        tagged.map_or(given, |one| &one.webhook.revision)
    }

    /// All revisions that the cluster calls, each once.
    pub fn revisions(&self) -> BTreeSet<&str> {
        self.registered.iter().flatten().map(|one| one.webhook.revision.as_str()).collect()
    }
}

impl ClusterArgs {
    /// What is known of the cluster: by asking it, if `is_online`, and by flags, which go before.
    ///
    /// # Errors
    /// When there is no cluster, or a file cannot be read. What may not be read in the cluster is told in the log.
    pub async fn knowledge(&self, config: &ConfigArgs, is_online: bool) -> Result<Knowledge, Failure> {
        let mut knowledge = if is_online {
            self.asked(config).await?
        } else {
            let namespace = self.namespace().unwrap_or_default().to_owned();
            Knowledge { cluster: config.cluster()?, namespace, ..Knowledge::default() }
        };
        if let Some(version) = &self.node_version {
            let node = Node { name: String::new(), kubelet_version: version.clone() };
            knowledge.cluster.nodes = Some(Arc::new(Nodes::from_iter([node])));
        }
        if let Some(Labels(labels)) = &self.namespace_labels {
            knowledge.namespaces.clear();
            knowledge.other_namespaces = Some(NamespaceFacts { labels: labels.clone(), labelled: None });
        }
        Ok(knowledge)
    }

    async fn asked(&self, config: &ConfigArgs) -> Result<Knowledge, Failure> {
        let client = ClientArgs { kubeconfig: self.kubeconfig.clone(), context: self.context.clone(), namespace: None };
        let (client, in_context, address) = client.client().await?;
        let reader = Reader::new(client, address);
        let namespace = self.namespace().map(str::to_owned).or(in_context).unwrap_or_else(|| "default".to_owned());
        let mut cluster = config.cluster()?;
        if config.native_sidecars == Setting::Auto && self.node_version.is_none() {
            cluster.nodes = allowed(reader.nodes().await)?.map(Arc::new);
        }
        if let Some((proxy_configs, mistakes)) = allowed(reader.proxy_configs().await)? {
            mistakes.iter().for_each(|mistake| tracing::warn!("{mistake}"));
            cluster.proxy_configs = Arc::new(proxy_configs);
        }
        let registered = allowed(reader.webhooks().await)?;
        let namespaces = match allowed(reader.namespaces().await)? {
            Some(namespaces) => namespaces,
            None => allowed(reader.namespace(&namespace).await)?
                .flatten()
                .map(|read| (namespace.clone(), read))
                .into_iter()
                .collect(),
        };
        let annotations = |(name, read): (&String, &NamespaceRead)| (name.clone(), Arc::new(read.annotations.clone()));
        if config.namespaces_file.is_none() {
            cluster.namespaces = Arc::new(namespaces.iter().map(annotations).collect());
        }
        let namespaces = namespaces.into_iter().map(|(name, read)| (name, read.facts)).collect();
        let reader = Some(reader);
        Ok(Knowledge { reader, cluster, registered, namespaces, namespace, ..Knowledge::default() })
    }
}

/// What may not be read is not known, and that is said.
fn allowed<T>(read: Result<T, ReadError>) -> Result<Option<T>, Failure> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ ReadError::Forbidden { .. }) => {
            tracing::warn!("{error}; what depends on it is not known");
            Ok(None)
        }
        Err(error) => Err(Failure::of(&error)),
    }
}
