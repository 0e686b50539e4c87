//! Source ports that the proxy must not dial from: those of clients it reset a moment ago.
//!
//! Connection tracking keeps a redirected connection for ten seconds after one side has reset it. A SYN with the same
//! addresses and ports takes that entry up again, its redirection included, and no rule is asked. Only if the
//! connection had seen a FIN, or if the client itself had reset it, does a new SYN start afresh. So where the proxy has
//! to reset a client, it must not dial the client's destination from the client's port for that long: it would reach
//! itself.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// `net.netfilter.nf_conntrack_tcp_timeout_close`, and a little more.
const REMEMBERED: Duration = Duration::from_secs(11);

/// Ports remembered at most, twice: some megabytes. A pod has fewer for one destination.
const MOST: usize = 65_536;

/// Shared by all workers. Locked once when a client is reset, and once for an outbound dial.
#[derive(Debug, Default)]
pub(crate) struct ResetPorts(Mutex<Generations>);

/// What is noted goes into the young generation, which becomes the old one after [`REMEMBERED`].
#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    old: Generation,
    began: Option<Instant>,
}

#[derive(Debug, Default)]
struct Generation {
    by_destination: HashMap<SocketAddr, HashSet<u16>>,
    ports: usize,
}

impl ResetPorts {
    /// A client that was going to `destination` from `port` is about to be reset.
    pub(crate) fn note(&self, destination: SocketAddr, port: u16, now: Instant) {
        let mut generations = self.lock();
        generations.age(now);
        generations.young.note(destination, port);
    }

    /// Whether any port must be avoided for `destination`.
    pub(crate) fn any(&self, destination: SocketAddr, now: Instant) -> bool {
        let mut generations = self.lock();
        generations.age(now);
        generations.of(destination).next().is_some()
    }

    /// Whether `port` must be avoided for `destination`.
    pub(crate) fn contains(&self, destination: SocketAddr, port: u16) -> bool {
        self.lock().of(destination).any(|ports| ports.contains(&port))
    }

    fn lock(&self) -> MutexGuard<'_, Generations> {
        // Valid after every single operation, so a panic elsewhere cannot have left it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn age(&mut self, now: Instant) {
        let age = now.saturating_duration_since(*self.began.get_or_insert(now));
        if age >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
            self.began = Some(now);
        }
        if age >= 2 * REMEMBERED {
            self.old = Generation::default();
        }
    }

    fn of(&self, destination: SocketAddr) -> impl Iterator<Item = &HashSet<u16>> {
        [&self.young, &self.old].into_iter().filter_map(move |ports| ports.by_destination.get(&destination))
    }
}

impl Generation {
    fn note(&mut self, destination: SocketAddr, port: u16) {
        if self.ports < MOST && self.by_destination.entry(destination).or_default().insert(port) {
            self.ports += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destination(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 9], port))
    }

    #[test]
    fn a_port_is_avoided_for_its_destination_only() {
        let (ports, now) = (ResetPorts::default(), Instant::now());
        assert!(!ports.any(destination(80), now));
        ports.note(destination(80), 40_000, now);
        assert!(ports.any(destination(80), now) && ports.contains(destination(80), 40_000));
        assert!(!ports.contains(destination(80), 40_001));
        assert!(!ports.any(destination(81), now) && !ports.contains(destination(81), 40_000));
    }

    #[test]
    fn a_port_is_remembered_as_long_as_the_kernel_does_and_not_for_ever() {
        let (ports, begin) = (ResetPorts::default(), Instant::now());
        ports.note(destination(80), 40_000, begin);
        let late = begin + REMEMBERED - Duration::from_millis(1);
        ports.note(destination(80), 40_001, late);
        assert!(ports.any(destination(80), late + REMEMBERED - Duration::from_millis(1)));
        assert!(ports.contains(destination(80), 40_001));
        assert!(!ports.any(destination(80), begin + 4 * REMEMBERED));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (ports, now) = (ResetPorts::default(), Instant::now());
        for port in 0..u16::MAX {
            ports.note(destination(80), port, now);
            ports.note(destination(81), port, now);
        }
        assert_eq!(ports.lock().young.ports, MOST);
    }
}
