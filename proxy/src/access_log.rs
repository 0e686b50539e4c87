//! One line a connection, written when it ends, in the words of Envoy's access log.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use sidecar_process::log::ACCESS;

use crate::outcome::Outcome;
use crate::route::{Cluster, Direction};

/// The access log of a worker.
#[derive(Debug)]
pub(crate) struct AccessLog {
    /// Whether lines are written.
    enabled: bool,
    /// Whether connections are being cut off.
    cutting: AtomicBool,
}

/// What is known of a connection so far. Dropped, it writes the line: no way of ending goes unlogged.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    log: &'a AccessLog,
    pub(crate) direction: Direction,
    begun: Instant,
    downstream_remote: SocketAddr,
    /// Where the client believes it is connected to: the original destination.
    downstream_local: SocketAddr,
    pub(crate) cluster: Cluster,
    pub(crate) upstream_host: Option<SocketAddr>,
    pub(crate) upstream_local: Option<SocketAddr>,
    /// Bytes that came from downstream.
    pub(crate) received: u64,
    /// Bytes handed to downstream.
    pub(crate) sent: u64,
    /// [`Outcome::Aborted`] until told otherwise: a connection that is cut off or panics does not get to tell.
    pub(crate) outcome: Outcome,
}

impl AccessLog {
    pub(crate) const fn new(enabled: bool) -> Self {
        Self { enabled, cutting: AtomicBool::new(false) }
    }

    /// From now on a connection that does not get to tell how it ended was cut off.
    pub(crate) fn connections_are_cut(&self) {
        self.cutting.store(true, Ordering::Relaxed);
    }

    pub(crate) fn begin(
        &self,
        direction: Direction,
        downstream_remote: SocketAddr,
        downstream_local: SocketAddr,
    ) -> Record<'_> {
        Record {
            log: self,
            direction,
            begun: Instant::now(),
            downstream_remote,
            downstream_local,
            cluster: Cluster::BlackHole,
            upstream_host: None,
            upstream_local: None,
            received: 0,
            sent: 0,
            outcome: Outcome::Aborted,
        }
    }
}

impl Record<'_> {
    fn last_outcome(&self) -> Outcome {
        match self.outcome {
            Outcome::Aborted if self.log.cutting.load(Ordering::Relaxed) => Outcome::Cut,
            outcome => outcome,
        }
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        if !self.log.enabled {
            return;
        }
        let outcome = self.last_outcome();
        tracing::info!(
            target: ACCESS,
            direction = self.direction.as_str(),
            downstream_remote_address = %self.downstream_remote,
            downstream_local_address = %self.downstream_local,
            upstream_host = %OrDash(self.upstream_host),
            upstream_cluster = self.cluster.name(),
            upstream_local_address = %OrDash(self.upstream_local),
            bytes_received = self.received,
            bytes_sent = self.sent,
            duration = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            response_flags = outcome.response_flags(),
            response_code_details = outcome.details(),
        );
    }
}

struct OrDash(Option<SocketAddr>);

impl fmt::Display for OrDash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_get_to_tell_was_cut_only_if_connections_are_being_cut() {
        let address = SocketAddr::from(([10, 0, 0, 9], 80));
        let log = AccessLog::new(false);
        let mut record = log.begin(Direction::Inbound, address, address);
        assert_eq!(record.last_outcome(), Outcome::Aborted);
        log.connections_are_cut();
        assert_eq!(record.last_outcome(), Outcome::Cut);
        record.outcome = Outcome::Closed;
        assert_eq!(record.last_outcome(), Outcome::Closed);
    }
}
