//! Under which user the sidecar runs.

/// User id of the proxy. The redirection rules let this user's traffic pass, which is what prevents a loop.
pub const PROXY_UID: u32 = 1337;
/// Group id of the proxy; the rules exempt it too, for a proxy that must run as root.
pub const PROXY_GID: u32 = 1337;
