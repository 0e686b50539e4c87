//! Environment variables of the sidecar that injection sets, named as Istio names them.

/// Name of the cluster.
pub const CLUSTER_ID: &str = "ISTIO_META_CLUSTER_ID";
/// Name of the network.
pub const NETWORK: &str = "ISTIO_META_NETWORK";
/// Where the application serves its metrics, as JSON: `{"scrape":"true","path":"/metrics","port":"8080"}`.
pub const PROMETHEUS_ANNOTATIONS: &str = "ISTIO_PROMETHEUS_ANNOTATIONS";
/// The application's own probes, as JSON: by the path under which the sidecar serves each.
pub const APP_PROBERS: &str = "ISTIO_KUBE_APP_PROBERS";
/// Port of the merged metrics with TLS; none or `0` without.
pub const SECURE_METRICS_PORT: &str = "ENVOY_SECURE_MERGED_METRICS_PORT";
