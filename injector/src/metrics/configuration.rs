//! The configuration in use: what was loaded, and whether the last attempt worked.

use prometheus_client::registry::Registry;

/// What is known of the configuration in use.
#[derive(Debug)]
pub struct ConfigurationMetrics {}

impl ConfigurationMetrics {
    pub(super) fn register(_registry: &mut Registry) -> Self {
        Self {}
    }
}
