//! Namespaces with a part to play in injection.

/// Where the injector runs.
pub const INJECTOR: &str = "istio-system";

/// Namespaces whose pods are never injected, whatever their labels say: without them a cluster cannot start.
pub const NEVER_INJECTED: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];
