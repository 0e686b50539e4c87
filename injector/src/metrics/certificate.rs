//! The serving certificate.

use prometheus_client::registry::Registry;

/// What is known of the serving certificate.
#[derive(Debug)]
pub struct CertificateMetrics {}

impl CertificateMetrics {
    pub(super) fn register(_registry: &mut Registry) -> Self {
        Self {}
    }
}
