//! Puts the IPv6 address from which the proxy dials the application on the loopback interface.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage, AddressScope};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use crate::diagnosis;
use crate::rule::Family;

/// The kernel gives `lo` this index in every network namespace (`LOOPBACK_IFINDEX`).
const LOOPBACK_INDEX: u32 = 1;
/// An acknowledgement is a few dozen bytes and repeats our request.
const MAX_ANSWER: usize = 4096;

/// The address could not be added.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot add {address}/128 to the loopback interface; the container needs the capability NET_ADMIN, and lo needs IPv6{}",
    diagnosis::way_out(Family::V6)
)]
pub struct Error {
    address: Ipv6Addr,
    #[source]
    source: io::Error,
}

/// Adds `address` with prefix length 128 to `lo` of this network namespace. That it is there already is fine.
///
/// # Errors
/// When the kernel refuses, as it does without NET_ADMIN or where IPv6 is switched off for `lo`.
pub fn add_address(address: Ipv6Addr) -> Result<(), Error> {
    match request(new_address(address)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|source| Error { address, source }),
    }
}

fn new_address(address: Ipv6Addr) -> RouteNetlinkMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = 128;
    message.header.scope = AddressScope::Universe;
    message.header.index = LOOPBACK_INDEX;
    message.attributes = vec![AddressAttribute::Address(IpAddr::V6(address))];
    RouteNetlinkMessage::NewAddress(message)
}

fn request(message: RouteNetlinkMessage) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);

    let socket = Socket::new(NETLINK_ROUTE)?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // The kernel has answered when `send` returns, so that there is nothing to wait for, nor to wait for in vain.
    socket.set_non_blocking(true)?;
    socket.send(&bytes, 0)?;
    let mut answer = Vec::with_capacity(MAX_ANSWER);
    socket.recv(&mut answer, 0)?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
    match answer.payload {
        NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
        NetlinkPayload::Error(error) => Err(error.to_io()),
        _ => Err(io::Error::other("the kernel answered something other than an acknowledgement")),
    }
}
