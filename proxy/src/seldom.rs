//! Complaints that would otherwise be as many as the connections they are about.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two complaints about the same.
const PAUSE: Duration = Duration::from_secs(5);

/// When something was last complained about.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Whether it may be said at this time; then, not again for a while.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_complaint_is_due_and_then_one_a_pause() {
        let (seldom, now) = (Seldom::default(), Instant::now());
        let due = [0, 1, 4999, 5000, 5001, 10_000].map(|elapsed| seldom.is_due(now + Duration::from_millis(elapsed)));
        assert_eq!(due, [true, false, false, true, false, true]);
    }
}
