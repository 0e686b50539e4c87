//! The proxy's own outbound connections, so that one that comes back is known and not dialled again, without end.
//!
//! That happens to every one of them when the proxy runs as a user whom the rules do not let pass.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::Socket;

use crate::route::canonical;

/// Shared by all workers. Locked twice for an outbound dial and once for an outbound connection that is accepted.
#[derive(Debug, Default)]
pub(crate) struct OwnDials(Mutex<HashSet<Dial>>);

/// From where to where; together unique in the pod, as long as the connection is open.
type Dial = (SocketAddr, SocketAddr);

/// The connection is remembered for as long as this lives.
#[derive(Debug)]
pub(crate) struct OwnDial<'a> {
    dials: &'a OwnDials,
    dial: Dial,
}

impl OwnDials {
    /// Remembers the connection that `connect` starts, without waiting, from `socket` to `destination`.
    ///
    /// The lock is held meanwhile: a connection that comes back at once, to another worker, must find itself here, and
    /// from where it comes is known only when it is on its way.
    pub(crate) fn remember(
        &self,
        connect: impl FnOnce() -> io::Result<()>,
        socket: &Socket,
        destination: SocketAddr,
    ) -> io::Result<OwnDial<'_>> {
        let mut dials = self.lock();
        connect()?;
        // Always an IP address, of a socket for TCP.
        let source = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let dial = (source, destination);
        dials.insert(dial);
        Ok(OwnDial { dials: self, dial })
    }

    /// Whether a connection from `client` to `destination` is one that the proxy dialled itself.
    pub(crate) fn contains(&self, client: SocketAddr, destination: SocketAddr) -> bool {
        self.lock().contains(&(canonical(client), canonical(destination)))
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Dial>> {
        // Valid after every single operation, so a panic elsewhere cannot have left it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OwnDial<'_> {
    fn drop(&mut self) {
        self.dials.lock().remove(&self.dial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Type};
    use std::net::TcpListener;

    #[test]
    fn a_dial_is_known_until_it_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let destination = listener.local_addr().unwrap();
        let dials = OwnDials::default();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let dial = dials.remember(|| socket.connect(&destination.into()), &socket, destination).unwrap();
        let (_, client) = listener.accept().unwrap();
        assert!(dials.contains(client, destination));
        assert!(!dials.contains(client, "127.0.0.1:1".parse().unwrap()), "same port, but elsewhere");
        drop(dial);
        assert!(!dials.contains(client, destination));
    }
}
