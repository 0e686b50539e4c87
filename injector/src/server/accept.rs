//! Accepting no more connections than there is room for.

use std::sync::Arc;

use sidecar_process::accept::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Held for as long as a connection is open.
pub(super) type Place = Option<OwnedSemaphorePermit>;

/// A listener with a limit on the connections that are open at once.
#[derive(Debug)]
pub(super) struct Entrance<F> {
    acceptor: Acceptor<fn()>,
    room: Arc<Semaphore>,
    purpose: &'static str,
    /// Remembered, so that a full house is reported once and not for each connection that waits.
    full: bool,
    on_wait: F,
}

impl<F: Fn()> Entrance<F> {
    /// `purpose` names the listener in the log; `on_wait` is called for each connection that has to wait.
    pub(super) fn new(listener: TcpListener, max_connections: usize, purpose: &'static str, on_wait: F) -> Self {
        let acceptor = Acceptor::new(listener, purpose, (|| ()) as fn());
        Self { acceptor, room: Arc::new(Semaphore::new(max_connections)), purpose, full: false, on_wait }
    }

    /// The next connection. Those that there is no room for wait in the kernel's queue. Safe to cancel.
    pub(super) async fn next(&mut self) -> (TcpStream, Place) {
        let place = self.place().await;
        let (stream, _) = self.acceptor.next().await;
        (stream, place)
    }

    async fn place(&mut self) -> Place {
        if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
            self.full = false;
            return Some(place);
        }
        if !std::mem::replace(&mut self.full, true) {
            let purpose = self.purpose;
            tracing::warn!(purpose, "as many connections are open as may be; the next wait for one to end");
        }
        (self.on_wait)();
        // `None` only if the semaphore were closed, which nobody does.
        Arc::clone(&self.room).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_full_house_lets_the_next_in_when_one_leaves_and_is_noticed_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut entrance = Entrance::new(listener, 1, "a test", || ());
        let _clients = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let (_, place) = entrance.next().await;
        let patience = Duration::from_millis(50);
        assert!(tokio::time::timeout(patience, entrance.next()).await.is_err());
        assert!(entrance.full);
        drop(place);
        assert!(tokio::time::timeout(patience, entrance.next()).await.is_ok());
        assert!(!entrance.full);
    }
}
