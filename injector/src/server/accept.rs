//! Accepting, come what may: no more connections than there is room for, and no error that ends or spins the loop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Held for as long as a connection is open.
pub(super) type Place = Option<OwnedSemaphorePermit>;

/// A listener with a limit on the connections that are open at once.
#[derive(Debug)]
pub(super) struct Entrance {
    listener: TcpListener,
    room: Arc<Semaphore>,
    purpose: &'static str,
    /// Remembered, so that a full house is reported once and not for each connection that waits.
    full: bool,
    failures: u32,
}

impl Entrance {
    /// `purpose` names the listener in the log.
    pub(super) fn new(listener: TcpListener, max_connections: usize, purpose: &'static str) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(max_connections)), purpose, full: false, failures: 0 }
    }

    /// The next connection. Those that there is no room for wait in the kernel's queue. Safe to cancel.
    pub(super) async fn next(&mut self) -> (TcpStream, Place) {
        let place = self.place().await;
        loop {
            let error = match self.listener.accept().await {
                Ok((stream, _)) => {
                    self.failures = 0;
                    return (stream, place);
                }
                Err(error) => error,
            };
            if is_about_one_connection(&error) {
                continue;
            }
            let pause = pause_after(self.failures);
            self.failures = self.failures.saturating_add(1);
            tracing::warn!(%error, ?pause, purpose = self.purpose, "cannot accept connections; trying again");
            tokio::time::sleep(pause).await;
        }
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
        // `None` only if the semaphore were closed, which nobody does.
        Arc::clone(&self.room).acquire_owned().await.ok()
    }
}

/// Whether the error belongs to the connection that was taken off the queue, so that the next may well succeed.
/// Anything else (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`, …) would come back at once, for as long as it lasts.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_house_lets_the_next_in_when_one_leaves_and_is_noticed_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut entrance = Entrance::new(listener, 1, "a test");
        let _clients = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let (_, place) = entrance.next().await;
        let patience = Duration::from_millis(50);
        assert!(tokio::time::timeout(patience, entrance.next()).await.is_err());
        assert!(entrance.full);
        drop(place);
        assert!(tokio::time::timeout(patience, entrance.next()).await.is_ok());
        assert!(!entrance.full);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses = [0, 1, 2, 7, u32::MAX].map(pause_after);
        assert_eq!(pauses, [10, 20, 40, 1000, 1000].map(Duration::from_millis));
    }

    #[test]
    fn only_an_error_of_the_connection_itself_goes_without_a_pause() {
        assert!(is_about_one_connection(&io::ErrorKind::ConnectionAborted.into()));
        let (too_many_files, out_of_memory) = (io::Error::from_raw_os_error(24), io::ErrorKind::OutOfMemory.into());
        assert!(!is_about_one_connection(&too_many_files) && !is_about_one_connection(&out_of_memory));
    }
}
