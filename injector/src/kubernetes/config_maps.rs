//! The configuration in ConfigMaps, watched by name.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::runtime::watcher::{Event, watcher};
use kube::{Api, Client};
use sidecar_contract::config::{DEFAULT_REVISION, INJECTOR_NAME, MESH_NAME};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::watching::{self, Mirror, Problem};
use crate::config::ConfigError;
use crate::loading::{ConfigMapKeys, ConfigMapState, Offer, offer_of};
use crate::metrics::Metrics;
use crate::reload::{Offered, Offers};

/// Whoever applies several objects is done when nothing has happened for this long: kubectl asks twice for each of them.
const QUIET: Duration = Duration::from_millis(250);
/// With changes that never end, a configuration is offered this often.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Which ConfigMaps hold the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapNames {
    /// The namespace of both.
    pub namespace: String,
    /// The one with the keys `config` and `values`.
    pub injector: String,
    /// The one with the key `mesh`; it need not exist.
    pub mesh: String,
}

impl ConfigMapNames {
    /// Istio's names: `istio-sidecar-injector` and `istio`, with `-` and the revision after them unless it is empty or
    /// `default`.
    pub fn of_revision(namespace: &str, revision: &str) -> Self {
        let named = |name: &str| match revision {
            "" | DEFAULT_REVISION => name.to_owned(),
            revision => format!("{name}-{revision}"),
        };
        Self { namespace: namespace.to_owned(), injector: named(INJECTOR_NAME), mesh: named(MESH_NAME) }
    }
}

/// What the ConfigMaps have, none before both are known, and the task that keeps it so.
///
/// Changes that come within 250 ms of each other are one. Needs the verbs `list` and `watch` on both, which a role may
/// restrict to their names.
pub fn offers(
    client: Client,
    names: ConfigMapNames,
    metrics: Arc<Metrics>,
) -> (Offers, impl Future<Output = Infallible> + Send) {
    let (sender, offers) = watch::channel(None);
    let following = async move {
        let api = Api::<ConfigMap>::namespaced(client, &names.namespace);
        let changes = |which: Which, name: &str| {
            let config = watching::config().fields(&format!("metadata.name={name}"));
            watching::follow(watcher(api.clone(), config)).map(move |change| (which, change)).boxed()
        };
        let mut changes = stream::select(changes(Which::Injector, &names.injector), changes(Which::Mesh, &names.mesh));
        let mut state = State::new(names);
        let mut due: Option<(Instant, Instant)> = None;
        loop {
            let wake = due.map(|(quiet, deadline)| quiet.min(deadline));
            tokio::select! {
                Some((which, change)) = changes.next() => {
                    let is_different = match change {
                        Ok(event) => state.take(which, event),
                        Err(error) => Problem::of(&error).is_some_and(|problem| {
                            metrics.configuration.watch_failed("configmaps", problem.code());
                            state.fail(which, problem)
                        }),
                    };
                    if is_different {
                        let now = Instant::now();
                        // The first is not waited for, since nobody has just applied it.
                        let quiet = if sender.borrow().is_none() { now } else { now + QUIET };
                        due = Some((quiet, due.map_or(now + MAX_WAIT, |(_, deadline)| deadline)));
                    }
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    due = None;
                    if let Some(offered) = state.offered() {
                        sender.send_replace(Some(offered));
                    }
                }
            }
        }
    };
    (offers, following)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Injector,
    Mesh,
}

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    keys: ConfigMapKeys,
    uid: Option<String>,
}

#[derive(Debug)]
struct Watched {
    name: String,
    mirror: Mirror<Seen>,
    problem: Option<Problem>,
}

#[derive(Debug)]
struct State {
    namespace: String,
    injector: Watched,
    mesh: Watched,
    /// What the mesh's had when it was last there.
    last_mesh: Option<Seen>,
}

impl State {
    fn new(names: ConfigMapNames) -> Self {
        let watched = |name| Watched { name, mirror: Mirror::default(), problem: None };
        let ConfigMapNames { namespace, injector, mesh } = names;
        Self { namespace, injector: watched(injector), mesh: watched(mesh), last_mesh: None }
    }

    fn watched(&mut self, which: Which) -> &mut Watched {
        match which {
            Which::Injector => &mut self.injector,
            Which::Mesh => &mut self.mesh,
        }
    }

    fn take(&mut self, which: Which, event: Event<ConfigMap>) -> bool {
        let watched = self.watched(which);
        if watched.problem.take().is_some() {
            tracing::info!(config_map = watched.name, "the watch goes on");
        }
        let is_different = watched.mirror.take(watching::map(event, seen));
        // At once, since it may go again before the next offer.
        if let Some(seen) = self.mesh.seen().filter(|_| which == Which::Mesh && is_different) {
            self.last_mesh = Some(seen.clone());
        }
        is_different
    }

    /// Says what is wrong, once. Before the ConfigMap is known, it is a reason to offer nothing.
    fn fail(&mut self, which: Which, problem: Problem) -> bool {
        let watched = self.watched(which);
        let is_news = watched.problem.as_ref().map(Problem::code) != Some(problem.code());
        if is_news {
            tracing::warn!("{}", problem.text(&format!("the ConfigMap {}", watched.name)));
            watched.problem = Some(problem);
        }
        is_news && watched.mirror.known().is_none()
    }

    /// None while one of both is not known and nothing is wrong.
    fn offered(&mut self) -> Option<Offered> {
        let mut reasons = Vec::new();
        for watched in [&self.injector, &self.mesh] {
            match (watched.mirror.known(), &watched.problem) {
                (Some(_), _) => {}
                (None, Some(problem)) => reasons.push(ConfigError {
                    origin: format!("ConfigMap {}/{}", self.namespace, watched.name),
                    line: None,
                    message: problem.text("it"),
                }),
                (None, None) => return None,
            }
        }
        let objects = vec![self.reference(&self.injector)];
        if !reasons.is_empty() {
            return Some(Offered { offer: Offer::Unavailable(reasons), objects });
        }
        let mesh = match (self.mesh.seen(), &self.last_mesh) {
            (None, Some(last)) => {
                let name = &self.mesh.name;
                tracing::warn!("the ConfigMap {name} was deleted; what it said stays in use until a restart");
                Some(last.clone())
            }
            (mesh, _) => mesh.cloned(),
        };
        let state = |watched: &Watched, seen: Option<Seen>| ConfigMapState {
            name: format!("{}/{}", self.namespace, watched.name),
            keys: seen.map(|seen| seen.keys),
        };
        let offer = offer_of(&state(&self.injector, self.injector.seen().cloned()), &state(&self.mesh, mesh));
        Some(Offered { offer, objects })
    }

    fn reference(&self, watched: &Watched) -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("ConfigMap".to_owned()),
            namespace: Some(self.namespace.clone()),
            name: Some(watched.name.clone()),
            uid: watched.seen().and_then(|seen| seen.uid.clone()),
            ..ObjectReference::default()
        }
    }
}

impl Watched {
    /// The ConfigMap; none when it does not exist, or is not known.
    fn seen(&self) -> Option<&Seen> {
        self.mirror.known().and_then(|known| known.get(&self.name))
    }
}

fn seen(object: ConfigMap) -> (String, Option<Seen>) {
    let keys = ConfigMapKeys {
        texts: object.data.unwrap_or_default().into_iter().collect(),
        binary: object.binary_data.unwrap_or_default().into_keys().collect(),
    };
    (object.metadata.name.unwrap_or_default(), Some(Seen { keys, uid: object.metadata.uid }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, keys: &[(&str, &str)]) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object.data = Some(keys.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect());
        object
    }

    fn list(state: &mut State, which: Which, objects: &[ConfigMap]) {
        state.take(which, Event::Init);
        for object in objects {
            state.take(which, Event::InitApply(object.clone()));
        }
        state.take(which, Event::InitDone);
    }

    #[test]
    fn both_are_waited_for_and_a_deleted_mesh_stays() {
        let names = ConfigMapNames::of_revision("ns", "default");
        let mut state = State::new(names.clone());
        let injector = object(&names.injector, &[("config", "c"), ("values", "v")]);
        list(&mut state, Which::Injector, &[injector]);
        assert!(state.offered().is_none());
        list(&mut state, Which::Mesh, &[object(&names.mesh, &[("mesh", "old")])]);
        let mesh = object(&names.mesh, &[("mesh", "m")]);
        state.take(Which::Mesh, Event::Apply(mesh.clone()));
        for _ in 0..2 {
            let Some(Offered { offer: Offer::Texts(sources), objects }) = state.offered() else { panic!() };
            assert_eq!(sources.mesh.text, "m");
            assert_eq!(objects[0].name.as_deref(), Some("istio-sidecar-injector"));
            state.take(Which::Mesh, Event::Delete(mesh.clone()));
        }
        list(&mut state, Which::Injector, &[]);
        let Some(Offered { offer: Offer::Unavailable(reasons), .. }) = state.offered() else { panic!() };
        assert!(reasons[0].to_string().starts_with("ConfigMap ns/istio-sidecar-injector: does not exist"));
    }

    #[test]
    fn what_is_forbidden_is_a_reason_until_it_is_known() {
        let mut state = State::new(ConfigMapNames::of_revision("ns", "canary"));
        list(&mut state, Which::Mesh, &[]);
        assert!(state.fail(Which::Injector, Problem::Forbidden("no role".to_owned())));
        assert!(!state.fail(Which::Injector, Problem::Forbidden("no role".to_owned())), "said before");
        let Some(Offered { offer: Offer::Unavailable(reasons), .. }) = state.offered() else { panic!() };
        assert_eq!(
            reasons[0].to_string(),
            "ConfigMap ns/istio-sidecar-injector-canary: may not list and watch it: no role"
        );
        list(&mut state, Which::Injector, &[]);
        assert!(!state.fail(Which::Injector, Problem::Forbidden("no role".to_owned())), "what is known stays");
    }
}
