//! What all watches of the API server have in common: patience, what was told so far, and what is wrong when nothing is.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};

/// A connection that has silently gone is noticed after this long, at the cost of one request in as much time.
const WATCH_TIMEOUT_SECONDS: u32 = 60;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A watch that takes what the API server has in its memory, which spares etcd.
pub(super) fn config() -> watcher::Config {
    watcher::Config::default().any_semantic().timeout(WATCH_TIMEOUT_SECONDS)
}

/// How long to wait after failures in a row: 500 ms, then twice as long each time, 10 s at most.
#[derive(Debug)]
pub(super) struct Patience {
    next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { next: FIRST_WAIT }
    }
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let wait = self.next;
        self.next = (wait * 2).min(LONGEST_WAIT);
        Some(wait)
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

/// What a watch has told so far, by key. A list that has begun replaces what was known when it is complete.
#[derive(Debug)]
pub(super) struct Mirror<V> {
    known: Option<BTreeMap<String, V>>,
    listed: BTreeMap<String, V>,
}

impl<V> Default for Mirror<V> {
    fn default() -> Self {
        Self { known: None, listed: BTreeMap::new() }
    }
}

impl<V: PartialEq> Mirror<V> {
    /// Everything; none before the first list is complete.
    pub(super) fn known(&self) -> Option<&BTreeMap<String, V>> {
        self.known.as_ref()
    }

    /// Forgets everything, but that there is nothing is known.
    pub(super) fn set_empty(&mut self) -> bool {
        self.known.replace(BTreeMap::new()).is_none_or(|known| !known.is_empty())
    }

    /// Takes what the watch tells next, and says whether anything is different now. An object without a value is as good
    /// as none.
    pub(super) fn take(&mut self, event: Event<(String, Option<V>)>) -> bool {
        match event {
            Event::Init => {
                self.listed.clear();
                false
            }
            Event::InitApply((key, value)) => {
                self.listed.extend(value.map(|value| (key, value)));
                false
            }
            Event::InitDone => {
                let listed = Some(std::mem::take(&mut self.listed));
                let is_different = self.known != listed;
                self.known = listed;
                is_different
            }
            Event::Apply((key, Some(value))) => {
                let known = self.known.get_or_insert_default();
                let is_different = known.get(&key) != Some(&value);
                known.insert(key, value);
                is_different
            }
            Event::Apply((key, None)) | Event::Delete((key, _)) => {
                self.known.as_mut().is_some_and(|known| known.remove(&key).is_some())
            }
        }
    }
}

/// The same event with something else in place of the object.
pub(super) fn map<K, T>(event: Event<K>, change: impl Fn(K) -> T) -> Event<T> {
    match event {
        Event::Init => Event::Init,
        Event::InitApply(object) => Event::InitApply(change(object)),
        Event::InitDone => Event::InitDone,
        Event::Apply(object) => Event::Apply(change(object)),
        Event::Delete(object) => Event::Delete(change(object)),
    }
}

/// Why a watch tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The role of the injector is too small.
    Forbidden(String),
    /// The API server does not have the resource.
    NotInstalled,
    /// Anything else, which mostly goes away.
    Unreachable(String),
}

impl Problem {
    /// What the error comes to. A watch whose place in history is gone begins anew, and nothing is wrong.
    pub(super) fn of(error: &watcher::Error) -> Option<Self> {
        let status = match error {
            watcher::Error::WatchError(status) => Some(&**status),
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(&**status),
            _ => None,
        };
        match status {
            Some(status) if status.code == 410 => None,
            Some(status) if status.code == 404 => Some(Self::NotInstalled),
            Some(status) if matches!(status.code, 401 | 403) => Some(Self::Forbidden(status.message.clone())),
            _ => {
                let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
                let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
                // Many repeat their cause.
                texts.dedup_by(|cause, error| error.ends_with(&**cause));
                Some(Self::Unreachable(texts.join(": ")))
            }
        }
    }

    /// A name for it from a fixed set, for labels.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::NotInstalled => "not_installed",
            Self::Unreachable(_) => "unreachable",
        }
    }

    /// For people, about a watch of `resource`.
    pub(super) fn text(&self, resource: &str) -> String {
        match self {
            Self::Forbidden(message) => format!("may not list and watch {resource}: {message}"),
            Self::NotInstalled => format!("the API server has no {resource}"),
            Self::Unreachable(message) => format!("cannot list or watch {resource}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, value: Option<u8>) -> (String, Option<u8>) {
        (key.to_owned(), value)
    }

    #[test]
    fn a_list_replaces_what_was_known_only_when_it_is_complete() {
        let mut mirror = Mirror::default();
        for event in [Event::Init, Event::InitApply(object("a", Some(1))), Event::InitApply(object("b", Some(1)))] {
            assert!(!mirror.take(event));
            assert_eq!(mirror.known(), None);
        }
        assert!(mirror.take(Event::InitDone));
        assert!(!mirror.take(Event::Apply(object("a", Some(1)))), "nothing new");
        assert!(mirror.take(Event::Apply(object("a", Some(2)))));
        assert!(mirror.take(Event::Delete(object("b", None))));
        assert!(!mirror.take(Event::Delete(object("b", None))));
        assert!(!mirror.take(Event::Init));
        assert_eq!(mirror.known().unwrap().len(), 1, "the old list stays meanwhile");
        assert!(!mirror.take(Event::InitApply(object("a", Some(2)))));
        assert!(!mirror.take(Event::InitDone), "the same as before");
        assert!(mirror.take(Event::Apply(object("a", None))), "as good as deleted");
        assert!(mirror.known().unwrap().is_empty());
    }

    #[test]
    fn patience_grows_to_ten_seconds() {
        let waits: Vec<u128> = Patience::default().take(7).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }
}
