//! Accepting, come what may: no error ends the loop, and none makes it spin.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use crate::connection;
use crate::seldom::Seldom;
use crate::shared::Shared;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Accepts connections of one listener until told to stop.
pub(crate) async fn accept(worker: Arc<Shared>, index: usize, listener: TcpListener) {
    let mut acceptor = Acceptor::new(listener, || worker.stats.listener(index).accept_errors.add(1));
    let full = Seldom::default();
    loop {
        let (stream, remote) = tokio::select! {
            biased;
            () = worker.drain.stopping() => return,
            accepted = acceptor.next() => accepted,
        };
        // Refused at once where there is no room: a client that waits cannot tell why.
        let permit = worker.room[index].clone().try_acquire_owned().ok();
        if permit.is_none() && full.is_due(Instant::now()) {
            let direction = worker.directions[index].as_str();
            tracing::warn!(direction, "as many connections are open as may be; refusing others (--max-connections)");
        }
        // The task is owned by the tracker; the worker waits for it, or drops it with its runtime at the deadline.
        tokio::spawn(worker.open.track_future(connection::serve(worker.clone(), index, stream, remote, permit)));
    }
}

/// A listener that never fails: it pauses instead.
pub(crate) struct Acceptor<F> {
    listener: TcpListener,
    failures: u32,
    count_failure: F,
}

impl<F: Fn()> Acceptor<F> {
    pub(crate) const fn new(listener: TcpListener, count_failure: F) -> Self {
        Self { listener, failures: 0, count_failure }
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
            (self.count_failure)();
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
