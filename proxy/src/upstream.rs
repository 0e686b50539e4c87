//! Dials the destination of a connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::route::Forward;
use crate::socket::{Liveness, configure};

/// Dials; gives up after `connect_timeout` with [`io::ErrorKind::TimedOut`].
pub(crate) async fn dial(forward: &Forward, connect_timeout: Duration, liveness: Liveness) -> io::Result<TcpStream> {
    let socket = match forward.destination {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    configure(&SockRef::from(&socket), liveness)?;
    if let Some(source) = forward.source {
        bind_source(&socket, source)?;
    }
    match tokio::time::timeout(connect_timeout, socket.connect(forward.destination)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The port is chosen at connect, when the destination is known: chosen at bind it would be taken for all
/// destinations, and the pod could have no more than one ephemeral range of inbound connections.
fn bind_source(socket: &TcpSocket, source: IpAddr) -> io::Result<()> {
    setsockopt(socket, sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(SocketAddr::new(source, 0))
}
