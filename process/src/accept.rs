//! Accepting, come what may: no error ends the loop, and none makes it spin.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A listener that never fails: it pauses instead.
#[derive(Debug)]
pub struct Acceptor<F> {
    listener: TcpListener,
    purpose: &'static str,
    failures: u32,
    count_failure: F,
}

impl<F: Fn()> Acceptor<F> {
    /// `purpose` names the listener in the log; `count_failure` is called for each failure that lasts, as for want of a
    /// file descriptor.
    pub const fn new(listener: TcpListener, purpose: &'static str, count_failure: F) -> Self {
        Self { listener, purpose, failures: 0, count_failure }
    }

    /// The next connection, and from where. Safe to cancel.
    pub async fn next(&mut self) -> (TcpStream, SocketAddr) {
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
            tracing::warn!(%error, ?pause, purpose = self.purpose, "cannot accept connections; trying again");
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

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses = [0, 1, 2, 7, u32::MAX].map(pause_after);
        assert_eq!(pauses, [10, 20, 40, 1000, 1000].map(Duration::from_millis));
    }

    #[test]
    fn only_an_error_of_the_connection_itself_goes_without_a_pause() {
        assert!(is_about_one_connection(&io::Error::from_raw_os_error(103)));
        // The numbers that Linux has for the names above.
        for lasting in [24, 23, 105, 12] {
            assert!(!is_about_one_connection(&io::Error::from_raw_os_error(lasting)), "{lasting}");
        }
    }
}
