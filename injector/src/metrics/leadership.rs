//! Who leads.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What is known of the election.
#[derive(Debug)]
pub struct LeadershipMetrics {
    is_leader: Gauge,
}

impl LeadershipMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { is_leader: Gauge::default() };
        let help = "Whether this replica writes what needs one writer: 1 or 0";
        registry.register("leader", help, metrics.is_leader.clone());
        metrics
    }

    /// Leadership began or ended.
    pub fn leads(&self, is_leader: bool) {
        self.is_leader.set(i64::from(is_leader));
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn the_leader_is_told() {
        let metrics = Metrics::default();
        assert!(metrics.encode().unwrap().contains("sidecar_injector_leader 0"));
        metrics.leadership.leads(true);
        assert!(metrics.encode().unwrap().contains("sidecar_injector_leader 1"));
    }
}
