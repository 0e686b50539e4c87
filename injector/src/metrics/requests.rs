//! Requests to the webhook.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds. An injection takes well under a millisecond; the API server gives up after ten seconds.
const DURATION_BUCKETS: [f64; 11] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// The label values are names in our own code, so their number is bounded.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct RequestLabels {
    outcome: &'static str,
    reason: &'static str,
}

/// What is known of requests to the webhook.
#[derive(Debug)]
pub struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register("requests", "Requests to the webhook by outcome and reason", requests.clone());
        let duration = Histogram::new(DURATION_BUCKETS);
        registry.register("request_duration_seconds", "Time from a request's headers to the answer", duration.clone());
        Self { requests, duration }
    }

    /// Counts one request. `outcome` and `reason` are names from a fixed set.
    pub fn count(&self, outcome: &'static str, reason: &'static str, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { outcome, reason }).inc();
        self.duration.observe(duration.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn requests_are_counted_by_outcome_and_reason() {
        let metrics = Metrics::default();
        metrics.requests.count("injected", "policy_enabled", Duration::from_micros(300));
        metrics.requests.count("injected", "policy_enabled", Duration::from_millis(2));
        let text = metrics.encode().unwrap();
        assert!(
            text.contains(r#"sidecar_injector_requests_total{outcome="injected",reason="policy_enabled"} 2"#),
            "{text}"
        );
        assert!(text.contains(r#"sidecar_injector_request_duration_seconds_bucket{le="0.0005"} 1"#), "{text}");
    }
}
