//! Correcting what others change, without an endless quarrel.

use std::collections::VecDeque;
use std::time::Duration;

/// Corrections within [`WINDOW`] that follow at once: a person who edits twice is not a rival.
const AT_ONCE: usize = 3;
/// How long a correction is remembered.
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// After the first correction that has to wait; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// A rival's state lasts no longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// When the object was last corrected. Times are from any fixed moment.
#[derive(Clone, Debug, Default)]
pub struct Contest {
    corrections: VecDeque<Duration>,
}

impl Contest {
    /// Remembers that at `now` somebody else's change was corrected.
    pub fn corrected(&mut self, now: Duration) {
        self.forget(now);
        self.corrections.push_back(now);
    }

    /// When the next correction may be made; `now` or earlier means at once.
    pub fn earliest(&mut self, now: Duration) -> Duration {
        self.forget(now);
        let Some(last) = self.corrections.back() else { return now };
        let Some(waits) = self.corrections.len().checked_sub(AT_ONCE) else { return now };
        let wait = FIRST_WAIT.saturating_mul(1 << waits.min(16));
        *last + wait.min(LONGEST_WAIT)
    }

    fn forget(&mut self, now: Duration) {
        // With waits of five minutes, the window has to reach over some of them for the contest to go on being seen.
        while self.corrections.front().is_some_and(|first| now.saturating_sub(*first) > WINDOW) {
            self.corrections.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_few_corrections_follow_at_once_and_then_they_wait_ever_longer() {
        let (mut contest, mut now, mut waits) = (Contest::default(), seconds(1000), Vec::new());
        for _ in 0..12 {
            let earliest = contest.earliest(now);
            waits.push(earliest.saturating_sub(now).as_secs());
            now = earliest.max(now);
            contest.corrected(now);
        }
        assert_eq!(waits[..7], [0, 0, 0, 5, 10, 20, 40]);
        assert!(waits.iter().all(|wait| *wait <= LONGEST_WAIT.as_secs()), "{waits:?}");
    }

    #[test]
    fn a_contest_that_is_over_is_forgotten() {
        let mut contest = Contest::default();
        (0..5).for_each(|second| contest.corrected(seconds(second)));
        assert!(contest.earliest(seconds(5)) > seconds(5));
        assert_eq!(contest.earliest(seconds(1000)), seconds(1000));
    }
}
