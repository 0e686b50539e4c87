//! Ready when everything that was registered has said so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a process still waits for before it may be sent traffic. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    conditions: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

/// The right, and the duty, to say whether one condition holds.
///
/// Dropped without [`Condition::ready`], by an early return or a panic, the condition stays unmet.
#[derive(Debug)]
#[must_use = "the process is not ready until `ready` is called"]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

#[derive(Debug)]
struct State {
    holds: bool,
    /// Whether the process can do without.
    is_optional: bool,
    detail: String,
}

impl Readiness {
    /// A process without conditions: ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition that does not hold yet.
    pub fn register(&self, name: &'static str) -> Condition {
        self.add(name, false)
    }

    /// Adds a condition that a person should know of, and that the process is ready without.
    pub fn register_optional(&self, name: &'static str) -> Condition {
        self.add(name, true)
    }

    /// The conditions that do not hold, in alphabetical order; empty when the process is ready.
    pub fn pending(&self) -> Vec<&'static str> {
        let is_pending = |state: &State| !state.holds && !state.is_optional;
        self.lock().iter().filter(|(_, state)| is_pending(state)).map(|(name, _)| *name).collect()
    }

    /// Every condition on a line of its own, in the form of Kubernetes' `/readyz?verbose`: `[+]` when it holds, `[-]` when
    /// it does not, `[!]` when it does not and the process does without; then what is known about it.
    pub fn verbose(&self) -> String {
        let mut text = String::new();
        for (name, State { holds, is_optional, detail }) in &*self.lock() {
            let (sign, word) = match (holds, is_optional) {
                (true, _) => ('+', "ok"),
                (false, true) => ('!', "not ok"),
                (false, false) => ('-', "failed"),
            };
            let detail = if detail.is_empty() { String::new() } else { format!(": {}", detail.replace('\n', "; ")) };
            // Writing to a string does not fail.
            let _ = writeln!(text, "[{sign}]{name} {word}{detail}");
        }
        text
    }

    /// Takes readiness back, as when draining begins; `name` then shows up among the pending.
    pub fn withdraw(&self, name: &'static str) {
        self.lock().insert(name, State { holds: false, is_optional: false, detail: String::new() });
    }

    fn add(&self, name: &'static str, is_optional: bool) -> Condition {
        self.lock().insert(name, State { holds: false, is_optional, detail: String::new() });
        Condition { name, readiness: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, State>> {
        // The map is valid after every single operation, so a panic elsewhere cannot have left it half-changed.
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// The condition holds from now on.
    pub fn ready(&self) {
        self.set(true, String::new());
    }

    /// The condition holds from now on; `detail` is for people.
    pub fn ready_with(&self, detail: impl Into<String>) {
        self.set(true, detail.into());
    }

    /// The condition does not hold, or no more, for the reason given.
    pub fn failed(&self, reason: impl Into<String>) {
        self.set(false, reason.into());
    }

    fn set(&self, holds: bool, detail: String) {
        if let Some(state) = self.readiness.lock().get_mut(self.name) {
            (state.holds, state.detail) = (holds, detail);
        }
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
    fn a_condition_can_cease_to_hold() {
        let readiness = Readiness::new();
        let listener = readiness.register("listener");
        listener.ready();
        listener.failed("closed");
        assert_eq!(readiness.pending(), ["listener"]);
    }

    #[test]
    fn readiness_can_be_withdrawn() {
        let readiness = Readiness::new();
        readiness.register("listener").ready();
        readiness.withdraw("draining");
        assert_eq!(readiness.pending(), ["draining"]);
    }

    #[test]
    fn every_condition_is_told_and_optional_ones_are_done_without() {
        let readiness = Readiness::new();
        readiness.register("certificate").ready_with("until tomorrow");
        readiness.register_optional("registration").failed("may not\nwrite");
        assert!(readiness.pending().is_empty());
        let _pending = readiness.register("listener");
        assert_eq!(
            readiness.verbose(),
            "[+]certificate ok: until tomorrow\n[-]listener failed\n[!]registration not ok: may not; write\n"
        );
    }
}
