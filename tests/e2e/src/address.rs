//! Who is where in the small network of a test: one pod, one peer, nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An IP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Both, in the order in which tests go through them.
pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Prefix lengths of the network between the two, by family.
pub(crate) const PREFIX_LENGTHS: [u8; 2] = [24, 64];

impl Family {
    /// The pod's address.
    pub const fn pod(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::new(10, 44, 0, 2)),
            Self::V6 => IpAddr::V6(Ipv6Addr::new(0xfd44, 0, 0, 0, 0, 0, 0, 2)),
        }
    }

    /// The peer's address, which is also the pod's gateway to everything else.
    pub const fn peer(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::new(10, 44, 0, 1)),
            Self::V6 => IpAddr::V6(Ipv6Addr::new(0xfd44, 0, 0, 0, 0, 0, 0, 1)),
        }
    }

    /// The address from which an application behind a sidecar sees every request come.
    pub const fn inbound_source(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::new(127, 0, 0, 6)),
            Self::V6 => IpAddr::V6(Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 6)),
        }
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// The URL of `path` (with its `/`) at an address.
pub fn url(address: IpAddr, port: u16, path: &str) -> String {
    format!("http://{}{path}", SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_brackets_around_ipv6() {
        assert_eq!(url(Family::V4.pod(), 80, "/a"), "http://10.44.0.2:80/a");
        assert_eq!(url(Family::V6.pod(), 80, "/a"), "http://[fd44::2]:80/a");
    }
}
