//! What a command that is run by hand knows of the cluster that its pods are for: from the cluster, or from flags.

mod configured;
mod knowledge;

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::{Map, Value};
use sidecar_contract::namespace;

use crate::cli::{ConfigArgs, Failure, names};
use crate::native::Node;

pub use configured::Configured;
pub use knowledge::Knowledge;

/// What is known of the cluster, under istioctl's names.
#[derive(Clone, Debug, Default, Args)]
pub struct ClusterArgs {
    /// Ask the cluster for what decides there: configuration, values and mesh from its ConfigMaps (files that are given go
    /// before them), its webhooks, namespaces, nodes and ProxyConfig resources, and the settings of its injector. Any of the
    /// flags that name a part of the cluster means this too, unless all three files are given. Without --revision each object
    /// is for the injector that the cluster would call for it.
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
    /// Tag of the revision, another name by which namespaces and pods ask for it, where --namespace-labels are given; may be
    /// given several times.
    #[arg(long = "tag", value_name = "TAG", requires = "namespace_labels")]
    pub tags: Vec<String>,
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

impl ClusterArgs {
    /// Whether the cluster is to be asked. Who gives every file needs no ConfigMap, wherever that would be.
    pub fn is_online(&self, config: &ConfigArgs) -> bool {
        let names = [&self.inject_config_map_name, &self.mesh_config_map_name, &self.istio_namespace, &self.context];
        let is_named = self.kubeconfig.is_some() || names.into_iter().any(Option::is_some);
        self.from_cluster || is_named && !has_all_files(config)
    }

    /// The namespace that the flag names.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|name| !name.is_empty())
    }

    /// The namespace of the injector.
    fn injector_namespace(&self) -> &str {
        self.istio_namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or(namespace::INJECTOR)
    }
}

/// Whether files say all that ConfigMaps would.
fn has_all_files(config: &ConfigArgs) -> bool {
    [&config.inject_config_file, &config.values_file, &config.mesh_config_file].into_iter().all(Option::is_some)
}

/// Runs what asks the cluster.
///
/// # Errors
/// Its own, and when there can be no runtime.
pub fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::of(&error))?.block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

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
        let config = |files: &str| parsed(&format!("kube-inject -f a {files}")).config;
        let is_online =
            |flags: &str, files: &str| parsed(&format!("kube-inject -f a {flags}")).cluster.is_online(&config(files));
        assert!(!is_online("-n demo", ""));
        assert!(is_online("--context kind", "") && is_online("--meshConfigMapName m", "") && is_online("-i a", ""));
        let files = "--injectConfigFile c --valuesFile v --meshConfigFile m";
        assert!(!is_online("-i a --context kind --kubeconfig k", files));
        assert!(is_online("-i a", "--injectConfigFile c") && is_online("--from-cluster", files));
    }

    fn parsed(call: &str) -> crate::cli::kube_inject::KubeInject {
        let cli = Cli::try_parse_from(["sidecar-injector"].into_iter().chain(call.split_whitespace())).unwrap();
        let Command::KubeInject(parsed) = cli.command else { panic!("{call}") };
        *parsed
    }

    #[test]
    fn a_version_has_two_numbers() {
        assert!(version("v1.33.1").is_ok() && version("1.33").is_ok());
        assert!(version("new").is_err());
    }
}
