//! Writing [`crate::events`] to the API server, as `events.k8s.io/v1`. Needs `create` and `patch` on `events` there.

use std::time::{Duration, Instant, UNIX_EPOCH};

use k8s_openapi::api::events::v1 as api;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client, Error};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::with_causes;
use crate::clock;
use crate::events::ledger::{Ledger, Write};
use crate::events::{Event, LONGEST_NOTE, cut};

/// `reportingController`; a qualified name.
const CONTROLLER: &str = "sidecar-injector";
/// How often to look whether something that waits may be written.
const TICK: Duration = Duration::from_secs(1);
/// For one write: events are of no use to anybody who has to wait for them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Failures are logged no oftener.
const COMPLAINTS: Duration = Duration::from_secs(60);
/// Kubernetes: `reportingInstance`, in bytes.
const LONGEST_INSTANCE: usize = 128;
/// An event's name is this much of its object's, a dot, and the time.
const LONGEST_NAME: usize = 200;
/// Kubernetes puts events on objects without a namespace here.
const DEFAULT_NAMESPACE: &str = "default";

/// Writes what is left in `queue`, until nobody can leave anything any more. `instance` is the name of this process, as of
/// its pod. What fails is tried again, logged now and then, and given up after ten minutes,
/// or at once where trying again is no use.
pub async fn write(client: Client, mut queue: mpsc::Receiver<Event>, instance: String) {
    let mut writer = Writer { client, instance: cut(&instance, LONGEST_INSTANCE), complained: None };
    let (mut ledgers, start) = (Ledgers::default(), Instant::now());
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = queue.recv() => {
                let Some(event) = event else { return };
                if !ledgers.of(&event).observe(event, start.elapsed()) {
                    tracing::debug!("too many objects have events; one is dropped");
                }
            }
            _ = tick.tick(), if ledgers.is_waiting() => {}
        }
        writer.round(&mut ledgers, start).await;
    }
}

/// Whoever can make many requests can use up what reviews may write, and nothing else.
#[derive(Debug, Default)]
struct Ledgers {
    own: Ledger,
    reviews: Ledger,
}

impl Ledgers {
    fn of(&mut self, event: &Event) -> &mut Ledger {
        if event.is_of_a_review() { &mut self.reviews } else { &mut self.own }
    }

    fn is_waiting(&self) -> bool {
        self.own.is_waiting() || self.reviews.is_waiting()
    }
}

struct Writer {
    client: Client,
    instance: String,
    complained: Option<Instant>,
}

impl Writer {
    /// Writes what is due. What an API server that does not answer is not asked for now comes again when it is due again.
    async fn round(&mut self, ledgers: &mut Ledgers, start: Instant) {
        for ledger in [&mut ledgers.own, &mut ledgers.reviews] {
            for write in ledger.due(start.elapsed()) {
                match timeout(PATIENCE, self.write(&write)).await {
                    Ok(Ok(name)) => ledger.written(&write.key, write.count, name),
                    Ok(Err(Error::Api(status))) if status.code == 404 && write.name.is_some() => {
                        ledger.forgotten(&write.key, start.elapsed());
                    }
                    Ok(Err(error)) => {
                        if is_final(&error) {
                            ledger.given_up(&write.key, write.count);
                        }
                        self.complain(&error);
                    }
                    Err(error) => return self.complain(&error),
                }
            }
        }
    }

    /// The name of the Event.
    async fn write(&self, write: &Write) -> Result<String, Error> {
        let Write { event, count, name, .. } = write;
        let namespace = event.regarding.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        let api: Api<api::Event> = Api::namespaced(self.client.clone(), namespace.unwrap_or(DEFAULT_NAMESPACE));
        let now = now();
        match name {
            Some(name) => {
                let series = api::EventSeries { count: saturated(*count), last_observed_time: MicroTime(now) };
                let patch = json!({"series": series});
                api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
                Ok(name.clone())
            }
            None => {
                let created = self.event(event, *count, namespace.unwrap_or(DEFAULT_NAMESPACE), now);
                api.create(&PostParams::default(), &created).await?;
                Ok(created.metadata.name.unwrap_or_default())
            }
        }
    }

    fn event(&self, event: &Event, count: u32, namespace: &str, now: Timestamp) -> api::Event {
        let object = cut(event.regarding.name.as_deref().unwrap_or_default(), LONGEST_NAME);
        let name = format!("{}.{:x}", object.trim_end_matches(['.', '-']), now.as_nanosecond());
        // A series has at least two.
        let series =
            (count > 1).then(|| api::EventSeries { count: saturated(count), last_observed_time: MicroTime(now) });
        api::Event {
            metadata: ObjectMeta { name: Some(name), namespace: Some(namespace.to_owned()), ..ObjectMeta::default() },
            action: Some(event.action.to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(cut(&event.note, LONGEST_NOTE)),
            reason: Some(event.reason.to_owned()),
            regarding: Some(event.regarding.clone()),
            reporting_controller: Some(CONTROLLER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            series,
            type_: Some(if event.is_warning { "Warning" } else { "Normal" }.to_owned()),
            ..api::Event::default()
        }
    }

    fn complain(&mut self, error: &(dyn std::error::Error + 'static)) {
        if self.complained.is_none_or(|complained| complained.elapsed() >= COMPLAINTS) {
            self.complained = Some(Instant::now());
            let error = with_causes(error);
            tracing::warn!(error, "an Event cannot be written; may the service account create and patch events?");
        }
    }
}

/// Whether the same would be answered again: the namespace is gone or going, or the Event is not one. Permissions may yet
/// be given.
fn is_final(error: &Error) -> bool {
    let Error::Api(status) = error else { return false };
    match status.code {
        403 => status.message.contains("because it is being terminated"),
        401 | 409 | 429 => false,
        code => (400..500).contains(&code),
    }
}

fn now() -> Timestamp {
    let since = clock::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanosecond(since.as_nanos().try_into().unwrap_or(i128::MAX)).unwrap_or(Timestamp::MAX)
}

fn saturated(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
