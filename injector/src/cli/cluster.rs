//! What a command that is run by hand knows of the cluster that its pods are for: from the cluster, or from flags.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value};
use sidecar_contract::namespace;

use crate::cli::kubernetes::ClientArgs;
use crate::cli::registration::unnamed;
use crate::cli::{ConfigArgs, Failure, names};
use crate::config::Sources;
use crate::context::{Cluster, Injector, Selection};
use crate::explain::NamespaceFacts;
use crate::kubernetes::config_maps::ConfigMapNames;
use crate::kubernetes::reading::{ConfigurationRead, NamespaceRead, ReadError, Reader};
use crate::native::{Node, Nodes, Setting};
use crate::registration::enables_namespaces_by_default;
use crate::webhooks::{Registered, Webhook, webhooks};

/// What is known of the cluster, under istioctl's names.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Ask the cluster for what decides there: configuration, values and mesh from its ConfigMaps (files that are given go
    /// before them), its webhooks, namespaces, nodes and ProxyConfig resources. Any of the flags that name a part of the
    /// cluster means this too.
    #[arg(long = "from-cluster")]
    pub from_cluster: bool,
    /// ConfigMap with the keys config and values. Default: istio-sidecar-injector[-REVISION].
    #[arg(long = "injectConfigMapName", value_name = "NAME", value_parser = names::object)]
    pub inject_config_map_name: Option<String>,
    /// ConfigMap with the key mesh; it need not exist. Default: istio[-REVISION].
    #[arg(long = "meshConfigMapName", value_name = "NAME", value_parser = names::object)]
    pub mesh_config_map_name: Option<String>,
    /// Namespace of these ConfigMaps. Default: istio-system.
    #[arg(short = 'i', long = "istioNamespace", value_name = "NAMESPACE", value_parser = names::namespace)]
    pub istio_namespace: Option<String>,
    /// How to reach the API server. Default: the files in KUBECONFIG, or ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Which context of the kubeconfig to use, instead of the current one.
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Namespace of objects that name none. Default: that of the kubeconfig's context, where the cluster is asked.
    #[arg(short = 'n', long, value_name = "NAMESPACE", value_parser = names::namespace)]
    pub namespace: Option<String>,
    /// Labels of the namespace that the objects are for, as istio-injection=enabled,team=a; empty for none. With them, the
    /// selectors of the webhooks decide as in the cluster.
    #[arg(long = "namespace-labels", value_name = "KEY=VALUE,…")]
    pub namespace_labels: Option<Labels>,
    /// Version of the cluster's nodes, as v1.33.1, which --nativeSidecars=auto asks.
    #[arg(long = "node-version", value_name = "VERSION", value_parser = version)]
    pub node_version: Option<String>,
}

/// Labels by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(pub Map<String, Value>);

impl FromStr for Labels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let pair = |pair: &str| match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.into())),
            _ => Err(format!("'{}' is not KEY=VALUE", pair.escape_default())),
        };
        pairs.map(pair).collect::<Result<_, _>>().map(Self)
    }
}

fn version(text: &str) -> Result<String, String> {
    let node = Node { name: String::new(), kubelet_version: text.to_owned() };
    if node.has_version() { Ok(text.to_owned()) } else { Err("use a version as v1.33.1".to_owned()) }
}

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
    /// Namespace of objects that name none; empty when it is not known.
    pub namespace: String,
}

/// An injector as it is in the cluster.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The injector.
    pub injector: Injector,
    /// When its configuration was changed last, in RFC 3339, where that is known.
    pub changed: Option<String>,
    /// The webhooks that decide whether it is called; none when they are not known.
    pub registered: Option<Vec<Registered>>,
}

impl Knowledge {
    /// What is known of the namespace `name`.
    pub fn facts(&self, name: &str) -> Option<&NamespaceFacts> {
        self.namespaces.get(name).or(self.other_namespaces.as_ref())
    }
}

impl ClusterArgs {
    /// Whether the cluster is to be asked.
    pub fn is_online(&self) -> bool {
        let names = [&self.inject_config_map_name, &self.mesh_config_map_name, &self.istio_namespace, &self.context];
        self.from_cluster || self.kubeconfig.is_some() || names.into_iter().any(Option::is_some)
    }

    /// The namespace that the flag names.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|name| !name.is_empty())
    }

    /// The injector that `config` and the cluster make, for a command that injects.
    ///
    /// # Errors
    /// When a file or the cluster cannot be read, and all mistakes in the configuration.
    pub fn load(&self, config: &ConfigArgs) -> Result<Injector, Failure> {
        run(async {
            let knowledge = self.knowledge(config, self.is_online()).await?;
            Ok(self.configured(config, &knowledge, &config.revision).await?.injector)
        })
    }

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

    /// The injector of a revision; empty and `default` mean the one without a name.
    ///
    /// # Errors
    /// When a file or a ConfigMap cannot be read, and all mistakes in the configuration.
    pub async fn configured(
        &self,
        config: &ConfigArgs,
        knowledge: &Knowledge,
        revision: &str,
    ) -> Result<Configured, Failure> {
        let ConfigurationRead { sources, changed } = match &knowledge.reader {
            None => ConfigurationRead { sources: config.sources()?, changed: None },
            Some(reader) => {
                let names = self.names(revision);
                let read = reader.configuration(&names).await.map_err(|errors| Failure::of_all(&errors))?;
                ConfigurationRead { sources: with_files(read.sources, config)?, ..read }
            }
        };
        let mut injector = config.injector(&sources, knowledge.cluster.clone())?;
        revision.clone_into(&mut injector.settings.revision);
        if injector.settings.mode.is_istio() {
            return Ok(Configured { injector, changed, registered: None });
        }
        injector.settings.namespace.clone_from(&knowledge.namespace);
        let registered = knowledge.registered.clone().or_else(|| self.assumed(&injector, revision));
        if let Some(registered) = &registered {
            let labels = |facts: &NamespaceFacts| facts.labels.clone();
            let selection = Selection {
                webhooks: registered.iter().map(|registered| registered.webhook.clone()).collect(),
                labels: knowledge.namespaces.iter().map(|(name, facts)| (name.clone(), labels(facts))).collect(),
                other_labels: knowledge.other_namespaces.as_ref().map(labels),
            };
            Arc::make_mut(&mut injector.cluster).selection = Some(Arc::new(selection));
        }
        Ok(Configured { injector, changed, registered })
    }

    fn names(&self, revision: &str) -> ConfigMapNames {
        let namespace = self.istio_namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or(namespace::INJECTOR);
        let mut names = ConfigMapNames::of_revision(namespace, unnamed(revision));
        names.injector = self.inject_config_map_name.clone().unwrap_or(names.injector);
        names.mesh = self.mesh_config_map_name.clone().unwrap_or(names.mesh);
        names
    }

    /// Offline, labels of a namespace are told to the webhooks that the revision would have.
    fn assumed(&self, injector: &Injector, revision: &str) -> Option<Vec<Registered>> {
        self.namespace_labels.as_ref()?;
        let by_default = enables_namespaces_by_default(&injector.configuration.values);
        let registered = |webhook: Webhook| Registered {
            webhook,
            configuration: String::new(),
            created: String::new(),
            is_ignored_on_failure: false,
            conditions: Vec::new(),
        };
        Some(webhooks(unnamed(revision), &[], by_default).into_iter().map(registered).collect())
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
        Ok(Knowledge { reader: Some(reader), cluster, registered, namespaces, other_namespaces: None, namespace })
    }
}

/// Runs what asks the cluster.
///
/// # Errors
/// Its own, and when there can be no runtime.
pub fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::of(&error))?.block_on(work)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_pairs() {
        let Labels(labels) = "istio-injection=enabled, a=".parse().unwrap();
        assert_eq!((labels["istio-injection"].as_str(), labels["a"].as_str()), (Some("enabled"), Some("")));
        assert!("".parse::<Labels>().unwrap().0.is_empty());
        assert!("a".parse::<Labels>().unwrap_err().contains("'a' is not KEY=VALUE"));
        assert!("=b".parse::<Labels>().is_err());
    }

    #[test]
    fn naming_a_part_of_the_cluster_asks_it() {
        assert!(!ClusterArgs { namespace: Some("demo".to_owned()), ..ClusterArgs::default() }.is_online());
        assert!(ClusterArgs { context: Some("kind".to_owned()), ..ClusterArgs::default() }.is_online());
        assert!(ClusterArgs { mesh_config_map_name: Some("m".to_owned()), ..ClusterArgs::default() }.is_online());
    }

    #[test]
    fn a_version_has_two_numbers() {
        assert!(version("v1.33.1").is_ok() && version("1.33").is_ok());
        assert!(version("new").is_err());
    }
}
