//! Dials the destination of a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use nix::libc::EINPROGRESS;
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpStream;

use crate::own_dials::OwnDial;
use crate::reset_ports::ResetPorts;
use crate::route::Forward;
use crate::shared::Shared;
use crate::socket::configure;

/// Sockets tried for a port from which nobody was reset. The kernel offers unlike ports to a bind and to a connect
/// (odd and even), so the first is nearly always good.
const PORTS_TRIED: usize = 8;

/// Dials; gives up after [`Shared::connect_timeout`] with [`io::ErrorKind::TimedOut`].
///
/// An outbound dial is remembered as one of the proxy's own. From the marker address it need not be: such a connection
/// is not redirected, and cannot come back.
pub(crate) async fn dial<'a>(forward: &Forward, worker: &'a Shared) -> io::Result<(TcpStream, Option<OwnDial<'a>>)> {
    let Forward { destination, source, .. } = *forward;
    let socket = match source {
        Some(source) => bound_at_connect(destination, source)?,
        None if worker.reset_ports.any(destination, Instant::now()) => away_from(&worker.reset_ports, destination)?,
        None => unbound(destination)?,
    };
    configure(&SockRef::from(&socket), worker.liveness)?;
    let own = match source {
        Some(_) => start_connecting(&socket, destination).map(|()| None)?,
        None => worker.own_dials.remember(|| start_connecting(&socket, destination), &socket, destination).map(Some)?,
    };
    let stream = TcpStream::from_std(socket.into())?;
    match tokio::time::timeout(worker.connect_timeout, stream.writable()).await {
        Ok(connected) => connected?,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    }
    match stream.take_error()? {
        None => Ok((stream, own)),
        Some(error) => Err(error),
    }
}

fn start_connecting(socket: &Socket, destination: SocketAddr) -> io::Result<()> {
    match socket.connect(&destination.into()) {
        Err(error) if error.raw_os_error() != Some(EINPROGRESS) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn unbound(destination: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(destination), Type::STREAM.nonblocking(), Some(Protocol::TCP))
}

/// The port is chosen at connect, when the destination is known: chosen at bind it would be taken for all
/// destinations, and the pod could have no more than one ephemeral range of inbound connections.
fn bound_at_connect(destination: SocketAddr, source: IpAddr) -> io::Result<Socket> {
    let socket = unbound(destination)?;
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    Ok(socket)
}

/// The port is chosen at bind, before anything is sent from it, so that it can be looked at. Where there is none to be
/// had, any port must do: the dial may then come back, as [`ResetPorts`] tells, and is refused.
fn away_from(reset_ports: &ResetPorts, destination: SocketAddr) -> io::Result<Socket> {
    let source = if destination.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    for _ in 0..PORTS_TRIED {
        let socket = unbound(destination)?;
        if socket.bind(&SocketAddr::new(source, 0).into()).is_err() {
            break;
        }
        let port = socket.local_addr()?.as_socket().map(|address| address.port());
        if port.is_some_and(|port| !reset_ports.contains(destination, port)) {
            return Ok(socket);
        }
    }
    unbound(destination)
}
