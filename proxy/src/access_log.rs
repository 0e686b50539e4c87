//! One line a connection, written when it ends, in the words of Envoy's access log.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use crate::outcome::Outcome;
use crate::route::{Cluster, Direction};

/// What is known of a connection so far. Dropped, it writes the line: no way of ending goes unlogged.
#[derive(Debug)]
pub(crate) struct Record {
    direction: Direction,
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
    /// [`Outcome::Cut`] until told otherwise: only a connection that is cut off does not get to tell.
    pub(crate) outcome: Outcome,
}

impl Record {
    pub(crate) fn begin(direction: Direction, downstream_remote: SocketAddr, downstream_local: SocketAddr) -> Self {
        Self {
            direction,
            begun: Instant::now(),
            downstream_remote,
            downstream_local,
            cluster: Cluster::BlackHole,
            upstream_host: None,
            upstream_local: None,
            received: 0,
            sent: 0,
            outcome: Outcome::Cut,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        tracing::info!(
            target: "access",
            direction = self.direction.as_str(),
            downstream_remote_address = %self.downstream_remote,
            downstream_local_address = %self.downstream_local,
            upstream_host = %OrDash(self.upstream_host),
            upstream_cluster = self.cluster.name(),
            upstream_local_address = %OrDash(self.upstream_local),
            bytes_received = self.received,
            bytes_sent = self.sent,
            duration = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            response_flags = self.outcome.response_flags(),
            response_code_details = self.outcome.details(),
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
