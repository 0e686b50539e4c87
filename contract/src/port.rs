//! TCP and UDP ports of a pod with a sidecar, and of the injector.

/// Proxy: admin interface, on loopback only.
pub const ADMIN: u16 = 15000;
/// Proxy: what the application sends, redirected here.
pub const OUTBOUND: u16 = 15001;
/// Proxy: what is sent to the application, redirected here.
pub const INBOUND: u16 = 15006;
/// Proxy: the tunnel between proxies; never captured.
pub const TUNNEL: u16 = 15008;
/// Proxy: merged metrics and rewritten application probes; never captured.
pub const STATUS: u16 = 15020;
/// Proxy: readiness; never captured.
pub const HEALTH: u16 = 15021;
/// Proxy: DNS, on loopback only.
pub const DNS: u16 = 15053;
/// Proxy: Prometheus metrics; never captured.
pub const PROMETHEUS: u16 = 15090;

/// Injector: the webhook, over TLS.
pub const WEBHOOK: u16 = 15017;
/// Injector: health, readiness and metrics, in the clear.
pub const INJECTOR_MONITORING: u16 = 15014;
/// The port of the injector's Service; the API server calls webhooks on it.
pub const WEBHOOK_SERVICE: u16 = 443;
