//! Names of the containers that injection adds.

/// The sidecar.
pub const PROXY: &str = "istio-proxy";
/// The init container that writes the redirection rules.
pub const INIT: &str = "istio-init";
/// In place of [`INIT`] where a CNI plugin has written the rules: checks that they are there.
pub const VALIDATION: &str = "istio-validation";
/// Of old templates: lets the proxy write core dumps.
pub const ENABLE_CORE_DUMP: &str = "enable-core-dump";
/// First argument of the init container, kept from the image in which `istio-iptables` was one of several tools.
pub const INIT_FIRST_ARGUMENT: &str = "istio-iptables";
