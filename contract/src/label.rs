//! Pod and namespace labels that steer injection, named as Istio names them.

/// On a namespace: `enabled` asks for injection of every pod in it.
pub const NAMESPACE_INJECTION: &str = "istio-injection";
/// The value of [`NAMESPACE_INJECTION`] that turns injection on; any other value turns it off.
pub const NAMESPACE_INJECTION_ENABLED: &str = "enabled";
/// On a pod: `"true"` or `"false"`; wins over the annotation of the same name.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// On a namespace or pod: the revision of the injector that is to serve it.
pub const REVISION: &str = "istio.io/rev";
/// On a namespace, set by the API server: its name.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// In the selectors of a webhook that another one has replaced; no object has it.
pub const DEACTIVATED: &str = "istio.io/deactivated";
/// The value that goes with [`DEACTIVATED`].
pub const DEACTIVATED_NEVER: &str = "never-match";
