//! Who of several replicas leads: the one that holds a Lease (coordination.k8s.io), as Kubernetes' own components do it.
//!
//! Time is the monotonic clock of this process, never what another wrote down. A leader counts from before it asked for a
//! renewal, and ends ten seconds after; another counts from after it saw the renewal, and waits for fifteen. Between the
//! two lies what clocks that run differently fast may be apart.

use std::time::Duration;

/// How long others wait after the last renewal that they saw.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// How long a leader leads after it began the last renewal that succeeded.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Between two attempts; a bit is added by chance.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// A Lease that claims more is not waited for longer.
const MAX_LEASE_DURATION: Duration = Duration::from_secs(120);

/// What a Lease says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Who holds it; empty when it was given back.
    pub holder: String,
    /// How long it holds after a renewal.
    pub duration: Duration,
    /// When it was renewed, as the holder wrote it: compared, and not read.
    pub renewed: String,
    /// How often the holder changed.
    pub transitions: i32,
}

/// What to do with the Lease as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is another's.
    Wait,
    /// Take it, with this number of changes of holder.
    Take {
        /// How often the holder has changed then.
        transitions: i32,
    },
    /// It is ours: renew it.
    Renew,
}

/// What one replica knows.
#[derive(Clone, Debug)]
pub struct Election {
    identity: String,
    /// The Lease as it was last seen to change, and when.
    observed: Option<(Record, Duration)>,
    held_until: Option<Duration>,
}

impl Election {
    /// A replica that knows nothing. Its `identity` is nobody else's.
    pub fn new(identity: String) -> Self {
        Self { identity, observed: None, held_until: None }
    }

    /// Takes in the Lease as it was read, none when there is none, at the monotonic time `now`; and says what to do.
    pub fn read(&mut self, record: Option<Record>, now: Duration) -> Step {
        let Some(record) = record else {
            return match &self.observed {
                // Somebody deleted it under a holder who has not heard of it yet.
                Some((last, at)) if self.is_held_by_another(last, *at, now) => Step::Wait,
                last => Step::Take { transitions: last.as_ref().map_or(0, |(last, _)| last.transitions) },
            };
        };
        if self.observed.as_ref().is_none_or(|(last, _)| *last != record) {
            self.observed = Some((record, now));
        }
        let Some((record, at)) = &self.observed else { return Step::Wait };
        if record.holder == self.identity {
            return Step::Renew;
        }
        if self.is_held_by_another(record, *at, now) {
            self.held_until = None;
            return Step::Wait;
        }
        Step::Take { transitions: record.transitions.saturating_add(1) }
    }

    /// The Lease was written with our name in it; `began` is when the writing began.
    pub fn written(&mut self, record: Record, began: Duration) {
        self.observed = Some((record, began));
        self.held_until = Some(began + RENEW_DEADLINE);
    }

    /// Whether this replica leads.
    pub fn is_leader(&self, now: Duration) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }

    /// When leadership ends unless the Lease is renewed before.
    pub fn held_until(&self) -> Option<Duration> {
        self.held_until
    }

    /// Leads no more. Nothing may be asked as a leader after this, and then the Lease can be given back.
    pub fn resign(&mut self) {
        self.held_until = None;
    }

    fn is_held_by_another(&self, record: &Record, at: Duration, now: Duration) -> bool {
        let duration = record.duration.clamp(LEASE_DURATION, MAX_LEASE_DURATION);
        !record.holder.is_empty() && record.holder != self.identity && now < at + duration
    }
}

#[cfg(test)]
mod tests;
