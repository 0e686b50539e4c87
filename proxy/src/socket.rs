//! Socket options, and how a connection is closed.

use std::io;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::reset_ports::ResetPorts;

/// Between probes of a peer that did not answer the first.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Dead peers are found by the kernel, with these.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    /// A connection silent for so long is probed; `None` turns probes off.
    pub keepalive: Option<Duration>,
    /// A peer that leaves sent data or probes unanswered for so long is given up; `None` leaves it to the kernel.
    pub user_timeout: Option<Duration>,
}

/// Sets the options of one connection, or of all that a listening socket accepts: on Linux they are inherited.
pub(crate) fn configure(socket: &SockRef<'_>, liveness: Liveness) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    if let Some(idle) = liveness.keepalive {
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(KEEPALIVE_INTERVAL))?;
    }
    if liveness.user_timeout.is_some() {
        socket.set_tcp_user_timeout(liveness.user_timeout)?;
    }
    Ok(())
}

/// A connection that is reset (RST) when dropped, unless [`Connection::close`] says that its data is complete.
///
/// A plain close sends FIN, which many protocols read as "that was all". A transfer that failed, was cut at the
/// drain deadline or ended in a panic must not look complete.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    stream: TcpStream,
    complete: bool,
    /// Where a reset is noted, and where the client was going.
    note: Option<(&'a ResetPorts, &'a SocketAddr)>,
}

impl<'a> Connection<'a> {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, complete: false, note: None }
    }

    /// From a client in this pod that was redirected on its way to `destination`.
    pub(crate) const fn redirected(
        stream: TcpStream,
        destination: &'a SocketAddr,
        reset_ports: &'a ResetPorts,
    ) -> Self {
        Self { stream, complete: false, note: Some((reset_ports, destination)) }
    }

    /// Closes in the ordinary way.
    pub(crate) fn close(mut self) {
        self.complete = true;
    }
}

impl Deref for Connection<'_> {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl DerefMut for Connection<'_> {
    fn deref_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if !self.complete {
            // A client that has no address any more was reset by other means.
            if let (Some((reset_ports, destination)), Ok(client)) = (self.note, self.stream.peer_addr()) {
                reset_ports.note(*destination, client.port(), Instant::now());
            }
            // Fails only on a socket that is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}
