//! The registration with the API server.

use std::time::SystemTime;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::registration::State;

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Hash, PartialEq, Eq)]
struct ResultLabels {
    result: &'static str,
}

/// Each is counted from the start, so that the first time shows as an increase.
const RESULTS: [&str; 6] = ["applied", "conflict", "forbidden", "outdated", "rejected", "unreachable"];

/// What is known of the registration with the API server.
#[derive(Debug)]
pub struct RegistrationMetrics {
    state: Family<StateLabels, Gauge>,
    applies: Family<ResultLabels, Counter>,
    corrections: Counter,
    last_success: Gauge,
}

impl RegistrationMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (state, applies) = (Family::default(), Family::<ResultLabels, Counter>::default());
        for result in RESULTS {
            drop(applies.get_or_create(&ResultLabels { result }));
        }
        let (corrections, last_success) = (Counter::default(), Gauge::default());
        registry.register("registration_state", "How the registration stands: 1 for its state", state.clone());
        registry.register("registration_applies", "Writes of a webhook configuration by result", applies.clone());
        let help = "Changes by others to a webhook configuration that were taken back";
        registry.register("registration_corrections", help, corrections.clone());
        let help = "When the registration was last known to be right, in seconds since 1970; 0 is never";
        registry.register("registration_last_success_timestamp_seconds", help, last_success.clone());
        Self { state, applies, corrections, last_success }
    }

    /// How it stands from now on. Before, nobody keeps it, and there is no series.
    pub fn set_state(&self, state: State) {
        for known in State::ALL {
            self.state.get_or_create(&StateLabels { state: known.name() }).set(i64::from(known == state));
        }
    }

    /// Counts a write. `result` is a name from a fixed set.
    pub fn applied(&self, result: &'static str) {
        self.applies.get_or_create(&ResultLabels { result }).inc();
    }

    /// Counts a change by others that was taken back.
    pub fn corrected(&self) {
        self.corrections.inc();
    }

    /// At `now` the API server has what is wanted.
    pub fn succeeded(&self, now: SystemTime) {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        self.last_success.set(i64::try_from(seconds).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn there_is_one_state_at_a_time() {
        let metrics = Metrics::default();
        metrics.registration.set_state(State::Conflict);
        metrics.registration.set_state(State::Current);
        let text = metrics.encode().unwrap();
        for (state, is_set) in [("current", 1), ("conflict", 0), ("not_leader", 0)] {
            let line = format!("sidecar_injector_registration_state{{state=\"{state}\"}} {is_set}\n");
            assert!(text.contains(&line), "{text}");
        }
    }
}
