//! Source addresses that mark a connection as the proxy's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Source address from which the proxy dials the application over IPv4.
///
/// The redirection rules leave `-s 127.0.0.6/32 -o lo` alone, which is what keeps an inbound connection from
/// being caught a second time. The whole of 127.0.0.0/8 is local on Linux: nothing has to be configured.
pub const INBOUND_SOURCE_V4: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

/// Source address from which the proxy dials the application over IPv6.
///
/// Unlike its IPv4 twin it is not local by itself: the init container adds `::6/128` to `lo`.
pub const INBOUND_SOURCE_V6: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 6);

/// The inbound source address of the family of `peer`.
pub const fn inbound_source(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => IpAddr::V4(INBOUND_SOURCE_V4),
        IpAddr::V6(_) => IpAddr::V6(INBOUND_SOURCE_V6),
    }
}
