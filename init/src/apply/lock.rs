//! Keeps the runs in one network namespace apart, from what they read to what they write.
//!
//! nf_tables refuse what was planned for other tables than there are. Routing and iptables-legacy do not: two runs that see
//! nothing of ours would both write it. The lock of the tools of iptables-legacy cannot be held meanwhile, since they would
//! wait for it. Names of abstract sockets are those of a network namespace, whatever files its programs see, and are free
//! again when a program ends, however it does.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = "sidecar-init";
const PAUSE: Duration = Duration::from_millis(5);

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "open for as long as the lock is held")] UnixDatagram);

/// The lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another run has it.
    #[error("another run of sidecar-init in this network namespace has not ended within {0:?}; end it, or run again")]
    Held(Duration),
    /// There is no such thing.
    #[error("cannot keep other runs in this network namespace from writing at the same time")]
    Impossible(#[source] io::Error),
}

impl Lock {
    /// Takes the lock, and waits no longer than `wait` for a run that has it.
    ///
    /// # Errors
    /// When that run does not end, or the kernel has no such sockets.
    pub(super) fn take(wait: Duration) -> Result<Self, Error> {
        let deadline = Instant::now() + wait;
        let name = SocketAddr::from_abstract_name(NAME).map_err(Error::Impossible)?;
        loop {
            match UnixDatagram::bind_addr(&name) {
                Ok(socket) => return Ok(Self(socket)),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(Error::Impossible(error)),
                Err(_) if Instant::now() >= deadline => return Err(Error::Held(wait)),
                Err(_) => thread::sleep(PAUSE),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let patience = Duration::from_secs(20);
        let first = Lock::take(patience).unwrap();
        assert!(matches!(Lock::take(Duration::from_millis(20)), Err(Error::Held(_))));
        drop(first);
        assert!(Lock::take(patience).is_ok());
    }
}
