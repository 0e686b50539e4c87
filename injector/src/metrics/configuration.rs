//! The configuration in use: what was loaded, and whether the last attempt worked; and the watches that feed it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::loading::{LoadOutcome, LoadReport};

/// Seconds since 1970.
type Timestamp = Gauge<f64, AtomicU64>;

/// The value is one of [`LoadOutcome::code`].
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct ResultLabel {
    result: &'static str,
}

/// Each is counted from the start, so that the first time shows as an increase.
const RESULTS: [&str; 4] = ["loaded", "restored", "rejected", "unavailable"];
const RESOURCES: [&str; 4] = ["configmaps", "namespaces", "nodes", "proxyconfigs.networking.istio.io"];
const PROBLEMS: [&str; 3] = ["forbidden", "not_installed", "unreachable"];

/// There is one at a time.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct HashLabel {
    hash: String,
}

/// The values are names in our own code, so their number is bounded.
#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct WatchLabels {
    resource: &'static str,
    problem: &'static str,
}

/// What is known of the configuration in use.
#[derive(Debug)]
pub struct ConfigurationMetrics {
    generation: Gauge,
    loads: Family<ResultLabel, Counter>,
    last_load_successful: Gauge,
    last_load: Timestamp,
    last_success: Timestamp,
    info: Family<HashLabel, Gauge>,
    watch_failures: Family<WatchLabels, Counter>,
}

impl ConfigurationMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            generation: Gauge::default(),
            loads: Family::default(),
            last_load_successful: Gauge::default(),
            last_load: Timestamp::default(),
            last_success: Timestamp::default(),
            info: Family::default(),
            watch_failures: Family::default(),
        };
        for (name, help, gauge) in [
            ("configuration_generation", "How many configurations have been in use", &metrics.generation),
            (
                "configuration_last_load_successful",
                "1 when the newest configuration is in use, 0 when it is not",
                &metrics.last_load_successful,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        for (name, help, gauge) in [
            ("configuration_last_load_timestamp_seconds", "When one was loaded or rejected last", &metrics.last_load),
            ("configuration_last_success_timestamp_seconds", "When one came into use last", &metrics.last_success),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register("configuration_loads", "Configurations by what became of them", metrics.loads.clone());
        registry.register("configuration_info", "The hash of the configuration in use", metrics.info.clone());
        let help = "Failures of watches of the API server, by resource and problem";
        registry.register("watch_failures", help, metrics.watch_failures.clone());
        for result in RESULTS {
            drop(metrics.loads.get_or_create(&ResultLabel { result }));
        }
        for resource in RESOURCES {
            for problem in PROBLEMS {
                drop(metrics.watch_failures.get_or_create(&WatchLabels { resource, problem }));
            }
        }
        metrics
    }

    /// Counts a load that ended at `now`, in seconds since 1970.
    pub fn loaded(&self, report: &LoadReport, now: f64) {
        self.loads.get_or_create(&ResultLabel { result: report.outcome.code() }).inc();
        self.generation.set(i64::try_from(report.generation).unwrap_or(i64::MAX));
        self.last_load.set(now);
        let is_good = matches!(report.outcome, LoadOutcome::Loaded(_) | LoadOutcome::Restored);
        self.last_load_successful.set(is_good.into());
        if is_good {
            self.last_success.set(now);
        }
        self.info.clear();
        if let Some(hash) = report.in_use.clone() {
            self.info.get_or_create(&HashLabel { hash }).set(1);
        }
    }

    /// Counts a failure of the watch of `resource`. Both are names from a fixed set.
    pub fn watch_failed(&self, resource: &'static str, problem: &'static str) {
        self.watch_failures.get_or_create(&WatchLabels { resource, problem }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn the_configuration_in_use_is_the_only_one_named() {
        let metrics = Metrics::default();
        let report = |outcome, hash: &str, generation| LoadReport {
            outcome,
            offered: None,
            in_use: Some(hash.to_owned()),
            generation,
        };
        metrics.configuration.loaded(&report(LoadOutcome::Loaded(Vec::new()), "a", 1), 10.5);
        metrics.configuration.loaded(&report(LoadOutcome::Loaded(Vec::new()), "b", 2), 20.5);
        metrics.configuration.loaded(&report(LoadOutcome::Rejected(Vec::new()), "b", 2), 30.5);
        metrics.configuration.watch_failed("nodes", "forbidden");
        let text = metrics.encode().unwrap();
        for line in [
            r#"sidecar_injector_configuration_info{hash="b"} 1"#,
            "sidecar_injector_configuration_generation 2",
            "sidecar_injector_configuration_last_load_successful 0",
            "sidecar_injector_configuration_last_load_timestamp_seconds 30.5",
            "sidecar_injector_configuration_last_success_timestamp_seconds 20.5",
            r#"sidecar_injector_configuration_loads_total{result="loaded"} 2"#,
            r#"sidecar_injector_configuration_loads_total{result="rejected"} 1"#,
            r#"sidecar_injector_watch_failures_total{resource="nodes",problem="forbidden"} 1"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(!text.contains(r#"hash="a""#), "{text}");
    }
}
