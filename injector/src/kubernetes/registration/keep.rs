//! Keeping the webhook configurations right, for ever: after edits, deletions and rotations.

mod keeper;
mod standing;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, select_all};
use kube::Client;
use kube::api::DynamicObject;
use kube::runtime::watcher;
use rustls::pki_types::CertificateDer;
use sidecar_process::readiness::Condition;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Registrar;
use crate::certificates::CaBundle;
use crate::events::Events;
use crate::kubernetes::watching;
use crate::latest::changed;
use crate::metrics::Metrics;
use crate::registration::{Settings, State};
use keeper::Keeper;

/// What no watch tells is looked at this often: the values, the certificate served.
const INTERVAL: Duration = Duration::from_secs(10);

/// What [`keep_registered`] needs.
pub struct KeepRegistered {
    /// The API server.
    pub client: Client,
    /// What is wanted; `enable_namespaces_by_default`, `is_replaced` and `owner` are found out.
    pub settings: Settings,
    /// The ClusterRole that is to own the objects.
    pub owner: Option<String>,
    /// Whether the values in use enable namespaces by default; `None` while there are none, and then nothing is written.
    pub enables_namespaces_by_default: Arc<dyn Fn() -> Option<bool> + Send + Sync>,
    /// Whether this process is the one who writes.
    pub leads: watch::Receiver<bool>,
    /// The bundle to write; `None` while there is none.
    pub bundle: watch::Receiver<Option<CaBundle>>,
    /// Told what all of the objects hold; none while that is not known, or another process leads.
    pub published: watch::Sender<Option<CaBundle>>,
    /// Whether `caBundle` is somebody else's: then `bundle` is not looked at.
    pub keeps_bundle: bool,
    /// The chain that is served, the server's certificate first; `None` while there is none.
    pub served: Arc<dyn Fn() -> Option<Vec<CertificateDer<'static>>> + Send + Sync>,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// Where to tell.
    pub events: Events,
    /// What `/readyz?verbose` shows; best one that the process is ready without.
    pub condition: Option<Condition>,
}

impl fmt::Debug for KeepRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepRegistered").field("settings", &self.settings).finish_non_exhaustive()
    }
}

type Seen = (String, watcher::Result<Option<DynamicObject>>);

/// Keeps the webhook configurations as the settings want them whenever this process leads. Writes nothing when nothing
/// differs; fields and objects of others are left alone.
pub async fn keep_registered(mut task: KeepRegistered) -> Infallible {
    loop {
        while !*task.leads.borrow_and_update() {
            task.metrics.registration.set_state(State::NotLeader);
            task.published.send_if_modified(|published| published.take().is_some());
            if let Some(condition) = &task.condition {
                condition.ready_with("another process keeps it");
            }
            changed(&mut task.leads).await;
        }
        lead(&mut task).await;
    }
}

/// Returns when this process does not lead any more.
async fn lead(task: &mut KeepRegistered) {
    let registrar = Registrar::new(&task.client, &task.settings.field_manager());
    let mut keeper = Keeper::new(registrar.clone(), task);
    let mut seen = select_all(keeper.watched().into_iter().map(|name| watched(&registrar, name)));
    let mut next = Instant::now();
    loop {
        // What happens at the same time, as the first look at each object, is answered by one pass.
        tokio::select! {
            biased;
            () = changed(&mut task.leads) => if !*task.leads.borrow_and_update() { return },
            Some((name, object)) = seen.next() => {
                keeper.saw(&name, object, task);
                keeper.publish(task);
                next = next.min(keeper.not_before(Instant::now()));
            }
            () = changed(&mut task.bundle) => next = next.min(keeper.not_before(Instant::now())),
            () = sleep_until(next) => {
                let mut leads = task.leads.clone();
                let wait = tokio::select! {
                    biased;
                    // Whoever leads now may write at the same time.
                    () = lost(&mut leads) => return,
                    wait = keeper.pass(task) => wait.unwrap_or(INTERVAL),
                };
                keeper.publish(task);
                next = Instant::now() + wait;
            }
        }
    }
}

fn watched(registrar: &Registrar, name: String) -> BoxStream<'static, Seen> {
    let objects = watching::follow_object(registrar.api().clone(), &name);
    objects.map(move |object| (name.clone(), object)).boxed()
}

async fn lost(leads: &mut watch::Receiver<bool>) {
    if leads.wait_for(|leads| !leads).await.is_err() {
        std::future::pending::<()>().await;
    }
}
