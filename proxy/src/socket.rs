//! Socket options, and how a connection is closed.

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

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
pub(crate) struct Connection {
    stream: TcpStream,
    complete: bool,
}

impl Connection {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream, complete: false }
    }

    /// Closes in the ordinary way.
    pub(crate) fn close(mut self) {
        self.complete = true;
    }
}

impl Deref for Connection {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.complete {
            // Fails only on a socket that is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}
