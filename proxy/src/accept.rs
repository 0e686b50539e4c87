//! Accepting, come what may: no error ends the loop, and none makes it spin.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::connection;
use crate::worker::Shared;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections of one listener until told to stop.
pub(crate) async fn accept(worker: Arc<Shared>, index: usize, listener: TcpListener) {
    let mut acceptor = Acceptor::new(listener);
    let mut full = false;
    loop {
        let admitted = async {
            let accepted = acceptor.next().await;
            (accepted, admit(&worker, &mut full).await)
        };
        let ((stream, remote), permit) = tokio::select! {
            biased;
            () = worker.drain.stopping() => return,
            admitted = admitted => admitted,
        };
        // The task is owned by the tracker; the worker waits for it, or drops it with its runtime at the deadline.
        tokio::spawn(worker.open.track_future(connection::serve(worker.clone(), index, stream, remote, permit)));
    }
}

/// Waits for room under the limit of open connections.
///
/// The connection is accepted by then: waiting before accepting would let one idle listener hold the last place.
/// `full` remembers that the last one had to wait, so that a proxy at its limit says so once and not each time.
async fn admit(worker: &Shared, full: &mut bool) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = worker.room.clone().try_acquire_owned() {
        *full = false;
        return Some(permit);
    }
    if !std::mem::replace(full, true) {
        tracing::warn!("as many connections are open as may be; the next waits for one to end (--max-connections)");
    }
    // `None` only if the semaphore were closed, which nobody does.
    worker.room.clone().acquire_owned().await.ok()
}

/// A listener that never fails: it pauses instead.
pub(crate) struct Acceptor {
    listener: TcpListener,
    failures: u32,
}

impl Acceptor {
    pub(crate) const fn new(listener: TcpListener) -> Self {
        Self { listener, failures: 0 }
    }

    /// The next connection, and from where. Safe to cancel.
    pub(crate) async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let error = match self.listener.accept().await {
                Ok(accepted) => {
                    self.failures = 0;
                    return accepted;
                }
                Err(error) => error,
            };
            if is_about_one_connection(&error) {
                continue;
            }
            let pause = pause_after(self.failures);
            self.failures = self.failures.saturating_add(1);
            tracing::warn!(%error, ?pause, "cannot accept connections; trying again");
            tokio::time::sleep(pause).await;
        }
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
    use nix::libc::{ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM};

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses = [0, 1, 2, 7, u32::MAX].map(pause_after);
        assert_eq!(pauses, [10, 20, 40, 1000, 1000].map(Duration::from_millis));
    }

    #[test]
    fn only_an_error_of_the_connection_itself_goes_without_a_pause() {
        assert!(is_about_one_connection(&io::Error::from_raw_os_error(ECONNABORTED)));
        for lasting in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
            assert!(!is_about_one_connection(&io::Error::from_raw_os_error(lasting)), "{lasting}");
        }
    }
}
