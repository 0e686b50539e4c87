//! What the injector counts, in Prometheus' format. Every label has a fixed set of values.

mod certificate;
mod configuration;
mod leadership;
mod registration;
mod requests;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::registry::Registry;

pub use certificate::CertificateMetrics;
pub use configuration::ConfigurationMetrics;
pub use leadership::LeadershipMetrics;
pub use registration::RegistrationMetrics;
pub use requests::{InFlight, RequestMetrics};

/// The injector's metrics, each group for the part of the program that sets it.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Under Istio's names.
    istio: Registry,
    /// Requests to the webhook.
    pub requests: RequestMetrics,
    /// The configuration in use.
    pub configuration: ConfigurationMetrics,
    /// The serving certificate.
    pub certificate: CertificateMetrics,
    /// The election.
    pub leadership: LeadershipMetrics,
    /// The registration with the API server.
    pub registration: RegistrationMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let (mut registry, mut istio) = (Registry::with_prefix("sidecar_injector"), Registry::default());
        Self {
            requests: RequestMetrics::register(&mut registry, &mut istio),
            configuration: ConfigurationMetrics::register(&mut registry),
            certificate: CertificateMetrics::register(&mut registry),
            leadership: LeadershipMetrics::register(&mut registry),
            registration: RegistrationMetrics::register(&mut registry),
            registry,
            istio,
        }
    }
}

impl Metrics {
    /// All metrics in the OpenMetrics text format.
    ///
    /// # Errors
    /// Only when memory runs out.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.istio)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
