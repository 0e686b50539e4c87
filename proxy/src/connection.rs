//! The life of one connection: where was it going, dial, relay, log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use sidecar_contract::identity::PROXY_UID;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::access_log::Record;
use crate::outcome::{Outcome, Side};
use crate::relay::{Meter, relay};
use crate::route::{Accepted, Decision, Direction, Forward, Refusal, canonical, decide};
use crate::shared::Shared;
use crate::socket::Connection;
use crate::stats::ClusterStats;
use crate::upstream;

/// Serves a connection from accept to end, or refuses it without a permit. The future is what an open connection costs: keep it small.
pub(crate) async fn serve(
    worker: Arc<Shared>,
    listener: usize,
    downstream: TcpStream,
    remote: SocketAddr,
    permit: Option<OwnedSemaphorePermit>,
) {
    // An open socket knows its own address; were it not so, there would be nothing to decide upon.
    let Ok(local) = downstream.local_addr() else { return };
    let direction = worker.directions[listener];
    let original_destination = worker.original_destination.of(&downstream).unwrap_or_else(|error| {
        tracing::warn!(%error, %remote, %local, "the original destination of a connection is not to be had");
        None
    });
    let downstream_local = canonical(original_destination.unwrap_or(local));
    let mut record = worker.access_log.begin(direction, canonical(remote), downstream_local);
    // Counted after the record is made, so that it is counted down before the record is written: who reads the log
    // finds the metrics up to date.
    let cells = worker.stats.listener(listener);
    if permit.is_none() {
        cells.downstream_cx_overflow.add(1);
        record.outcome = Outcome::Overflow;
        drop(Connection::redirected(downstream, &downstream_local, &worker.reset_ports));
        return;
    }
    cells.downstream_cx_total.add(1);
    let _open = cells.downstream_cx_active.count();
    let own_ports = &worker.own_ports;
    let own_dial = direction == Direction::Outbound && worker.own_dials.contains(remote, downstream_local);
    match decide(&Accepted { direction, local, remote, original_destination, own_ports, own_dial }) {
        Decision::Forward(forward) => self::forward(&worker, &forward, downstream, &mut record).await,
        Decision::Refuse(refusal) => {
            if refusal == Refusal::OwnDial {
                // Reset, so that the client is reset too and does not take it for an empty answer.
                drop(Connection::new(downstream));
                complain_of_own_dial(&worker, downstream_local);
            }
            worker.stats.cluster(record.cluster).upstream_cx_none_healthy.add(1);
            worker.stats.refused(refusal).add(1);
            record.outcome = Outcome::Refused(refusal);
        }
    }
}

fn complain_of_own_dial(worker: &Shared, destination: SocketAddr) {
    if !worker.own_dial_refused.is_due(Instant::now()) {
        return;
    }
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    tracing::error!(
        uid,
        gid,
        %destination,
        "caught what this proxy itself dialled; it must run as the user or group that the redirection rules let pass, \
         {PROXY_UID} by default"
    );
}

async fn forward(worker: &Shared, forward: &Forward, downstream: TcpStream, record: &mut Record<'_>) {
    let mut downstream = match forward.source {
        Some(_) => Connection::new(downstream),
        None => Connection::redirected(downstream, &forward.destination, &worker.reset_ports),
    };
    let cluster = worker.stats.cluster(forward.cluster);
    record.cluster = forward.cluster;
    record.upstream_host = Some(forward.destination);
    cluster.upstream_cx_total.add(1);
    let _open = cluster.upstream_cx_active.count();

    let (mut upstream, _own) = match upstream::dial(forward, worker).await {
        Ok((upstream, own)) => (Connection::new(upstream), own),
        Err(error) => {
            cluster.upstream_cx_connect_fail.add(1);
            if error.kind() == std::io::ErrorKind::TimedOut {
                cluster.upstream_cx_connect_timeout.add(1);
            }
            tracing::debug!(%error, upstream_host = %forward.destination, "connect failed");
            record.outcome = Outcome::ConnectFailed(record.direction, error.kind());
            return;
        }
    };
    record.upstream_local = upstream.local_addr().ok();
    let mut tally = Tally { record, cluster };
    let outcome = relay(&mut downstream, &mut upstream, &mut tally, worker.half_close_timeout).await;
    record.outcome = outcome;
    if outcome == Outcome::Closed {
        downstream.close();
        upstream.close();
    }
}

/// Counts for the access log and for the metrics.
struct Tally<'a, 'r> {
    record: &'a mut Record<'r>,
    cluster: &'a ClusterStats,
}

impl Meter for Tally<'_, '_> {
    fn read(&mut self, from: Side, bytes: usize) {
        match from {
            Side::Downstream => self.record.received += bytes as u64,
            Side::Upstream => self.cluster.upstream_cx_rx_bytes.add(bytes as u64),
        }
    }

    fn written(&mut self, to: Side, bytes: usize) {
        match to {
            Side::Downstream => self.record.sent += bytes as u64,
            Side::Upstream => self.cluster.upstream_cx_tx_bytes.add(bytes as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_future_of_a_connection_is_small() {
        fn size<A, B, C, D, E, F>(_: fn(A, B, C, D, E) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(serve);
        // With some room: features that other crates of a build turn on in our libraries add a few bytes.
        assert!(size <= 1280, "{size} bytes");
    }
}
