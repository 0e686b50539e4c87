//! The proxy's connection counters, read from its Prometheus text as a scraper reads them.

use std::ops::Sub;

use crate::error::Error;

/// Counts every connection that the proxy made on to its destination, by cluster.
const METRIC: &str = "envoy_cluster_upstream_cx_total";

/// How many connections the proxy has passed on since it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// To the application.
    pub inbound: u64,
    /// From the application.
    pub outbound: u64,
}

impl Counters {
    /// Reads the two clusters' counters. A counter that is not there is a mistake, not a zero.
    ///
    /// # Errors
    /// [`Error::Unexpected`], with the text.
    pub fn read(prometheus: &str) -> Result<Self, Error> {
        let cluster = |name: &str| {
            let label = format!("envoy_cluster_name=\"{name}\"");
            let sample = prometheus.lines().find_map(|line| {
                let (labels, value) = line.strip_prefix(METRIC)?.strip_prefix('{')?.split_once('}')?;
                labels.split(',').any(|found| found == label).then(|| value.trim().parse().ok())?
            });
            sample.ok_or_else(|| Error::Unexpected { what: "the proxy's metrics", found: prometheus.to_owned() })
        };
        Ok(Self { inbound: cluster("InboundPassthroughCluster")?, outbound: cluster("PassthroughCluster")? })
    }
}

impl Sub for Counters {
    type Output = Self;

    /// What happened since `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            inbound: self.inbound.saturating_sub(earlier.inbound),
            outbound: self.outbound.saturating_sub(earlier.outbound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE envoy_cluster_upstream_cx_total counter\n\
        envoy_cluster_upstream_cx_total{envoy_cluster_name=\"InboundPassthroughCluster\"} 3\n\
        envoy_cluster_upstream_cx_total{envoy_cluster_name=\"PassthroughCluster\"} 5\n";

    #[test]
    fn the_two_clusters_are_not_mixed_up() {
        let now = Counters::read(TEXT).unwrap();
        assert_eq!(now, Counters { inbound: 3, outbound: 5 });
        assert_eq!(now - Counters { inbound: 1, outbound: 5 }, Counters { inbound: 2, outbound: 0 });
    }

    #[test]
    fn a_missing_counter_is_not_zero() {
        let error = Counters::read(TEXT.split_once("envoy_cluster_upstream_cx_total{").unwrap().0).unwrap_err();
        assert!(error.to_string().contains("the proxy's metrics"), "{error}");
    }
}
