//! A pod, and a machine that it is linked to, with listeners in both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sidecar_contract::{address, port};
use sidecar_test_support::namespace::{End, Namespace, link};

use super::endpoint::{Listener, Owner, Role};
use super::{APP, PROXY, ROOT};
use crate::backend::Backend;
use crate::pod::Pod;

/// Addresses of one family.
pub(super) struct Addresses {
    pub(super) pod: IpAddr,
    pub(super) peer: IpAddr,
    /// Reached by way of the peer.
    pub(super) outside: IpAddr,
    pub(super) loopback: IpAddr,
    any: IpAddr,
    /// From where the proxy dials the application.
    pub(super) marker: IpAddr,
    prefix_length: u8,
}

pub(super) const FAMILIES: [Addresses; 2] = [
    Addresses {
        pod: IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2)),
        peer: IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1)),
        outside: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        loopback: IpAddr::V4(Ipv4Addr::LOCALHOST),
        any: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        marker: IpAddr::V4(address::INBOUND_SOURCE_V4),
        prefix_length: 24,
    },
    Addresses {
        pod: IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2)),
        peer: IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1)),
        outside: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 9)),
        loopback: IpAddr::V6(Ipv6Addr::LOCALHOST),
        any: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        marker: IpAddr::V6(address::INBOUND_SOURCE_V6),
        prefix_length: 64,
    },
];

/// Ports of the application, and of what the proxy serves itself.
const POD_PORTS: [u16; 7] = [80, 8080, port::PROMETHEUS, port::HEALTH, port::STATUS, port::TUNNEL, 9000];
const PEER_PORTS: [u16; 4] = [80, 5432, port::TUNNEL, 9000];

pub(super) struct Scene {
    pub(super) pod: Pod,
    pub(super) peer: Namespace,
    stop: Arc<AtomicBool>,
}

impl Scene {
    /// A pod without rules. In it listen an application on several ports, and a proxy under `proxy`; outside a server.
    pub(super) fn new(backend: Backend, proxy: Owner, inbound: Role) -> Self {
        let pod = Pod::with(backend);
        let peer = Namespace::create("peer").unwrap();
        let ends = |side: fn(&Addresses) -> IpAddr| FAMILIES.each_ref().map(|a| (side(a), a.prefix_length));
        let (near, far) = (ends(|a| a.pod), ends(|a| a.peer));
        link(
            End { namespace: pod.namespace(), interface: "eth0", addresses: &near },
            End { namespace: &peer, interface: "eth0", addresses: &far },
        )
        .unwrap();
        let scene = Self { pod, peer, stop: Arc::default() };
        for a in &FAMILIES {
            scene.pod.namespace().route_everything_via(a.peer).unwrap();
            scene.peer.add_address(a.outside).unwrap();
            scene.in_pod("outbound", proxy, (a.loopback, port::OUTBOUND), Role::Answers);
            scene.in_pod("inbound", proxy, (a.any, port::INBOUND), inbound);
            POD_PORTS.iter().for_each(|port| scene.in_pod("app", APP, (a.any, *port), Role::Answers));
            PEER_PORTS.iter().for_each(|port| scene.outside("peer", (a.any, *port), Role::Answers));
        }
        scene
    }

    /// A pod with a proxy that is redirected to.
    pub(super) fn with_redirect(backend: Backend) -> Self {
        Self::new(backend, PROXY, Role::Answers)
    }

    pub(super) fn in_pod(&self, name: &'static str, owner: Owner, at: (IpAddr, u16), role: Role) {
        Listener { name, owner, at: at.into(), role }.start(self.pod.namespace(), &self.stop);
    }

    pub(super) fn outside(&self, name: &'static str, at: (IpAddr, u16), role: Role) {
        Listener { name, owner: ROOT, at: at.into(), role }.start(&self.peer, &self.stop);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
