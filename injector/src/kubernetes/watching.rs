//! What all watches of the API server have in common: patience, what was told so far, and what is wrong when nothing is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use super::with_causes;

/// A connection that has silently gone is noticed after this long, at the cost of one request in as much time.
const WATCH_TIMEOUT_SECONDS: u32 = 60;
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// For what goes away by itself.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// For what lasts until somebody grants a permission or installs a resource.
const LONGEST_WAIT_FOR_PEOPLE: Duration = Duration::from_secs(60);

/// A watch that begins with what is true now.
pub(super) fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_TIMEOUT_SECONDS)
}

/// A watch that begins with what the API server has in its memory, which spares etcd, and may be behind. For what there
/// is much of and nothing is written from.
pub(super) fn config_of_many() -> watcher::Config {
    config().any_semantic()
}

/// Follows a watcher, and waits longer after each failure in a row.
///
/// A list has only begun when it tells something: [`Event::Init`] is emitted together with what comes after it, so that a
/// list that fails again is no sign that the watch goes on.
pub(super) fn follow<K: Send + 'static>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
) -> BoxStream<'static, watcher::Result<Event<K>>> {
    let following =
        Following { events: events.boxed(), patience: Patience::default(), wait: None, has_begun: false, held: None };
    let next = |mut following: Following<K>| async { following.next().await.map(|item| (item, following)) };
    stream::unfold(following, next).boxed()
}

/// Follows the object of this name: what it is now, and none when it does not exist.
pub(super) fn follow_object<K>(api: Api<K>, name: &str) -> BoxStream<'static, watcher::Result<Option<K>>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let events = follow(watcher(api, config().fields(&format!("metadata.name={name}"))));
    let mut is_listed = false;
    let objects = events.filter_map(move |event| {
        let told = match event {
            Ok(Event::Init) => {
                is_listed = false;
                None
            }
            Ok(Event::InitApply(object)) => {
                is_listed = true;
                Some(Ok(Some(object)))
            }
            Ok(Event::InitDone) => (!is_listed).then_some(Ok(None)),
            Ok(Event::Apply(object)) => Some(Ok(Some(object))),
            Ok(Event::Delete(_)) => Some(Ok(None)),
            Err(error) => Some(Err(error)),
        };
        std::future::ready(told)
    });
    objects.boxed()
}

/// Whether what a watch tells is older than what is known, by their resourceVersions: we may have written since. They count
/// up; one that is no number is no older than any, and none is older than it.
pub(super) fn is_behind(told: Option<&str>, known: Option<&str>) -> bool {
    let number = |version: Option<&str>| version?.parse::<u64>().ok();
    number(told).zip(number(known)).is_some_and(|(told, known)| told < known)
}

struct Following<K> {
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    patience: Patience,
    /// Before the next attempt.
    wait: Option<Duration>,
    /// A list that has told nothing yet.
    has_begun: bool,
    held: Option<Event<K>>,
}

impl<K> Following<K> {
    async fn next(&mut self) -> Option<watcher::Result<Event<K>>> {
        if let Some(event) = self.held.take() {
            return Some(Ok(event));
        }
        if let Some(wait) = self.wait.take() {
            sleep(wait).await;
        }
        loop {
            match self.events.next().await? {
                Ok(Event::Init) => self.has_begun = true,
                Ok(event) => {
                    self.patience = Patience::default();
                    if !std::mem::take(&mut self.has_begun) {
                        return Some(Ok(event));
                    }
                    self.held = Some(event);
                    return Some(Ok(Event::Init));
                }
                Err(error) => {
                    self.has_begun = false;
                    self.wait = Some(self.patience.after(Problem::of(&error).as_ref()));
                    return Some(Err(error));
                }
            }
        }
    }
}

/// How long to wait after failures in a row: 500 ms, then twice as long each time, 10 s at most; 60 s where somebody has
/// to do something.
#[derive(Debug)]
struct Patience {
    next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { next: FIRST_WAIT }
    }
}

impl Patience {
    fn after(&mut self, problem: Option<&Problem>) -> Duration {
        let longest = match problem {
            Some(Problem::Forbidden(_) | Problem::NotInstalled) => LONGEST_WAIT_FOR_PEOPLE,
            Some(Problem::Unreachable(_)) | None => LONGEST_WAIT,
        };
        let wait = self.next.min(longest);
        self.next = wait * 2;
        wait
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
            _ => Some(Self::Unreachable(with_causes(error))),
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
    fn versions_count_up_and_what_is_no_number_is_news() {
        assert!(is_behind(Some("9"), Some("10")));
        assert!(!is_behind(Some("10"), Some("10")) && !is_behind(Some("11"), Some("10")));
        for unknown in [None, Some("a")] {
            assert!(!is_behind(unknown, Some("10")) && !is_behind(Some("10"), unknown));
        }
    }

    #[test]
    fn patience_grows_further_where_somebody_has_to_act() {
        let waits = |problem: &Problem| {
            let mut patience = Patience::default();
            let waits: Vec<u128> = (0..9).map(|_| patience.after(Some(problem)).as_millis()).collect();
            waits
        };
        let gone = Problem::Unreachable("refused".to_owned());
        assert_eq!(waits(&gone), [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000]);
        assert_eq!(waits(&Problem::NotInstalled), [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_fails_again_tells_nothing_and_is_asked_for_less_and_less_often() {
        let missing = || {
            let status = kube::core::Status { code: 404, ..kube::core::Status::default() };
            Err(watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status))))
        };
        let fails = (0..3).flat_map(move |_| [Ok(Event::Init), missing()]);
        let works = [Ok(Event::Init), Ok(Event::InitDone), Ok(Event::Apply(1))];
        let events = fails.chain(works).chain([Ok(Event::Init), missing()]);
        let begun = tokio::time::Instant::now();
        let told = follow(stream::iter(events)).map(|told| (told.ok(), begun.elapsed().as_millis()));
        let told: Vec<(Option<Event<u8>>, u128)> = told.collect().await;
        let told: Vec<(String, u128)> = told.into_iter().map(|(event, at)| (format!("{event:?}"), at)).collect();
        let expected = [
            ("None", 0),
            ("None", 500),
            ("None", 1500),
            ("Some(Init)", 3500),
            ("Some(InitDone)", 3500),
            ("Some(Apply(1))", 3500),
            ("None", 3500),
        ];
        assert_eq!(told, expected.map(|(event, at)| (event.to_owned(), at)));
    }
}
