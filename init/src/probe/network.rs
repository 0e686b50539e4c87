//! Which addresses this network namespace has, and how the kernel would send to others.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;

use crate::rule::Family;
use crate::validation::Reach;

/// Any: nothing is sent to it.
const PORT: u16 = 9;

/// An interface's name, and an address of it.
pub(super) type Address = (String, IpAddr);

/// All addresses of all interfaces.
pub(super) fn addresses() -> io::Result<Vec<Address>> {
    let address = |storage: SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    let all = getifaddrs()?;
    Ok(all.filter_map(|entry| Some((entry.interface_name, address(entry.address?)?))).collect())
}

/// Those of a family that other machines can have a use for.
pub(super) fn of_family(addresses: &[Address], family: Family) -> Vec<IpAddr> {
    let is_usable = |address: &IpAddr| match address {
        IpAddr::V4(address) => family == Family::V4 && !address.is_loopback(),
        IpAddr::V6(address) => family == Family::V6 && !address.is_loopback() && !address.is_unicast_link_local(),
    };
    let not_on_loopback = addresses.iter().filter(|(interface, _)| interface != "lo");
    not_on_loopback.map(|(_, address)| *address).filter(is_usable).collect()
}

/// How the kernel would send to an address. It tells by the address that it chooses for a socket; nothing is sent.
pub(super) fn reach(addresses: &[Address], destination: IpAddr) -> Reach {
    let is_own = destination.is_loopback() || addresses.iter().any(|(_, address)| *address == destination);
    if is_own {
        return Reach::Through(Some("lo".to_owned()));
    }
    let any = match destination {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let chosen = || {
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.connect(SocketAddr::new(destination, PORT))?;
        socket.local_addr()
    };
    match chosen() {
        Ok(source) => Reach::Through(interface_with(addresses, source.ip())),
        Err(_) => Reach::Nowhere,
    }
}

fn interface_with(addresses: &[Address], wanted: IpAddr) -> Option<String> {
    let mut names = addresses.iter().filter(|(_, address)| *address == wanted).map(|(name, _)| name);
    let name = names.next()?;
    // An address that several interfaces have says nothing about which of them it will be.
    names.next().is_none().then(|| name.clone())
}
