//! What injection asks of the cluster, from watches: nodes, ProxyConfig resources, and on OpenShift namespaces.
//!
//! | resource | watched | when it is forbidden |
//! |---|---|---|
//! | nodes | where `--nativeSidecars` is `auto` | ready; sidecars are native only where pods ask |
//! | ProxyConfig | always | ready without them, as where Istio's resources are not installed |
//! | namespaces | on OpenShift | not ready: sidecars would get a user that the namespace does not allow |

mod objects;
mod state;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client};
use sidecar_process::readiness::Readiness;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::watching::{self, Problem};
use crate::context::{Cluster, InjectorSettings};
use crate::metrics::Metrics;
use crate::native;
use crate::reload::ClusterView;
use objects::NodeObject;
use state::{Change, State};

/// Changes that come within this time are one: a new view of a large cluster takes some milliseconds to make.
const COLLECTING: Duration = Duration::from_millis(100);

/// What is known of the cluster, none before the first lists are there, and the task that keeps it so. It registers the
/// condition `cluster caches`.
///
/// Where the settings need none of it, parts of `given` stay. Needs the verbs `list` and `watch`.
pub fn view(
    client: Client,
    settings: &InjectorSettings,
    given: Cluster,
    metrics: Arc<Metrics>,
    readiness: &Readiness,
) -> (ClusterView, impl Future<Output = Infallible> + Send + use<>) {
    let condition = readiness.register("cluster caches");
    let (sender, view) = watch::channel(None);
    let (nodes, namespaces) = (settings.native_sidecars == native::Setting::Auto, settings.openshift);
    let following = async move {
        let mut changes = stream::select_all(changes(&client, nodes, namespaces));
        let mut state = State::new(given, nodes, namespaces);
        let mut due = None;
        loop {
            tokio::select! {
                Some(change) = changes.next() => {
                    if let Some((resource, problem)) = change.problem() {
                        metrics.configuration.watch_failed(resource, problem.code());
                    }
                    if state.take(change) && due.is_none() {
                        let is_first = sender.borrow().is_none();
                        due = Some(Instant::now() + if is_first { Duration::ZERO } else { COLLECTING });
                    }
                    match state.pending() {
                        Some(reason) => condition.failed(reason),
                        // Not before the view is there.
                        None if sender.borrow().is_some() => condition.ready_with(state.summary()),
                        None => {}
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    due = None;
                    if let Some(cluster) = state.cluster() {
                        sender.send_replace(Some(Arc::new(cluster)));
                        condition.ready_with(state.summary());
                    }
                }
            }
        }
    };
    (view, following)
}

fn changes(client: &Client, nodes: bool, namespaces: bool) -> Vec<BoxStream<'static, Change>> {
    let mut changes = vec![];
    let proxy_configs = Api::<DynamicObject>::all_with(client.clone(), &objects::proxy_config());
    let events = watcher(proxy_configs, watching::config());
    changes.push(with_problems(events, |object| objects::proxy_config_of(&object), Change::ProxyConfigs));
    if nodes {
        let nodes = Api::<NodeObject>::all_with(client.clone(), &objects::node());
        changes.push(with_problems(watcher(nodes, watching::config_of_many()), objects::node_of, Change::Nodes));
    }
    if namespaces {
        let namespaces = Api::<PartialObjectMeta<Namespace>>::all(client.clone());
        let events = watcher(namespaces, watching::config());
        changes.push(with_problems(events, objects::annotations_of, Change::Namespaces));
    }
    changes
}

/// Objects are cut down to what is asked of them as they come.
fn with_problems<K, T, C>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static,
    cut: impl Fn(K) -> T + Copy + Send + 'static,
    change: C,
) -> BoxStream<'static, Change>
where
    K: Send + 'static,
    T: Send + 'static,
    C: Fn(Result<Event<T>, Problem>) -> Change + Send + 'static,
{
    let told = watching::follow(events).filter_map(move |event| {
        let told = match event {
            Ok(event) => Some(Ok(watching::map(event, cut))),
            Err(error) => Problem::of(&error).map(Err),
        };
        std::future::ready(told)
    });
    told.map(change).boxed()
}
