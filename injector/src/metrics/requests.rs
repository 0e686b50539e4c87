//! Requests to the webhook.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds. An injection takes well under a millisecond.
const DURATION_BUCKETS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// Upper bounds in operations; Istio's own template takes about ten.
const OPERATION_BUCKETS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0, 1000.0];
/// Upper bounds in bytes of JSON; Istio's own template takes about 8 kB.
const BYTE_BUCKETS: [f64; 8] = [256.0, 1024.0, 4096.0, 8192.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];
/// Istio's, in seconds.
const ISTIO_BUCKETS: [f64; 8] = [0.1, 1.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0];

/// The limits there are; each is counted from the start, so that the first time shows as an increase.
const LIMITS: [&str; 7] = [
    "requests",
    "requests_of_one_client",
    "connections",
    "connections_of_one_client",
    "bodies",
    "large_bodies",
    "turn",
];

/// The label values are names in our own code, so their number is bounded.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct RequestLabels {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct ShedLabels {
    limit: &'static str,
}

/// What is known of requests to the webhook.
#[derive(Debug)]
pub struct RequestMetrics {
    requests: Family<RequestLabels, Counter>,
    duration: Histogram,
    patch_operations: Histogram,
    patch_bytes: Histogram,
    in_flight: Gauge<i64, AtomicI64>,
    shed: Family<ShedLabels, Counter>,
    istio: IstioMetrics,
}

/// Under Istio's names, for its dashboards. Each request counts once, as what it came to: Istio counts a success for
/// everything that it answers, denials too, and some failures twice.
#[derive(Debug, Default)]
struct IstioMetrics {
    requests: Counter,
    successes: Counter,
    failures: Counter,
    skips: Counter,
    duration: Option<Histogram>,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub struct InFlight(Gauge<i64, AtomicI64>);

impl RequestMetrics {
    /// `istio` is a registry without a prefix.
    pub(super) fn register(registry: &mut Registry, istio: &mut Registry) -> Self {
        let requests = Family::default();
        registry.register("requests", "Requests to the webhook by outcome and reason", requests.clone());
        let duration = Histogram::new(DURATION_BUCKETS);
        registry.register("request_duration_seconds", "Time from a request's headers to the answer", duration.clone());
        let patch_operations = Histogram::new(OPERATION_BUCKETS);
        registry.register("patch_operations", "Operations in the patch of an injection", patch_operations.clone());
        let patch_bytes = Histogram::new(BYTE_BUCKETS);
        registry.register("patch_bytes", "Length of the patch of an injection, as JSON", patch_bytes.clone());
        let in_flight = Gauge::default();
        registry.register("requests_in_flight", "Requests that are not answered yet", in_flight.clone());
        let shed = Family::<ShedLabels, Counter>::default();
        for limit in LIMITS {
            drop(shed.get_or_create(&ShedLabels { limit }));
        }
        registry.register(
            "shed",
            "Requests and connections turned away or made to wait, by the limit that was reached",
            shed.clone(),
        );
        let istio = IstioMetrics::register(istio);
        Self { requests, duration, patch_operations, patch_bytes, in_flight, shed, istio }
    }

    /// Counts one request. `outcome` and `reason` are names from a fixed set.
    pub fn count(&self, outcome: &'static str, reason: &'static str, duration: Duration) {
        self.requests.get_or_create(&RequestLabels { outcome, reason }).inc();
        self.duration.observe(duration.as_secs_f64());
        self.istio.count(outcome, duration);
    }

    /// Counts what was turned away before it was a request at all, so that it took no time, and failed nobody. `reason` is
    /// a name from a fixed set.
    pub fn unheard(&self, reason: &'static str) {
        self.requests.get_or_create(&RequestLabels { outcome: "rejected", reason }).inc();
    }

    /// Counts the patch of an injection.
    pub fn patch(&self, operations: usize, bytes: usize) {
        self.patch_operations.observe(operations as f64);
        self.patch_bytes.observe(bytes as f64);
    }

    /// A request is under way until the result is dropped.
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Something was turned away, or has to wait, because `limit`, a name from a fixed set, was reached.
    pub fn shed(&self, limit: &'static str) {
        self.shed.get_or_create(&ShedLabels { limit }).inc();
    }
}

impl IstioMetrics {
    fn register(registry: &mut Registry) -> Self {
        let duration = Histogram::new(ISTIO_BUCKETS);
        let metrics = Self { duration: Some(duration.clone()), ..Self::default() };
        let Self { requests, successes, failures, skips, .. } = &metrics;
        registry.register("sidecar_injection_requests", "Requests to the webhook", requests.clone());
        registry.register("sidecar_injection_success", "Requests that ended in a patch", successes.clone());
        registry.register("sidecar_injection_failure", "Requests denied, refused or abandoned", failures.clone());
        registry.register("sidecar_injection_skip", "Requests allowed without a patch", skips.clone());
        registry.register("sidecar_injection_time_seconds", "Time from a request's headers to the answer", duration);
        metrics
    }

    fn count(&self, outcome: &str, duration: Duration) {
        self.requests.inc();
        match outcome {
            "injected" => self.successes.inc(),
            "skipped" => self.skips.inc(),
            _ => self.failures.inc(),
        };
        if let Some(histogram) = &self.duration {
            histogram.observe(duration.as_secs_f64());
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
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
        metrics.requests.count("denied", "invalid_pod", Duration::from_millis(2));
        metrics.requests.count("skipped", "label_false", Duration::from_millis(2));
        metrics.requests.patch(7, 5000);
        metrics.requests.shed("requests");
        metrics.requests.unheard("no_tls");
        let under_way = metrics.requests.begin();
        drop(metrics.requests.begin());
        let text = metrics.encode().unwrap();
        for line in [
            r#"sidecar_injector_requests_total{outcome="injected",reason="policy_enabled"} 2"#,
            r#"sidecar_injector_requests_total{outcome="rejected",reason="no_tls"} 1"#,
            r#"sidecar_injector_request_duration_seconds_bucket{le="0.0005"} 1"#,
            "sidecar_injector_request_duration_seconds_count 4",
            r#"sidecar_injector_patch_operations_bucket{le="10.0"} 1"#,
            r#"sidecar_injector_patch_bytes_sum 5000"#,
            r#"sidecar_injector_shed_total{limit="requests"} 1"#,
            r#"sidecar_injector_shed_total{limit="large_bodies"} 0"#,
            "sidecar_injector_requests_in_flight 1",
            "\nsidecar_injection_requests_total 4",
            "\nsidecar_injection_success_total 2",
            "\nsidecar_injection_failure_total 1",
            "\nsidecar_injection_skip_total 1",
            "\nsidecar_injection_time_seconds_count 4",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert_eq!(text.matches("# EOF").count(), 1);
        drop(under_way);
        assert!(metrics.encode().unwrap().contains("requests_in_flight 0"));
    }
}
