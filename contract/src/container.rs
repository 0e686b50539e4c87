//! Names of the containers that injection adds.

/// The sidecar.
pub const PROXY: &str = "istio-proxy";
/// The init container that writes the redirection rules.
pub const INIT: &str = "istio-init";
/// First argument of the init container, kept from the image in which `istio-iptables` was one of several tools.
pub const INIT_FIRST_ARGUMENT: &str = "istio-iptables";
