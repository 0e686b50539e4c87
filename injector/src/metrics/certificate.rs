//! The serving certificate and its authorities.

use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The label values are names in our own code, so their number is bounded.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct ResultLabel {
    result: &'static str,
}

/// Each is counted from the start, so that the first time shows as an increase.
const RESULTS: [&str; 7] = [
    "authority_created",
    "authority_published",
    "authority_switched",
    "certificate_issued",
    "restored",
    "authority_dropped",
    "failed",
];

/// What is known of the serving certificate.
#[derive(Debug)]
pub struct CertificateMetrics {
    not_after: Gauge<f64, AtomicU64>,
    authority_not_after: Gauge<f64, AtomicU64>,
    is_loaded: Gauge,
    changes: Family<ResultLabel, Counter>,
}

impl CertificateMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            not_after: Gauge::default(),
            authority_not_after: Gauge::default(),
            is_loaded: Gauge::default(),
            changes: Family::default(),
        };
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When the serving certificate expires; 0 when none is served",
            metrics.not_after.clone(),
        );
        registry.register(
            "certificate_authority_not_after_timestamp_seconds",
            "When the authority expires that is the last to do so in the bundle; 0 when none is known",
            metrics.authority_not_after.clone(),
        );
        registry.register(
            "certificate_last_load_success",
            "Whether the certificate could be used as it was last read: 1 or 0",
            metrics.is_loaded.clone(),
        );
        registry.register(
            "certificate_changes",
            "Steps of issuing and rotating certificates in the Secret, by result",
            metrics.changes.clone(),
        );
        for result in RESULTS {
            drop(metrics.changes.get_or_create(&ResultLabel { result }));
        }
        metrics
    }

    /// A certificate was read, and is served.
    pub fn loaded(&self, not_after: SystemTime) {
        self.not_after.set(seconds(not_after));
        self.is_loaded.set(1);
    }

    /// What was read cannot be used; what was served is served on.
    pub fn load_failed(&self) {
        self.is_loaded.set(0);
    }

    /// The bundle holds authorities of which the last expires then.
    pub fn authorities(&self, not_after: SystemTime) {
        self.authority_not_after.set(seconds(not_after));
    }

    /// A step was taken, or could not be. `result` is a name from a fixed set.
    pub fn changed(&self, result: &'static str) {
        self.changes.get_or_create(&ResultLabel { result }).inc();
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::metrics::Metrics;

    #[test]
    fn what_is_served_is_told() {
        let metrics = Metrics::default();
        metrics.certificate.loaded(super::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
        metrics.certificate.changed("certificate_issued");
        let text = metrics.encode().unwrap();
        for line in [
            "sidecar_injector_certificate_not_after_timestamp_seconds 1790000000.0",
            "sidecar_injector_certificate_last_load_success 1",
            r#"sidecar_injector_certificate_changes_total{result="certificate_issued"} 1"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
