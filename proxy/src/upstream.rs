//! Dials the destination of a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::reset_ports::ResetPorts;
use crate::route::Forward;
use crate::socket::{Liveness, configure};

/// Sockets tried for a port from which nobody was reset. The kernel offers unlike ports to a bind and to a connect
/// (odd and even), so the first is nearly always good.
const PORTS_TRIED: usize = 8;

/// Dials; gives up after `connect_timeout` with [`io::ErrorKind::TimedOut`].
pub(crate) async fn dial(
    forward: &Forward,
    connect_timeout: Duration,
    liveness: Liveness,
    reset_ports: &ResetPorts,
) -> io::Result<TcpStream> {
    let socket = socket_for(forward, reset_ports)?;
    configure(&SockRef::from(&socket), liveness)?;
    match tokio::time::timeout(connect_timeout, socket.connect(forward.destination)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

fn socket_for(forward: &Forward, reset_ports: &ResetPorts) -> io::Result<TcpSocket> {
    let destination = forward.destination;
    match forward.source {
        Some(source) => bound_at_connect(destination, source),
        // Connections from the marker address are not redirected; only this one can be caught again.
        None if reset_ports.any(destination, Instant::now()) => away_from(reset_ports, destination),
        None => unbound(destination),
    }
}

fn unbound(destination: SocketAddr) -> io::Result<TcpSocket> {
    if destination.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}

/// The port is chosen at connect, when the destination is known: chosen at bind it would be taken for all
/// destinations, and the pod could have no more than one ephemeral range of inbound connections.
fn bound_at_connect(destination: SocketAddr, source: IpAddr) -> io::Result<TcpSocket> {
    let socket = unbound(destination)?;
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(SocketAddr::new(source, 0))?;
    Ok(socket)
}

/// The port is chosen at bind, before anything is sent from it, so that it can be looked at. Where there is none to be
/// had, any port must do: the dial may then come back, as [`ResetPorts`] tells, and is refused.
fn away_from(reset_ports: &ResetPorts, destination: SocketAddr) -> io::Result<TcpSocket> {
    let source = if destination.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    for _ in 0..PORTS_TRIED {
        let socket = unbound(destination)?;
        if socket.bind(SocketAddr::new(source, 0)).is_err() {
            break;
        }
        if !reset_ports.contains(destination, socket.local_addr()?.port()) {
            return Ok(socket);
        }
    }
    unbound(destination)
}
