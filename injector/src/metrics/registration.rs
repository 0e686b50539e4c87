//! The registration with the API server.

use prometheus_client::registry::Registry;

/// What is known of the registration with the API server.
#[derive(Debug)]
pub struct RegistrationMetrics {}

impl RegistrationMetrics {
    pub(super) fn register(_registry: &mut Registry) -> Self {
        Self {}
    }
}
