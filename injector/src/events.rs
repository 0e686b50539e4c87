//! Telling the people who own an object what happened to it, as a Kubernetes Event.
//!
//! Whoever has something to tell leaves it here and goes on; it is written by a task of its own, or dropped where there is
//! no API server or too much to tell.

pub(crate) mod ledger;

use k8s_openapi::api::core::v1::ObjectReference;
use tokio::sync::mpsc;

/// How many events may wait to be written.
const QUEUE: usize = 256;

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The object: kind, apiVersion, name and namespace, and its uid where known.
    pub regarding: ObjectReference,
    /// Whether somebody should do something.
    pub is_warning: bool,
    /// Why, in one word, as `ConfigurationRejected`.
    pub reason: &'static str,
    /// What the injector did or tried to do, in one word, as `Load`.
    pub action: &'static str,
    /// What happened, for people; at most 1 KiB is kept.
    pub note: String,
}

/// Where to leave events. Clones share the queue.
#[derive(Clone, Debug, Default)]
pub struct Events {
    queue: Option<mpsc::Sender<Event>>,
}

impl Events {
    /// A queue, and its end from which events are written.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (queue, written) = mpsc::channel(QUEUE);
        (Self { queue: Some(queue) }, written)
    }

    /// Leaves an event to be written. When too many wait it is dropped, with a line in the log.
    pub fn tell(&self, event: Event) {
        let Some(queue) = &self.queue else { return };
        if let Err(error) = queue.try_send(event) {
            tracing::debug!(%error, "an event is dropped");
        }
    }
}
