//! Telling the people who own an object what happened to it, as a Kubernetes Event.
//!
//! Whoever has something to tell leaves it here and goes on; it is written by a task of its own, or dropped where there is
//! no API server or too much to tell.

pub(crate) mod ledger;

use k8s_openapi::api::core::v1::ObjectReference;
use tokio::sync::mpsc;

/// How many events may wait to be written.
const QUEUE: usize = 256;
/// Of these, the places that only what happened to the injector's own objects may take.
const RESERVED: usize = 64;
/// The action of events about the owners of pods.
pub(crate) const INJECT: &str = "Inject";
/// Kubernetes: `note` of an Event, in bytes.
pub(crate) const LONGEST_NOTE: usize = 1024;

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

    /// Leaves an event to be written. When too many wait it is dropped, with a line in the log; what reviews have to tell
    /// leaves some places to the injector's own objects.
    pub fn tell(&self, mut event: Event) {
        let Some(queue) = &self.queue else { return };
        if event.is_of_a_review() && queue.capacity() <= RESERVED {
            return tracing::debug!("too many events wait; one of a review is dropped");
        }
        // What waits is to be small, also where it is made of a large request.
        event.note = cut(&event.note, LONGEST_NOTE);
        if let Err(error) = queue.try_send(event) {
            tracing::debug!(%error, "an event is dropped");
        }
    }
}

impl Event {
    /// Whether it comes of a request, of which anybody who reaches the webhook can make as many as they like.
    pub(crate) fn is_of_a_review(&self) -> bool {
        self.action == INJECT
    }
}

/// At most `longest` bytes of `text`.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    text[..text.floor_char_boundary(longest)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &'static str, note: &str) -> Event {
        let regarding = ObjectReference::default();
        Event { regarding, is_warning: true, reason: "Reason", action, note: note.to_owned() }
    }

    #[test]
    fn what_waits_is_small() {
        let (events, mut queue) = Events::channel();
        events.tell(event("Load", &"ä".repeat(1_000_000)));
        let note = queue.try_recv().unwrap().note;
        assert!(note.len() == LONGEST_NOTE && note.capacity() == LONGEST_NOTE, "{}", note.capacity());
    }

    #[test]
    fn reviews_leave_places_to_the_injectors_own_objects() {
        let (events, mut queue) = Events::channel();
        for _ in 0..2 * QUEUE {
            events.tell(event(INJECT, ""));
        }
        assert_eq!(queue.len(), QUEUE - RESERVED);
        events.tell(event("Load", "own"));
        assert_eq!(std::iter::from_fn(|| queue.try_recv().ok()).last().unwrap().note, "own");
    }
}
