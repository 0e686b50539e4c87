//! Which events are written, and when: soon, but not often, and what repeats itself as a series.

use std::collections::HashMap;
use std::time::Duration;

use crate::events::Event;

/// Between two writes about the same object for the same reason; doubles with each, up to the longest.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);
const LONGEST_INTERVAL: Duration = Duration::from_secs(300);
/// What says something else comes after this part of the interval.
const NEWS: u32 = 6;
/// A series that was silent for so long is over; what comes then is news.
const SERIES: Duration = Duration::from_secs(600);
/// Writes at once, over all objects, and how fast their number recovers.
const BURST: u32 = 20;
const RECOVERY: Duration = Duration::from_secs(1);
/// Series that are remembered.
const MOST_SERIES: usize = 1024;

/// What has been told, and what is yet to be. Times are since some moment.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    series: HashMap<Key, Series>,
    /// Writes of late, recovered until `since`.
    spent: u32,
    since: Duration,
}

/// The object and the reason.
pub(crate) type Key = (String, &'static str);

#[derive(Debug)]
struct Series {
    event: Event,
    /// How often it has happened, and how often that has been told.
    count: u32,
    told: u32,
    /// Name of the written Event.
    name: Option<String>,
    last: Duration,
    /// When it was written last.
    written: Option<Duration>,
    next: Duration,
    interval: Duration,
}

/// Something to write.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    pub(crate) key: Key,
    pub(crate) event: Event,
    pub(crate) count: u32,
    /// The Event whose series goes on; `None` for a new one.
    pub(crate) name: Option<String>,
}

impl Ledger {
    /// Something happened. False when too many other things have, so that it is forgotten.
    pub(crate) fn observe(&mut self, event: Event, now: Duration) -> bool {
        let key = (format!("{:?}", event.regarding), event.reason);
        if let Some(series) = self.series.get_mut(&key) {
            series.take(event, now);
            return true;
        }
        if self.series.len() >= MOST_SERIES {
            self.series.retain(|_, series| series.is_going_on(now));
        }
        if self.series.len() >= MOST_SERIES {
            return false;
        }
        let interval = FIRST_INTERVAL;
        let new = Series { event, count: 1, told: 0, name: None, last: now, written: None, next: now, interval };
        self.series.insert(key, new);
        true
    }

    /// What is to be written now, the oldest first; each is then due again later, whether or not writing it worked.
    pub(crate) fn due(&mut self, now: Duration) -> Vec<Write> {
        self.series.retain(|_, series| series.is_going_on(now));
        let recovered = now.saturating_sub(self.since).as_secs() / RECOVERY.as_secs();
        self.spent = self.spent.saturating_sub(u32::try_from(recovered).unwrap_or(u32::MAX));
        self.since += RECOVERY.saturating_mul(u32::try_from(recovered).unwrap_or(u32::MAX));
        let mut due: Vec<_> =
            self.series.iter_mut().filter(|(_, series)| series.count > series.told && series.next <= now).collect();
        due.sort_by_key(|(_, series)| series.next);
        let allowed = BURST.saturating_sub(self.spent) as usize;
        let writes = due.into_iter().take(allowed).map(|(key, series)| {
            (series.written, series.next) = (Some(now), now + series.interval);
            series.interval = (series.interval * 2).min(LONGEST_INTERVAL);
            Write { key: key.clone(), event: series.event.clone(), count: series.count, name: series.name.clone() }
        });
        let writes: Vec<_> = writes.collect();
        self.spent += writes.len() as u32;
        writes
    }

    /// `count` has been told, in the Event `name`.
    pub(crate) fn written(&mut self, key: &Key, count: u32, name: String) {
        if let Some(series) = self.series.get_mut(key) {
            (series.told, series.name) = (count, Some(name));
        }
    }

    /// `count` cannot be told.
    pub(crate) fn given_up(&mut self, key: &Key, count: u32) {
        if let Some(series) = self.series.get_mut(key) {
            series.told = count;
        }
    }

    /// The Event is gone, so that the series begins anew.
    pub(crate) fn forgotten(&mut self, key: &Key, now: Duration) {
        if let Some(series) = self.series.get_mut(key) {
            (series.name, series.next) = (None, now);
        }
    }

    /// Whether anything is left to tell.
    pub(crate) fn is_waiting(&self) -> bool {
        self.series.values().any(|series| series.count > series.told)
    }
}

impl Series {
    /// It has happened again. Kubernetes does not let the note of an Event be changed: another one begins a new Event.
    fn take(&mut self, event: Event, now: Duration) {
        if event.note == self.event.note {
            self.count = self.count.saturating_add(1);
        } else {
            (self.count, self.told, self.name) = (1, 0, None);
            let news = self.written.map_or(now, |written| written + self.interval / NEWS);
            self.next = self.next.min(news);
        }
        (self.event, self.last) = (event, now);
    }

    fn is_going_on(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) < SERIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ObjectReference;

    fn event(name: &str, note: &str) -> Event {
        let regarding = ObjectReference { name: Some(name.to_owned()), ..ObjectReference::default() };
        Event { regarding, is_warning: true, reason: "InjectionSkipped", action: "Inject", note: note.to_owned() }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_repeats_itself_is_a_series() {
        let mut ledger = Ledger::default();
        assert!(ledger.observe(event("a", "first"), at(0)));
        let written = ledger.due(at(0));
        assert_eq!((written.len(), written[0].count, &written[0].name), (1, 1, &None));
        ledger.written(&written[0].key, 1, "a.1".to_owned());
        for _ in 0..1000 {
            assert!(ledger.observe(event("a", "first"), at(1)));
        }
        assert!(ledger.due(at(29)).is_empty() && ledger.is_waiting());
        let written = ledger.due(at(30));
        assert_eq!((written[0].count, written[0].name.as_deref()), (1001, Some("a.1")));
        ledger.written(&written[0].key, 1001, "a.1".to_owned());
        assert!(ledger.due(at(90)).is_empty() && !ledger.is_waiting(), "nothing new");
        ledger.observe(event("a", "first"), at(100));
        ledger.forgotten(&written[0].key, at(100));
        assert_eq!(ledger.due(at(100))[0].name, None, "the Event has expired");
    }

    #[test]
    fn what_says_something_else_is_another_event_and_comes_sooner() {
        let mut ledger = Ledger::default();
        ledger.observe(event("a", "first"), at(0));
        let write = ledger.due(at(0)).remove(0);
        ledger.written(&write.key, 1, "a.1".to_owned());
        ledger.observe(event("a", "second"), at(1));
        ledger.observe(event("a", "third"), at(2));
        ledger.observe(event("a", "third"), at(3));
        assert!(ledger.due(at(9)).is_empty());
        let written = ledger.due(at(10));
        assert_eq!((written[0].event.note.as_str(), written[0].count, &written[0].name), ("third", 2, &None));
        ledger.written(&write.key, 2, "a.2".to_owned());
        ledger.observe(event("a", "fourth"), at(11));
        assert!(ledger.due(at(29)).is_empty(), "ever less often");
        assert_eq!(ledger.due(at(30)).len(), 1);
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_later() {
        let mut ledger = Ledger::default();
        ledger.observe(event("a", ""), at(0));
        assert_eq!(ledger.due(at(0)).len(), 1);
        assert!(ledger.due(at(1)).is_empty());
        assert_eq!(ledger.due(at(30)).len(), 1);
        assert!(ledger.due(at(700)).is_empty() && !ledger.is_waiting(), "not for ever");
    }

    #[test]
    fn what_is_given_up_is_not_tried_again_until_it_happens_again() {
        let mut ledger = Ledger::default();
        ledger.observe(event("a", ""), at(0));
        let write = ledger.due(at(0)).remove(0);
        ledger.given_up(&write.key, write.count);
        assert!(!ledger.is_waiting() && ledger.due(at(30)).is_empty());
        ledger.observe(event("a", ""), at(31));
        assert_eq!(ledger.due(at(31))[0].name, None);
    }

    #[test]
    fn a_series_ends_in_silence() {
        let mut ledger = Ledger::default();
        ledger.observe(event("a", ""), at(0));
        let write = ledger.due(at(0)).remove(0);
        ledger.written(&write.key, 1, "a.1".to_owned());
        assert!(ledger.due(at(600)).is_empty());
        ledger.observe(event("a", ""), at(601));
        assert_eq!(ledger.due(at(601))[0].name, None);
    }

    #[test]
    fn many_objects_wait_for_each_other() {
        let mut ledger = Ledger::default();
        for number in 0..MOST_SERIES {
            assert!(ledger.observe(event(&number.to_string(), ""), at(5)));
        }
        assert!(!ledger.observe(event("one too many", ""), at(5)));
        assert_eq!(ledger.due(at(5)).len(), BURST as usize);
        assert_eq!(ledger.due(at(5)).len(), 0);
        assert_eq!(ledger.due(at(8)).len(), 3);
        assert!(ledger.observe(event("later", ""), at(700)), "the others are over");
    }
}
