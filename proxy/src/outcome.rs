//! How a connection ended, in the words of Envoy's access log.

use std::io::ErrorKind;

use crate::route::{Direction, Refusal};

/// One of the two peers of a forwarded connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who dialled the proxy.
    Downstream,
    /// Whom the proxy dialled.
    Upstream,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both sides finished sending.
    Closed,
    /// As many connections were open as may be.
    Overflow,
    /// It was not forwarded.
    Refused(Refusal),
    /// The destination could not be reached.
    ConnectFailed(Direction, ErrorKind),
    /// One side reset the connection or stopped answering.
    Broken(Side, ErrorKind),
    /// The proxy ended it: the drain deadline had passed.
    Cut,
    /// It ended in a panic of the proxy.
    Aborted,
}

impl Outcome {
    /// Envoy's response flag (`%RESPONSE_FLAGS%`); `-` when nothing went wrong.
    pub const fn response_flags(self) -> &'static str {
        match self {
            Self::Closed => "-",
            Self::Overflow => "UO",
            Self::Refused(Refusal::DialledDirectly | Refusal::OwnPort | Refusal::OwnDial) => "UH",
            Self::Refused(Refusal::NotRedirected) => "NR",
            Self::ConnectFailed(..) => "UF",
            Self::Broken(Side::Downstream, _) => "DC",
            Self::Broken(Side::Upstream, _) => "UC",
            Self::Cut | Self::Aborted => "LR",
        }
    }

    /// One word for why, as in `%RESPONSE_CODE_DETAILS%`; `-` when nothing went wrong.
    pub const fn details(self) -> &'static str {
        match self {
            Self::Closed => "-",
            Self::Overflow => "too_many_connections",
            Self::Refused(refusal) => refusal.name(),
            Self::ConnectFailed(direction, kind) => connect_failure(direction, kind),
            Self::Broken(Side::Downstream, ErrorKind::TimedOut) => "downstream_stopped_answering",
            Self::Broken(Side::Downstream, _) => "downstream_reset",
            Self::Broken(Side::Upstream, ErrorKind::TimedOut) => "upstream_stopped_answering",
            Self::Broken(Side::Upstream, _) => "upstream_reset",
            Self::Cut => "drain_deadline",
            Self::Aborted => "aborted",
        }
    }
}

const fn connect_failure(direction: Direction, kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ConnectionRefused => "connection_refused",
        ErrorKind::ConnectionReset => "connection_reset",
        ErrorKind::TimedOut => "connect_timeout",
        ErrorKind::HostUnreachable => "host_unreachable",
        ErrorKind::NetworkUnreachable => "network_unreachable",
        ErrorKind::AddrNotAvailable => match direction {
            // Over IPv6, the init container has not put ::6 on `lo`.
            Direction::Inbound => "source_address_not_available",
            Direction::Outbound => "source_ports_exhausted",
        },
        ErrorKind::PermissionDenied => "connect_not_permitted",
        _ => "connect_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Inbound, Outbound};

    #[test]
    fn every_outcome_has_envoys_flag_and_a_word_for_why() {
        for (outcome, flags, details) in [
            (Outcome::Closed, "-", "-"),
            (Outcome::Overflow, "UO", "too_many_connections"),
            (Outcome::Refused(Refusal::DialledDirectly), "UH", "listener_dialled_directly"),
            (Outcome::Refused(Refusal::OwnPort), "UH", "destination_is_own_port"),
            (Outcome::Refused(Refusal::OwnDial), "UH", "dialled_by_this_proxy"),
            (Outcome::Refused(Refusal::NotRedirected), "NR", "no_original_destination"),
            (Outcome::ConnectFailed(Inbound, ErrorKind::ConnectionRefused), "UF", "connection_refused"),
            (Outcome::ConnectFailed(Outbound, ErrorKind::TimedOut), "UF", "connect_timeout"),
            (Outcome::ConnectFailed(Outbound, ErrorKind::Other), "UF", "connect_failed"),
            (Outcome::ConnectFailed(Inbound, ErrorKind::AddrNotAvailable), "UF", "source_address_not_available"),
            (Outcome::ConnectFailed(Outbound, ErrorKind::AddrNotAvailable), "UF", "source_ports_exhausted"),
            (Outcome::Broken(Side::Downstream, ErrorKind::ConnectionReset), "DC", "downstream_reset"),
            (Outcome::Broken(Side::Upstream, ErrorKind::BrokenPipe), "UC", "upstream_reset"),
            (Outcome::Broken(Side::Upstream, ErrorKind::TimedOut), "UC", "upstream_stopped_answering"),
            (Outcome::Cut, "LR", "drain_deadline"),
            (Outcome::Aborted, "LR", "aborted"),
        ] {
            assert_eq!((outcome.response_flags(), outcome.details()), (flags, details), "{outcome:?}");
        }
    }
}
