//! What is counted, and how it is shown to Prometheus: Envoy's names, so that its dashboards and alerts keep working.
//!
//! Every worker counts in cells of its own, which no other thread writes; a scrape adds them up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::exposition::{Exposition, Kind};
use crate::route::{Cluster, Refusal};

/// The cells of one worker.
#[derive(Debug)]
pub struct WorkerStats {
    listeners: Box<[ListenerStats]>,
    clusters: [ClusterStats; Cluster::ALL.len()],
    refused: [Cell; Refusal::ALL.len()],
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
    /// Times that the kernel gave no connection but an error, such as too many open files.
    pub accept_errors: Cell,
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
            refused: Default::default(),
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

    /// Connections refused for a reason.
    pub fn refused(&self, reason: Refusal) -> &Cell {
        &self.refused[reason.index()]
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
    /// Adds everything that is counted.
    pub fn expose(&self, exposition: &mut Exposition) {
        for Family { name, help, kind, cell } in LISTENER_FAMILIES {
            let samples = self
                .listeners
                .iter()
                .enumerate()
                .map(|(index, address)| (address.as_str(), self.sum(|worker| cell(worker.listener(index)))));
            exposition.family(name, help, *kind, "envoy_listener_address", samples);
        }
        for Family { name, help, kind, cell } in CLUSTER_FAMILIES {
            let samples = Cluster::ALL
                .into_iter()
                .map(|cluster| (cluster.name(), self.sum(|worker| cell(worker.cluster(cluster)))));
            exposition.family(name, help, *kind, "envoy_cluster_name", samples);
        }
        let (name, help) = ("sidecar_proxy_connections_refused_total", "Connections that were not forwarded");
        let samples = Refusal::ALL.into_iter().map(|reason| (reason.name(), self.sum(|worker| worker.refused(reason))));
        exposition.family(name, help, Kind::Counter, "reason", samples);
    }

    fn sum<'a>(&'a self, cell: impl Fn(&'a WorkerStats) -> &'a Cell) -> u64 {
        self.workers.iter().map(|worker| cell(worker).get()).sum()
    }
}

/// The address of a listener as Envoy writes it into a label: `0.0.0.0_15006`, `[__]_15006`.
pub fn listener_label(address: std::net::SocketAddr) -> String {
    address.to_string().replace(':', "_")
}

/// One metric: its name, and where its value is.
struct Family<T> {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    cell: fn(&T) -> &Cell,
}

const LISTENER_FAMILIES: &[Family<ListenerStats>] = &[
    Family {
        name: "envoy_listener_downstream_cx_total",
        help: "Connections accepted",
        kind: Kind::Counter,
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
        kind: Kind::Counter,
        cell: |listener| &listener.downstream_cx_overflow,
    },
    Family {
        name: "sidecar_proxy_accept_errors_total",
        help: "Times that accepting failed",
        kind: Kind::Counter,
        cell: |listener| &listener.accept_errors,
    },
];

const CLUSTER_FAMILIES: &[Family<ClusterStats>] = &[
    Family {
        name: "envoy_cluster_upstream_cx_total",
        help: "Connections dialled",
        kind: Kind::Counter,
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
        kind: Kind::Counter,
        cell: |cluster| &cluster.upstream_cx_connect_fail,
    },
    Family {
        name: "envoy_cluster_upstream_cx_connect_timeout",
        help: "Connections that were not established in time",
        kind: Kind::Counter,
        cell: |cluster| &cluster.upstream_cx_connect_timeout,
    },
    Family {
        name: "envoy_cluster_upstream_cx_none_healthy",
        help: "Connections refused without dialling",
        kind: Kind::Counter,
        cell: |cluster| &cluster.upstream_cx_none_healthy,
    },
    Family {
        name: "envoy_cluster_upstream_cx_rx_bytes_total",
        help: "Bytes received from upstream",
        kind: Kind::Counter,
        cell: |cluster| &cluster.upstream_cx_rx_bytes,
    },
    Family {
        name: "envoy_cluster_upstream_cx_tx_bytes_total",
        help: "Bytes sent to upstream",
        kind: Kind::Counter,
        cell: |cluster| &cluster.upstream_cx_tx_bytes,
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::Format;

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

        workers[1].refused(Refusal::OwnPort).add(7);
        let listeners = vec![listener_label("[::]:15006".parse().unwrap())];
        let mut exposition = Exposition::new(Format::Text);
        Stats { listeners, workers: workers.clone() }.expose(&mut exposition);
        let text = exposition.finish();
        drop(open);

        for line in [
            r#"envoy_listener_downstream_cx_total{envoy_listener_address="[__]_15006"} 4"#,
            r#"envoy_listener_downstream_cx_active{envoy_listener_address="[__]_15006"} 1"#,
            r#"envoy_cluster_upstream_cx_total{envoy_cluster_name="InboundPassthroughCluster"} 6"#,
            r#"envoy_cluster_upstream_cx_total{envoy_cluster_name="PassthroughCluster"} 0"#,
            r#"envoy_cluster_upstream_cx_connect_fail{envoy_cluster_name="InboundPassthroughCluster"} 2"#,
            r#"envoy_cluster_upstream_cx_rx_bytes_total{envoy_cluster_name="InboundPassthroughCluster"} 20"#,
            r#"sidecar_proxy_connections_refused_total{reason="destination_is_own_port"} 7"#,
            r#"sidecar_proxy_connections_refused_total{reason="no_original_destination"} 0"#,
        ] {
            assert!(text.lines().any(|have| have == line), "no `{line}` in\n{text}");
        }
    }
}
