//! Names of the images, and of the binaries in them.

/// Name of the injector's image, without hub and tag, and its binary.
pub const INJECTOR: &str = "sidecar-injector";
/// Name of the init container's image, and its binary.
pub const INIT: &str = "sidecar-init";
/// Name of the sidecar's image, and its binary.
pub const PROXY: &str = "sidecar-proxy";
