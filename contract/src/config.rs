//! Where the injector's configuration lives in a cluster.

/// Name of the ConfigMap with the keys [`CONFIG_KEY`] and [`VALUES_KEY`], and of the MutatingWebhookConfiguration.
pub const INJECTOR_NAME: &str = "istio-sidecar-injector";
/// ConfigMap key: policy, selectors and templates, as YAML.
pub const CONFIG_KEY: &str = "config";
/// ConfigMap key: the values that templates read, as JSON.
pub const VALUES_KEY: &str = "values";
/// Suffix of every webhook name in the MutatingWebhookConfiguration.
pub const WEBHOOK_SUFFIX: &str = "sidecar-injector.istio.io";
/// Path on which the webhook answers.
pub const WEBHOOK_PATH: &str = "/inject";
/// Revision of an installation that was given none.
pub const DEFAULT_REVISION: &str = "default";
/// Name of the ConfigMap with the key [`MESH_KEY`], and of nothing else.
pub const MESH_NAME: &str = "istio";
/// ConfigMap key: MeshConfig, as YAML.
pub const MESH_KEY: &str = "mesh";
