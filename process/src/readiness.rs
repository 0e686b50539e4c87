//! Ready when everything that was registered has said so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a process still waits for before it may be sent traffic. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    conditions: Arc<Mutex<BTreeMap<&'static str, bool>>>,
}

/// The right, and the duty, to say that one condition holds.
///
/// Dropped without [`Condition::ready`], by an early return or a panic, the condition stays unmet.
#[derive(Debug)]
#[must_use = "the process is not ready until `ready` is called"]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

impl Readiness {
    /// A process without conditions: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition that does not hold yet.
    pub fn register(&self, name: &'static str) -> Condition {
        self.lock().insert(name, false);
        Condition { name, readiness: self.clone() }
    }

    /// The conditions that do not hold, in alphabetical order; empty when the process is ready.
    pub fn pending(&self) -> Vec<&'static str> {
        self.lock().iter().filter(|(_, holds)| !**holds).map(|(name, _)| *name).collect()
    }

    /// Takes readiness back, as when draining begins; `name` then shows up among the pending.
    pub fn withdraw(&self, name: &'static str) {
        self.lock().insert(name, false);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, bool>> {
        // The map is valid after every single operation, so a panic elsewhere cannot have left it half-changed.
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// The condition holds from now on.
    pub fn ready(self) {
        self.readiness.lock().insert(self.name, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_every_condition_holds() {
        let readiness = Readiness::new();
        let listener = readiness.register("listener");
        let config = readiness.register("config");
        assert_eq!(readiness.pending(), ["config", "listener"]);
        config.ready();
        assert_eq!(readiness.pending(), ["listener"]);
        listener.ready();
        assert!(readiness.pending().is_empty());
    }

    #[test]
    fn a_condition_that_is_dropped_stays_unmet() {
        let readiness = Readiness::new();
        drop(readiness.register("listener"));
        assert_eq!(readiness.pending(), ["listener"]);
    }

    #[test]
    fn readiness_can_be_withdrawn() {
        let readiness = Readiness::new();
        readiness.register("listener").ready();
        readiness.withdraw("draining");
        assert_eq!(readiness.pending(), ["draining"]);
    }
}
