//! One term of a leader: what it has seen, what it has written, and what it does about the difference.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::DynamicObject;
use kube::runtime::watcher;
use serde_json::Value;
use sidecar_contract::config::DEFAULT_REVISION;
use sidecar_contract::label;
use tokio::time::Instant;

use super::KeepRegistered;
use super::standing::{Standing, standing, taken_back, worst};
use crate::certificates::CaBundle;
use crate::clock;
use crate::events::Event;
use crate::kubernetes::registration::{Manner, OwnerReader, Ownership, Registrar, RegistrarError, explain};
use crate::kubernetes::watching;
use crate::registration::contest::Contest;
use crate::registration::{Configuration, Difference, Live, Settings, State, bundle};

/// Between one attempt that failed and the next: doubled each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

pub(super) struct Keeper {
    registrar: Registrar,
    owner: OwnerReader,
    ownership: Ownership,
    manager: String,
    settings: Settings,
    started: Instant,
    /// What a watch has said of each object; an object that is missing here is not known.
    live: BTreeMap<String, Option<Value>>,
    /// Objects that are to be read before they are relied on, and why: mostly because their watch does not work.
    blind: BTreeMap<String, Standing>,
    /// What was wanted when it was last written, to tell a change of ours from one of others.
    written: BTreeMap<String, Configuration>,
    contests: BTreeMap<String, Contest>,
    failures: u32,
    retry_at: Option<Instant>,
    told: Standing,
}

impl Keeper {
    pub(super) fn new(registrar: Registrar, task: &KeepRegistered) -> Self {
        Self {
            registrar,
            owner: OwnerReader::new(&task.client, task.owner.clone()),
            ownership: Ownership::Nobody,
            manager: task.settings.field_manager(),
            settings: task.settings.clone(),
            started: Instant::now(),
            live: BTreeMap::new(),
            blind: BTreeMap::new(),
            written: BTreeMap::new(),
            contests: BTreeMap::new(),
            failures: 0,
            retry_at: None,
            told: (State::Outdated, String::new()),
        }
    }

    /// Names of the objects to watch: our own, and the tag `default`, which may take the place of the revision without a
    /// name.
    pub(super) fn watched(&self) -> Vec<String> {
        let mut names = self.settings.names();
        let default = self.settings.tag_name(DEFAULT_REVISION);
        if self.settings.revision.is_empty() && !names.contains(&default) {
            names.push(default);
        }
        names
    }

    /// No pass is made before the wait after a failure is over.
    pub(super) fn not_before(&self, now: Instant) -> Instant {
        self.retry_at.map_or(now, |retry| retry.max(now))
    }

    /// Takes in what a watch says.
    pub(super) fn saw(&mut self, name: &str, object: watcher::Result<Option<DynamicObject>>, task: &KeepRegistered) {
        match object {
            Ok(object) => {
                self.blind.remove(name);
                self.know(name, object.and_then(|object| serde_json::to_value(&object).ok()));
            }
            Err(error) => {
                let standing = match error {
                    watcher::Error::InitialListFailed(error) => standing(&explain(error, "list", name)),
                    watcher::Error::WatchStartFailed(error) | watcher::Error::WatchFailed(error) => {
                        standing(&explain(error, "watch", name))
                    }
                    other => (State::Unreachable, other.to_string()),
                };
                // A watch that ends is begun again, and is news only when that does not work.
                if !self.live.contains_key(name) {
                    self.distrust(name, standing);
                    self.tell(task);
                } else if standing.0 == State::Forbidden {
                    tracing::warn!(object = name, "not watched, but read from time to time: {}", standing.1);
                    self.distrust(name, standing);
                }
            }
        }
    }

    fn know(&mut self, name: &str, object: Option<Value>) {
        let known = self.live.get(name).and_then(Option::as_ref);
        let is_older = |(known, told)| watching::is_behind(version(told), version(known));
        if !known.zip(object.as_ref()).is_some_and(is_older) {
            self.live.insert(name.to_owned(), object);
        }
    }

    /// What was said first stays, so that it is not told again when the next verb fails for the same reason.
    fn distrust(&mut self, name: &str, standing: Standing) {
        if self.blind.get(name).is_none_or(|(state, _)| *state != standing.0) {
            self.blind.insert(name.to_owned(), standing);
        }
    }

    /// Reads what no watch tells of. A watch that works again tells nothing as long as nothing changes.
    async fn read_again(&mut self) {
        for name in self.blind.keys().cloned().collect::<Vec<_>>() {
            match self.registrar.get(&name).await {
                Ok(object) => {
                    self.blind.remove(&name);
                    self.know(&name, object);
                }
                Err(error) => self.distrust(&name, standing(&error)),
            }
        }
    }

    /// Makes every object right, as far as that is possible now. Says how long to wait before the next pass, where that
    /// is not as always.
    pub(super) async fn pass(&mut self, task: &KeepRegistered) -> Option<Duration> {
        self.retry_at = None;
        self.read_again().await;
        self.ownership = self.owner.read().await;
        let mut wait = None;
        let standing = match self.wanted(task) {
            Err(standing) => standing,
            Ok(wanted) => {
                let mut standings = Vec::with_capacity(wanted.len());
                for configuration in wanted {
                    let (standing, pause) = self.make_right(configuration, task).await;
                    wait = [wait, pause].into_iter().flatten().min();
                    standings.push(standing);
                }
                worst(standings).unwrap_or((State::Current, String::new()))
            }
        };
        self.stand(standing, task);
        let has_failed =
            matches!(self.told.0, State::Forbidden | State::Rejected | State::Unreachable | State::Conflict);
        self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
        if has_failed {
            let retry = FIRST_RETRY.saturating_mul(1 << self.failures.min(8)).min(LAST_RETRY);
            self.retry_at = Some(Instant::now() + retry);
            wait = Some(retry);
        }
        wait
    }

    /// Tells what all of the objects hold. One that is not there is no client of anybody.
    pub(super) fn publish(&self, task: &KeepRegistered) {
        let names = self.settings.names();
        let is_known = |name: &String| self.live.contains_key(name) && !self.blind.contains_key(name);
        let objects = names.iter().filter_map(|name| self.live.get(name)?.as_ref());
        let held = if names.iter().all(is_known) { bundle::trusted_by_all(objects) } else { None };
        task.published.send_if_modified(|published| {
            let held = held.map(|pem| CaBundle { pem });
            std::mem::replace(published, held.clone()) != held
        });
    }

    /// What is wanted of each object, or why that cannot be said.
    fn wanted(&self, task: &KeepRegistered) -> Result<Vec<Configuration>, Standing> {
        let outdated = |reason: &str| (State::Outdated, reason.to_owned());
        let by_default =
            (task.enables_namespaces_by_default)().ok_or_else(|| outdated("there is no configuration yet"))?;
        // Two that serve the same pods, if only for a moment, inject them twice. Who may not look does not wait.
        let is_open = |name: &String| !self.live.contains_key(name) && !self.blind.contains_key(name);
        if let Some(name) = self.watched().iter().find(|name| is_open(name)) {
            return Err(outdated(&format!("{name} has not been seen yet")));
        }
        if self.ownership == Ownership::Gone {
            return Err(outdated("the ClusterRole that owns it is gone; nothing is written until it is back"));
        }
        let settings = Settings {
            owner: self.ownership.known(),
            enable_namespaces_by_default: by_default,
            is_replaced: self.is_replaced(),
            ..self.settings.clone()
        };
        let wanted = settings.configurations().map_err(|errors| {
            (State::Rejected, errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        })?;
        if task.keeps_bundle {
            return Ok(wanted);
        }
        let bundle = task.bundle.borrow().clone().ok_or_else(|| outdated("there is no CA bundle yet"))?;
        let served = (task.served)().ok_or_else(|| outdated("there is no serving certificate yet"))?;
        bundle::verify(&bundle.pem, &served, &settings.host(), since_1970())
            .map_err(|error| (State::Unverified, error.to_string()))?;
        Ok(wanted.into_iter().map(|configuration| configuration.with_bundle(&bundle.pem)).collect())
    }

    /// Whether a tag `default` of another revision serves those who would be ours.
    fn is_replaced(&self) -> bool {
        let tag = self.live.get(&self.settings.tag_name(DEFAULT_REVISION)).and_then(Option::as_ref);
        let is_of_another = |tag: &Value| tag["metadata"]["labels"][label::REVISION] != DEFAULT_REVISION;
        self.settings.revision.is_empty() && tag.is_some_and(is_of_another)
    }

    async fn make_right(&mut self, wanted: Configuration, task: &KeepRegistered) -> (Standing, Option<Duration>) {
        let name = wanted.name.clone();
        if let Some(standing) = self.blind.get(&name) {
            return (standing.clone(), None);
        }
        let Some(live) = self.live.get(&name) else {
            return ((State::Outdated, format!("{name} has not been seen yet")), None);
        };
        let is_new = live.is_none();
        let known = live.as_ref().map(|object| Live::new(object, &self.manager));
        let is_ours = known.is_none_or(|live| live.is_ours());
        let wanted = match known.filter(|_| task.keeps_bundle) {
            Some(live) => live.keeping_bundles(wanted),
            None => wanted,
        };
        let wanted = match known.filter(|_| self.ownership == Ownership::Unknown) {
            Some(live) => live.keeping_owners(wanted),
            None => wanted,
        };
        let difference = match known {
            Some(live) => live.difference(&wanted),
            None => Some(Difference::missing(&wanted)),
        };
        let Some(difference) = difference else { return (self.trusted(&name, task), None) };

        let is_by_others = self.written.get(&name).is_some_and(|written| written.object == wanted.object);
        let (now, contest) = (self.started.elapsed(), self.contests.entry(name.clone()).or_default());
        let earliest = contest.earliest(now);
        if is_by_others && earliest > now {
            let wait = earliest - now;
            let fields = difference.fields().join(", ");
            return ((State::Contested, format!("{name} is changed again and again: {fields}")), Some(wait));
        }
        match self.write(&wanted, is_ours, task).await {
            Ok((object, conflict)) => {
                if let Some(note) = taken_back(conflict.as_ref(), is_by_others, is_new, &difference) {
                    tracing::warn!(object = name, "{note}");
                    task.events.tell(self.event(&name, "RegistrationChangedByOthers", note));
                }
                if is_by_others {
                    self.contests.entry(name.clone()).or_default().corrected(now);
                    task.metrics.registration.corrected();
                }
                tracing::info!(object = name, fields = difference.fields().join(", "), is_new, "registered");
                self.live.insert(name.clone(), Some(object));
                self.written.insert(name.clone(), wanted);
                (self.trusted(&name, task), None)
            }
            Err(error @ RegistrarError::Changed { .. }) => {
                let standing = standing(&error);
                // Nobody knows when the watch tells.
                self.distrust(&name, standing.clone());
                (standing, Some(FIRST_RETRY))
            }
            Err(error) => (standing(&error), None),
        }
    }

    /// How an object stands that is as it is wanted: where others write `caBundle`, it has to be right, too.
    fn trusted(&self, name: &str, task: &KeepRegistered) -> Standing {
        let current = (State::Current, String::new());
        let live = self.live.get(name).and_then(Option::as_ref).filter(|_| task.keeps_bundle);
        let Some(live) = live else { return current };
        let Some(served) = (task.served)() else {
            return (State::Outdated, "there is no serving certificate yet".to_owned());
        };
        match Live::new(live, &self.manager).verify(&self.settings, &served, since_1970()) {
            Ok(()) => current,
            Err(error) => (State::Unverified, format!("{name}, whose caBundle others write: {error}")),
        }
    }

    /// Applies without force first: only so the API server says whose fields they are. Returns that, too.
    async fn write(
        &self,
        wanted: &Configuration,
        is_ours: bool,
        task: &KeepRegistered,
    ) -> Result<(Value, Option<RegistrarError>), RegistrarError> {
        let seen = self.live.get(&wanted.name).and_then(Option::as_ref);
        let first = self.registrar.apply(wanted, seen, Manner::default()).await;
        let written = match first {
            Err(conflict @ RegistrarError::Conflict { .. }) => {
                task.metrics.registration.applied("conflict");
                if !is_ours || conflict.is_of_another_revision() {
                    return Err(conflict);
                }
                let forced = self.registrar.apply(wanted, seen, Manner { force: true, dry_run: false }).await;
                forced.map(|object| (object, Some(conflict)))
            }
            other => other.map(|object| (object, None)),
        };
        task.metrics.registration.applied(match &written {
            Ok(_) => "applied",
            Err(error) => standing(error).0.name(),
        });
        written
    }

    /// Sets how it stands, and tells it where that is news.
    fn stand(&mut self, standing: Standing, task: &KeepRegistered) {
        task.metrics.registration.set_state(standing.0);
        if standing.0 == State::Current {
            task.metrics.registration.succeeded(clock::now());
        }
        if let Some(condition) = &task.condition {
            match standing.0 {
                State::Current => condition.ready_with(self.settings.names().join(", ")),
                state => condition.failed(format!("{}: {}", state.name(), standing.1)),
            }
        }
        if standing != self.told {
            let (state, reason) = &standing;
            match state {
                State::Current | State::NotLeader => {}
                State::Outdated => tracing::info!(state = state.name(), reason, "not registered yet"),
                _ => {
                    tracing::warn!(state = state.name(), reason, "the registration is not as it should be");
                    let name = self.settings.revision_name();
                    task.events.tell(self.event(&name, "RegistrationFailed", format!("{}: {reason}", state.name())));
                }
            }
            self.told = standing;
        }
    }

    fn tell(&mut self, task: &KeepRegistered) {
        let names = self.settings.names();
        let own = names.iter().filter_map(|name| self.blind.get(name)).cloned();
        if let Some(standing) = worst(own) {
            self.stand(standing, task);
        }
    }

    fn event(&self, name: &str, reason: &'static str, note: String) -> Event {
        let live = self.live.get(name).and_then(Option::as_ref);
        let regarding = ObjectReference {
            api_version: Some("admissionregistration.k8s.io/v1".to_owned()),
            kind: Some("MutatingWebhookConfiguration".to_owned()),
            name: Some(name.to_owned()),
            uid: live.and_then(|live| live["metadata"]["uid"].as_str()).map(str::to_owned),
            ..ObjectReference::default()
        };
        Event { regarding, is_warning: true, reason, action: "Register", note }
    }
}

fn version(object: &Value) -> Option<&str> {
    object["metadata"]["resourceVersion"].as_str()
}

fn since_1970() -> Duration {
    clock::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests;
