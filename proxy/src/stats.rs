//! What is counted, and how it is shown to Prometheus: Envoy's names, so that its dashboards and alerts keep working.
//!
//! Every worker counts in cells of its own, which no other thread writes; a scrape adds them up.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::route::Cluster;

/// The cells of one worker.
#[derive(Debug)]
pub struct WorkerStats {
    listeners: Box<[ListenerStats]>,
    clusters: [ClusterStats; Cluster::ALL.len()],
}

/// Connections that a listener accepted.
#[derive(Debug, Default)]
pub struct ListenerStats {
    /// Accepted so far.
    pub downstream_cx_total: Cell,
    /// Of these, open now.
    pub downstream_cx_active: Cell,
    /// Reset at once, since as many were open as may be; not among the total.
    pub downstream_cx_overflow: Cell,
}

/// Connections to a cluster.
#[derive(Debug, Default)]
pub struct ClusterStats {
    /// Dialled so far.
    pub upstream_cx_total: Cell,
    /// Of these, open or being opened now.
    pub upstream_cx_active: Cell,
    /// Of these, not established, whatever the reason.
    pub upstream_cx_connect_fail: Cell,
    /// Of these, not established in time.
    pub upstream_cx_connect_timeout: Cell,
    /// Refused without dialling.
    pub upstream_cx_none_healthy: Cell,
    /// Bytes that came from upstream.
    pub upstream_cx_rx_bytes: Cell,
    /// Bytes handed to upstream.
    pub upstream_cx_tx_bytes: Cell,
}

/// A number that one thread writes and others may read.
#[derive(Debug, Default)]
pub struct Cell(AtomicU64);

/// Counts one for as long as it lives.
#[derive(Debug)]
#[must_use = "counts only while it is held"]
pub struct Counted<'a>(&'a Cell);

impl Cell {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Adds one until the result is dropped.
    pub fn count(&self) -> Counted<'_> {
        self.add(1);
        Counted(self)
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl WorkerStats {
    /// Cells for `listeners` listeners and every cluster.
    pub fn new(listeners: usize) -> Self {
        Self {
            listeners: std::iter::repeat_with(ListenerStats::default).take(listeners).collect(),
            clusters: Default::default(),
        }
    }

    /// The cells of the listener at this position.
    pub fn listener(&self, index: usize) -> &ListenerStats {
        &self.listeners[index]
    }

    /// The cells of a cluster.
    pub fn cluster(&self, cluster: Cluster) -> &ClusterStats {
        &self.clusters[cluster.index()]
    }
}

/// Adds up the cells of all workers at every scrape.
#[derive(Debug)]
pub struct Stats {
    /// Addresses of the listeners as Envoy labels them, see [`listener_label`].
    pub listeners: Vec<String>,
    /// One entry a worker.
    pub workers: Vec<Arc<WorkerStats>>,
}

impl Stats {
    fn encode_listeners(&self, encoder: &mut DescriptorEncoder<'_>, family: &Family<ListenerStats>) -> fmt::Result {
        let samples = self.listeners.iter().enumerate().map(|(index, address)| {
            let cells = self.workers.iter().map(|worker| (family.cell)(worker.listener(index)).get());
            ([("envoy_listener_address", address.as_str())], cells.sum())
        });
        encode(encoder, family, samples)
    }

    fn encode_clusters(&self, encoder: &mut DescriptorEncoder<'_>, family: &Family<ClusterStats>) -> fmt::Result {
        let samples = Cluster::ALL.into_iter().map(|cluster| {
            let cells = self.workers.iter().map(|worker| (family.cell)(worker.cluster(cluster)).get());
            ([("envoy_cluster_name", cluster.name())], cells.sum())
        });
        encode(encoder, family, samples)
    }
}

impl Collector for Stats {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        LISTENER_FAMILIES.iter().try_for_each(|family| self.encode_listeners(&mut encoder, family))?;
        CLUSTER_FAMILIES.iter().try_for_each(|family| self.encode_clusters(&mut encoder, family))
    }
}

/// The address of a listener as Envoy writes it into a label: `0.0.0.0_15006`, `[__]_15006`.
pub fn listener_label(address: std::net::SocketAddr) -> String {
    address.to_string().replace(':', "_")
}

/// One metric: its name as the encoder wants it, and where its value is.
struct Family<T> {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    cell: fn(&T) -> &Cell,
}

#[derive(Clone, Copy)]
enum Kind {
    /// The encoder appends `_total`.
    Total,
    /// A counter that Envoy names without `_total`: typed `unknown`, since the encoder would append it to a counter.
    Bare,
    Gauge,
}

const LISTENER_FAMILIES: &[Family<ListenerStats>] = &[
    Family {
        name: "envoy_listener_downstream_cx",
        help: "Connections accepted",
        kind: Kind::Total,
        cell: |listener| &listener.downstream_cx_total,
    },
    Family {
        name: "envoy_listener_downstream_cx_active",
        help: "Connections open",
        kind: Kind::Gauge,
        cell: |listener| &listener.downstream_cx_active,
    },
    Family {
        name: "envoy_listener_downstream_cx_overflow",
        help: "Connections reset because as many were open as may be",
        kind: Kind::Bare,
        cell: |listener| &listener.downstream_cx_overflow,
    },
];

const CLUSTER_FAMILIES: &[Family<ClusterStats>] = &[
    Family {
        name: "envoy_cluster_upstream_cx",
        help: "Connections dialled",
        kind: Kind::Total,
        cell: |cluster| &cluster.upstream_cx_total,
    },
    Family {
        name: "envoy_cluster_upstream_cx_active",
        help: "Connections open or being opened",
        kind: Kind::Gauge,
        cell: |cluster| &cluster.upstream_cx_active,
    },
    Family {
        name: "envoy_cluster_upstream_cx_connect_fail",
        help: "Connections that were not established",
        kind: Kind::Bare,
        cell: |cluster| &cluster.upstream_cx_connect_fail,
    },
    Family {
        name: "envoy_cluster_upstream_cx_connect_timeout",
        help: "Connections that were not established in time",
        kind: Kind::Bare,
        cell: |cluster| &cluster.upstream_cx_connect_timeout,
    },
    Family {
        name: "envoy_cluster_upstream_cx_none_healthy",
        help: "Connections refused without dialling",
        kind: Kind::Bare,
        cell: |cluster| &cluster.upstream_cx_none_healthy,
    },
    Family {
        name: "envoy_cluster_upstream_cx_rx_bytes",
        help: "Bytes received from upstream",
        kind: Kind::Total,
        cell: |cluster| &cluster.upstream_cx_rx_bytes,
    },
    Family {
        name: "envoy_cluster_upstream_cx_tx_bytes",
        help: "Bytes sent to upstream",
        kind: Kind::Total,
        cell: |cluster| &cluster.upstream_cx_tx_bytes,
    },
];

fn encode<'a, T>(
    encoder: &mut DescriptorEncoder<'_>,
    family: &Family<T>,
    samples: impl Iterator<Item = ([(&'static str, &'a str); 1], u64)>,
) -> fmt::Result {
    let kind = match family.kind {
        Kind::Total => MetricType::Counter,
        Kind::Bare => MetricType::Unknown,
        Kind::Gauge => MetricType::Gauge,
    };
    let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
    for (labels, value) in samples {
        let mut sample = metric.encode_family(&labels)?;
        match family.kind {
            Kind::Total => sample.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)?,
            Kind::Bare | Kind::Gauge => sample.encode_gauge(&value)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::registry::Registry;

    #[test]
    fn workers_are_added_up_under_envoys_names() {
        let workers: Vec<_> = (0..2).map(|_| Arc::new(WorkerStats::new(1))).collect();
        for worker in &workers {
            worker.listener(0).downstream_cx_total.add(2);
            let inbound = worker.cluster(Cluster::InboundPassthrough);
            inbound.upstream_cx_total.add(3);
            inbound.upstream_cx_connect_fail.add(1);
            inbound.upstream_cx_rx_bytes.add(10);
        }
        let open = workers[0].listener(0).downstream_cx_active.count();
        drop(workers[1].listener(0).downstream_cx_active.count());

        let mut registry = Registry::default();
        let listeners = vec![listener_label("[::]:15006".parse().unwrap())];
        registry.register_collector(Box::new(Stats { listeners, workers: workers.clone() }));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        drop(open);

        for line in [
            r#"envoy_listener_downstream_cx_total{envoy_listener_address="[__]_15006"} 4"#,
            r#"envoy_listener_downstream_cx_active{envoy_listener_address="[__]_15006"} 1"#,
            r#"envoy_cluster_upstream_cx_total{envoy_cluster_name="InboundPassthroughCluster"} 6"#,
            r#"envoy_cluster_upstream_cx_total{envoy_cluster_name="PassthroughCluster"} 0"#,
            r#"envoy_cluster_upstream_cx_connect_fail{envoy_cluster_name="InboundPassthroughCluster"} 2"#,
            r#"envoy_cluster_upstream_cx_rx_bytes_total{envoy_cluster_name="InboundPassthroughCluster"} 20"#,
        ] {
            assert!(text.lines().any(|have| have == line), "no `{line}` in\n{text}");
        }
    }
}
