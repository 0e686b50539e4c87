//! What one client may take, so that there is always something left for others.
//!
//! A client is an IP address. Each has a share that is less than the whole, of connections, of requests that
//! are not answered yet, and of the memory for bodies. What is past a limit is turned away at once instead of waiting in a
//! queue that nobody bounds: the API server asks again, or does what the webhook's `failurePolicy` says. Whoever has several
//! addresses has as many shares, and can take all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that are not answered yet, of all clients; an API server has a few of them at a time.
const REQUESTS: usize = 1024;
const REQUESTS_OF_ONE: usize = 640;
/// Of [`crate::server::tls`]'s 512.
const CONNECTIONS_OF_ONE: usize = 320;
/// Of [`crate::server::body`]'s 32 MiB.
const SMALL_BYTES_OF_ONE: usize = 24 * 1024 * 1024;
/// Of [`crate::server::body`]'s 4.
const LARGE_BODIES_OF_ONE: usize = 3;
/// Heavy bodies that wait for their turn.
const TURNS_OF_ONE: usize = 2;

/// The clients that are connected. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    requests: Arc<Semaphore>,
    connections_of_one: usize,
    connected: Arc<Mutex<HashMap<IpAddr, Weak<Peer>>>>,
}

/// The share of one client.
#[derive(Debug)]
pub(super) struct Peer {
    connections: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    pub(super) small: Arc<Semaphore>,
    pub(super) large: Arc<Semaphore>,
    pub(super) turn: Arc<Semaphore>,
}

/// Held for as long as a request, and its answer, take memory.
#[derive(Debug)]
pub(super) struct Place {
    _own: OwnedSemaphorePermit,
    _shared: OwnedSemaphorePermit,
}

impl Default for Peers {
    fn default() -> Self {
        Self::with_connections(CONNECTIONS_OF_ONE)
    }
}

impl Peers {
    /// Clients that may have so many connections each.
    pub(super) fn with_connections(connections_of_one: usize) -> Self {
        Self { requests: Arc::new(Semaphore::new(REQUESTS)), connections_of_one, connected: Arc::default() }
    }

    /// The client at `address`, and its connection; `None` when it has as many as it may have.
    pub(super) fn connect(&self, address: IpAddr) -> Option<(Arc<Peer>, OwnedSemaphorePermit)> {
        // Nothing below leaves the map half changed.
        let mut connected = self.connected.lock().unwrap_or_else(PoisonError::into_inner);
        // An IPv4 client of a socket that takes both is the same client.
        let address = address.to_canonical();
        let known = connected.get(&address).and_then(Weak::upgrade);
        let peer = known.unwrap_or_else(|| {
            connected.retain(|_, peer| peer.strong_count() > 0);
            let connections = Arc::new(Semaphore::new(self.connections_of_one));
            let peer = Arc::new(Peer { connections, ..Peer::default() });
            connected.insert(address, Arc::downgrade(&peer));
            peer
        });
        drop(connected);
        let connection = Arc::clone(&peer.connections).try_acquire_owned().ok()?;
        Some((peer, connection))
    }

    /// Room for one more request of `peer`; otherwise the limit that is reached.
    pub(super) fn request(&self, peer: &Peer) -> Result<Place, &'static str> {
        let own = Arc::clone(&peer.requests).try_acquire_owned().map_err(|_| "requests_of_one_client")?;
        let shared = Arc::clone(&self.requests).try_acquire_owned().map_err(|_| "requests")?;
        Ok(Place { _own: own, _shared: shared })
    }
}

impl Default for Peer {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            connections: semaphore(CONNECTIONS_OF_ONE),
            requests: semaphore(REQUESTS_OF_ONE),
            small: semaphore(SMALL_BYTES_OF_ONE),
            large: semaphore(LARGE_BODIES_OF_ONE),
            turn: semaphore(TURNS_OF_ONE),
        }
    }
}

impl Peer {
    /// A client without limits of its own.
    #[cfg(test)]
    pub(super) fn unlimited() -> Self {
        let semaphore = || Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self {
            connections: semaphore(),
            requests: semaphore(),
            small: semaphore(),
            large: semaphore(),
            turn: semaphore(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_take_everything() {
        let peers = Peers::default();
        let connect = |address: &str| peers.connect(address.parse().unwrap());
        let mut connections: Vec<_> = (0..CONNECTIONS_OF_ONE).map(|_| connect("10.0.0.1").unwrap()).collect();
        assert!(connect("10.0.0.1").is_none() && connect("::ffff:10.0.0.1").is_none());
        let (other, _connection) = connect("10.0.0.2").unwrap();
        let peer = Arc::clone(&connections[0].0);
        let places: Vec<_> = (0..REQUESTS_OF_ONE).map(|_| peers.request(&peer).unwrap()).collect();
        assert_eq!(peers.request(&peer).unwrap_err(), "requests_of_one_client");
        let others: Vec<_> = (REQUESTS_OF_ONE..REQUESTS).map(|_| peers.request(&other).unwrap()).collect();
        assert_eq!(peers.request(&other).unwrap_err(), "requests");
        drop((places, others));
        assert!(peers.request(&peer).is_ok());
        connections.pop();
        assert!(connect("10.0.0.1").is_some());
    }

    #[test]
    fn clients_that_left_are_forgotten() {
        let peers = Peers::default();
        for last in 0..=255 {
            assert!(peers.connect([10, 0, 0, last].into()).is_some());
        }
        assert_eq!(peers.connected.lock().unwrap().len(), 1);
    }

    #[test]
    fn neighbours_in_a_network_of_ipv6_are_clients_of_their_own() {
        let peers = Peers::with_connections(1);
        let connect = |address: &str| peers.connect(address.parse().unwrap());
        let _one = connect("2001:db8::1").unwrap();
        assert!(connect("2001:db8::1").is_none() && connect("2001:db8::2").is_some());
    }
}
