//! Where an accepted connection goes: one decision over plain values.

use std::net::{IpAddr, SocketAddr};

use sidecar_contract::address;

/// Which way a connection crosses the edge of the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From another pod to the application.
    Inbound,
    /// From the application to somewhere else.
    Outbound,
}

/// Where a connection is forwarded to, by the names Istio gives these clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// The original destination of an outbound connection.
    Passthrough,
    /// The original destination of an inbound connection: the application.
    InboundPassthrough,
    /// Nowhere.
    BlackHole,
}

/// What is known of a connection once it is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'a> {
    /// Which listener took it.
    pub direction: Direction,
    /// Our end of the accepted socket.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Where the client was going before it was redirected here; `None` when nothing redirected it.
    pub original_destination: Option<SocketAddr>,
    /// Ports on which this proxy takes redirected connections.
    pub own_ports: &'a [u16],
    /// Whether this proxy itself dialled it.
    pub own_dial: bool,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is forwarded.
    Forward(Forward),
    /// It is closed: the black hole.
    Refuse(Refusal),
}

/// Whom to dial, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// For logs and metrics.
    pub cluster: Cluster,
    /// The address to dial.
    pub destination: SocketAddr,
    /// The address to dial from; `None` leaves the choice to the kernel.
    pub source: Option<IpAddr>,
}

/// Why a connection is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody dialled the listener itself: forwarding would dial it again, without end.
    DialledDirectly,
    /// It was going to a port of this proxy in this very pod: the same loop, one address further.
    OwnPort,
    /// This proxy dialled it itself: the redirection rules do not let its user pass.
    OwnDial,
    /// The kernel knows no original destination: nothing redirected the connection.
    NotRedirected,
}

impl Refusal {
    /// Every reason, in the order of [`Refusal::index`].
    pub const ALL: [Self; 4] = [Self::DialledDirectly, Self::OwnPort, Self::OwnDial, Self::NotRedirected];

    /// The reason's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DialledDirectly => "listener_dialled_directly",
            Self::OwnPort => "destination_is_own_port",
            Self::OwnDial => "dialled_by_this_proxy",
            Self::NotRedirected => "no_original_destination",
        }
    }

    /// Position in [`Refusal::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl Direction {
    /// `inbound` or `outbound`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl Cluster {
    /// Every cluster, in the order of [`Cluster::index`].
    pub const ALL: [Self; 3] = [Self::Passthrough, Self::InboundPassthrough, Self::BlackHole];

    /// The cluster's name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passthrough => "PassthroughCluster",
            Self::InboundPassthrough => "InboundPassthroughCluster",
            Self::BlackHole => "BlackHoleCluster",
        }
    }

    /// Position in [`Cluster::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Decides where a connection goes.
///
/// Addresses may be IPv4-mapped; what comes back is canonical.
pub fn decide(accepted: &Accepted<'_>) -> Decision {
    let Some(destination) = accepted.original_destination.map(canonical) else {
        return Decision::Refuse(Refusal::NotRedirected);
    };
    if accepted.own_dial {
        return Decision::Refuse(Refusal::OwnDial);
    }
    if destination == canonical(accepted.local) {
        return Decision::Refuse(Refusal::DialledDirectly);
    }
    if accepted.own_ports.contains(&destination.port()) && in_this_pod(destination.ip(), accepted) {
        return Decision::Refuse(Refusal::OwnPort);
    }
    Decision::Forward(match accepted.direction {
        Direction::Outbound => Forward { cluster: Cluster::Passthrough, destination, source: None },
        Direction::Inbound => Forward {
            cluster: Cluster::InboundPassthrough,
            destination,
            source: Some(address::inbound_source(destination.ip())),
        },
    })
}

/// The address in its own family: `::ffff:10.0.0.1` is 10.0.0.1.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => match v6.ip().to_ipv4_mapped() {
            Some(v4) => SocketAddr::from((v4, v6.port())),
            // Kept whole: the scope of a link-local address is part of where it leads.
            None => address,
        },
        SocketAddr::V4(_) => address,
    }
}

/// Whether `ip` is an address of the pod the proxy runs in, as far as the connection itself tells.
///
/// Inbound, the destination is local by definition: the kernel delivered the connection here. Outbound, the client is
/// a process of this pod, so its own address is one of the pod's. A pod address that the client did not use slips
/// through here, and is stopped when the connection comes back inbound.
fn in_this_pod(ip: IpAddr, accepted: &Accepted<'_>) -> bool {
    accepted.direction == Direction::Inbound
        || ip.is_loopback()
        || ip.is_unspecified()
        || ip == canonical(accepted.local).ip()
        || ip == canonical(accepted.remote).ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN_PORTS: &[u16] = &[15001, 15006];

    fn inbound(local: &str, original_destination: Option<&str>) -> Decision {
        decide_for(Direction::Inbound, local, "10.0.0.9:40000", original_destination)
    }

    fn outbound(remote: &str, original_destination: Option<&str>) -> Decision {
        decide_for(Direction::Outbound, "127.0.0.1:15001", remote, original_destination)
    }

    fn decide_for(direction: Direction, local: &str, remote: &str, original_destination: Option<&str>) -> Decision {
        decide(&Accepted {
            direction,
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            original_destination: original_destination.map(|address| address.parse().unwrap()),
            own_ports: OWN_PORTS,
            own_dial: false,
        })
    }

    fn forward(cluster: Cluster, destination: &str, source: Option<&str>) -> Decision {
        Decision::Forward(Forward {
            cluster,
            destination: destination.parse().unwrap(),
            source: source.map(|ip| ip.parse().unwrap()),
        })
    }

    #[test]
    fn inbound_goes_to_the_application_from_the_address_the_rules_leave_alone() {
        for (local, destination, source) in [
            ("10.0.0.5:15006", "10.0.0.5:8080", "127.0.0.6"),
            ("[fd00::5]:15006", "[fd00::5]:8080", "::6"),
            ("10.0.0.5:15006", "10.0.0.5:15021", "127.0.0.6"),
        ] {
            let expected = forward(Cluster::InboundPassthrough, destination, Some(source));
            assert_eq!(inbound(local, Some(destination)), expected, "{destination}");
        }
    }

    #[test]
    fn outbound_goes_to_the_original_destination_from_the_default_address() {
        for destination in ["93.184.216.34:443", "[2001:db8::1]:80", "10.0.0.7:15001", "10.0.0.7:15006"] {
            let expected = forward(Cluster::Passthrough, destination, None);
            assert_eq!(outbound("10.0.0.5:50000", Some(destination)), expected, "{destination}");
        }
    }

    #[test]
    fn dialling_a_listener_directly_leads_nowhere() {
        let refused = Decision::Refuse(Refusal::DialledDirectly);
        assert_eq!(inbound("10.0.0.5:15006", Some("10.0.0.5:15006")), refused);
        assert_eq!(inbound("[::ffff:10.0.0.5]:15006", Some("10.0.0.5:15006")), refused);
        assert_eq!(outbound("127.0.0.1:50000", Some("127.0.0.1:15001")), refused);
    }

    #[test]
    fn a_port_of_the_proxy_in_this_pod_leads_nowhere() {
        let refused = Decision::Refuse(Refusal::OwnPort);
        assert_eq!(inbound("10.0.0.5:15006", Some("10.0.0.5:15001")), refused);
        assert_eq!(outbound("10.0.0.5:50000", Some("10.0.0.5:15006")), refused);
        assert_eq!(outbound("10.0.0.5:50000", Some("10.0.0.5:15001")), refused);
        assert_eq!(outbound("[::ffff:10.0.0.5]:50000", Some("10.0.0.5:15001")), refused);
        assert_eq!(outbound("10.0.0.5:50000", Some("127.0.0.1:15006")), refused);
        assert_eq!(outbound("10.0.0.5:50000", Some("0.0.0.0:15006")), refused);
    }

    #[test]
    fn a_connection_that_nothing_redirected_leads_nowhere() {
        let refused = Decision::Refuse(Refusal::NotRedirected);
        assert_eq!(inbound("10.0.0.5:15006", None), refused);
        assert_eq!(outbound("10.0.0.5:50000", None), refused);
    }

    #[test]
    fn what_the_proxy_dialled_itself_leads_nowhere() {
        let decision = decide(&Accepted {
            direction: Direction::Outbound,
            local: "127.0.0.1:15001".parse().unwrap(),
            remote: "10.0.0.5:50000".parse().unwrap(),
            original_destination: Some("93.184.216.34:443".parse().unwrap()),
            own_ports: OWN_PORTS,
            own_dial: true,
        });
        assert_eq!(decision, Decision::Refuse(Refusal::OwnDial));
    }

    #[test]
    fn mapped_addresses_are_dialled_in_their_own_family() {
        assert_eq!(
            inbound("[::ffff:10.0.0.5]:15006", Some("[::ffff:10.0.0.5]:8080")),
            forward(Cluster::InboundPassthrough, "10.0.0.5:8080", Some("127.0.0.6"))
        );
    }

    #[test]
    fn the_scope_of_a_link_local_destination_is_kept() {
        let scoped = "[fe80::1%3]:80".parse::<SocketAddr>().unwrap();
        assert_eq!(canonical(scoped), scoped);
    }

    #[test]
    fn clusters_and_refusals_are_found_at_their_index() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::ALL[refusal.index()], refusal);
        }
        for cluster in Cluster::ALL {
            assert_eq!(Cluster::ALL[cluster.index()], cluster);
        }
    }
}
