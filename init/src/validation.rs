//! A trial of the rules with real connections: what to try, what has to come of it, and what it means when it does not.
//!
//! ```text
//! rules ─► walk ─► attempts ─► probe (sockets, other users) ─► observations ─► verdict
//! ```
//!
//! What the wanted rules make of a connection is worked out from the rules themselves, so that only what they ask for is
//! expected, and a failure names those that should have done it. Connections are only made from within: what the rules
//! do with those that arrive from other machines (PREROUTING) is seen as far as the proxy's connections to its own pod
//! take the same way. For the rest, the rules that are there are compared with those that are wanted ([`differences`]).

mod difference;
mod plan;
mod verdict;
mod walk;
mod wire;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

pub use self::difference::{Difference, differences};
pub use self::plan::{Plan, Reach, Scene, plan};
pub use self::verdict::{Failure, Verdict, judge};
pub use self::wire::{Unreadable, read_observation, read_probe};
use crate::rule::{Family, Protocol};

/// Under which user and group a connection is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The proxy calls its own pod: what takes the inbound half.
    Inbound,
    /// Somebody calls another machine.
    Outbound,
    /// Somebody asks a DNS server.
    Dns,
}

/// One connection, or datagram, to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Over what.
    pub protocol: Protocol,
    /// The address it is sent from, where the kernel's choice would be a wrong one.
    pub source: Option<IpAddr>,
    /// Where it is sent.
    pub destination: SocketAddr,
    /// After this time without an answer none is expected any more.
    pub patience: Duration,
}

/// What has to become of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It arrives at this port, by a rule that changes its destination.
    RedirectedTo(u16),
    /// It arrives at this port, its destination unchanged, which only a transparent socket sees.
    HandedTo(u16),
    /// It arrives at none of the proxy's ports.
    LeftAlone,
}

/// A probe, who sends it, and what has to become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address family.
    pub family: Family,
    /// What it stands for.
    pub direction: Direction,
    /// Who sends it.
    pub identity: Identity,
    /// Whether that is the proxy.
    pub is_proxy: bool,
    /// What is sent.
    pub probe: Probe,
    /// What has to become of it.
    pub expected: Expected,
    /// The rules that bring that about, each as a line.
    pub rules: Vec<String>,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// It arrived at one of our listeners.
    Arrived {
        /// The listener's port.
        port: u16,
        /// The original destination, as far as the listener could tell.
        original: Option<SocketAddr>,
    },
    /// Somebody else took the connection.
    Elsewhere,
    /// There was no answer within its patience.
    Silence,
    /// It came to nothing, for this reason.
    Failed(String),
    /// It could not be sent at all, for this reason.
    NotSent(String),
    /// That is not known, for this reason.
    Lost(String),
}

/// The address of a family that is this very network namespace.
pub(crate) fn loopback(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::LOCALHOST.into(),
        Family::V6 => Ipv6Addr::LOCALHOST.into(),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {}, group {}", self.uid, self.gid)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
            Self::Dns => "DNS",
        })
    }
}

#[cfg(test)]
mod tests;
