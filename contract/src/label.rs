//! Pod and namespace labels that steer injection, named as Istio names them.

/// On a namespace: `enabled` asks for injection of every pod in it.
pub const NAMESPACE_INJECTION: &str = "istio-injection";
/// The value of [`NAMESPACE_INJECTION`] that turns injection on; any other value turns it off.
pub const NAMESPACE_INJECTION_ENABLED: &str = "enabled";
/// On a pod: `"true"` or `"false"`; wins over the annotation of the same name.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// On a namespace or pod: the revision of the injector that is to serve it.
pub const REVISION: &str = "istio.io/rev";
/// On a pod: the network it is in; set by injection when it is known.
pub const NETWORK: &str = "topology.istio.io/network";
