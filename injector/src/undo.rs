//! The record from which an injection is undone, even where others changed the pod since.
//!
//! A record is compact JSON: one object per mapping or keyed list ([`pod_schema`](crate::pod_schema)) that injection
//! changed something in. Of what was added it has the name only, of what was changed or removed the old value:
//!
//! | key       | value          | meaning |
//! |-----------|----------------|---------|
//! | `"?"`     | `"absent"`, `"null"` | injection made this mapping or list, where there was nothing or a null |
//! | `"-"`     | list of names  | were added: they go |
//! | `"=name"` | any            | was changed: it gets this value |
//! | `"+name"` | any            | was removed or made null: it comes back, joined with what others put there since |
//! | `">name"` | name or null   | stood right after that one, or first; said only where the order is not the same without |
//! | `"/name"` | object         | a mapping to change within |
//! | `"[name"` | object         | a keyed list to change within |
//!
//! A name is a key of a mapping, or the text of the merge key of an element. Other lists are values as a whole. As an
//! example, a pod before, the same pod after, and the record:
//!
//! ```text
//! {"metadata":{"labels":{"app":"web"}},
//!  "spec":{"containers":[{"name":"web","livenessProbe":{"httpGet":{"port":8080}}}]}}
//!
//! {"metadata":{"labels":{"app":"web","istio.io/rev":"default"},"annotations":{"sidecar.istio.io/status":"…"}},
//!  "spec":{"containers":[{"name":"istio-proxy"},{"name":"web","livenessProbe":{"httpGet":{"port":15020}}}]}}
//!
//! {"/metadata":{"/labels":{"-":["istio.io/rev"]},
//!              "/annotations":{"?":"absent","-":["sidecar.istio.io/status"]}},
//!  "/spec":{"[containers":{"-":["istio-proxy"],"/web":{"/livenessProbe":{"/httpGet":{"=port":8080}}}}}}
//! ```

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

mod apply;
mod record;
mod text;

/// How many mappings and lists a record follows into each other; what is below is a value as a whole. Kubernetes'
/// own types are less than half as deep.
const DEEPEST: usize = 32;

/// Why an injection cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// The text is no record.
    #[error("the record of the injection cannot be read: {0}")]
    NotARecord(String),
    /// The record is of some other pod than this.
    #[error("{path}: {problem}; the record of the injection is of another pod")]
    OfAnotherPod {
        /// Path of the field, as `spec.containers[web].env`; empty for the pod itself.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// What undoes an injection. Its text form (`to_string`, `parse`) is the JSON described [above](self).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Undo {
    root: Level,
}

/// What turns `injected` back into `original`, both of them objects as pods are; of anything else nothing is recorded.
///
/// The values of what was added do not matter: the annotation that is to hold the record can be there already, empty.
pub fn record(original: &Value, injected: &Value) -> Undo {
    Undo { root: record::root(original, injected) }
}

impl Undo {
    /// Whether there is nothing to undo.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Undoes the injection of `pod`: takes away what it added, by name, and restores what it changed or removed.
    ///
    /// An untouched pod becomes the original, in the order of its keys too. What others added since stays where it is,
    /// and the mappings and lists around it with it. What others removed stays away, with all that was to be restored
    /// within; what injection added and others removed is no error.
    ///
    /// # Errors
    /// When the record is of another pod; `pod` is then left as it is.
    pub fn apply(&self, pod: &mut Value) -> Result<(), UndoError> {
        let mut undone = pod.clone();
        apply::root(&self.root, &mut undone)?;
        *pod = undone;
        Ok(())
    }
}

impl Serialize for Undo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::value(&self.root).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Undo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Map::deserialize(deserializer)?;
        text::read(fields).map(|root| Self { root }).map_err(D::Error::custom)
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", text::value(&self.root))
    }
}

impl FromStr for Undo {
    type Err = UndoError;

    /// Reads a record back; the text may come from anyone.
    ///
    /// # Errors
    /// When it is no record, or longer than the 256 KiB that Kubernetes allows for all annotations of an object.
    fn from_str(text: &str) -> Result<Self, UndoError> {
        text::parse(text).map(|root| Self { root }).map_err(UndoError::NotARecord)
    }
}

/// What to do with the entries of one mapping or keyed list.
#[derive(Clone, Debug, Default, PartialEq)]
struct Level {
    was: Was,
    added: Vec<String>,
    changed: Vec<(String, Value)>,
    /// Removed by injection, in the original's order.
    removed: Vec<(String, Value)>,
    nested: Vec<(String, Kind, Level)>,
    /// Name, and the name that stood right before it; `None` for the first of all.
    places: Vec<(String, Option<String>)>,
}

/// What stood in the place of a mapping or list before injection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Was {
    /// A mapping or list.
    #[default]
    There,
    Absent,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Mapping,
    /// A keyed list.
    List,
}

impl Level {
    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

#[cfg(test)]
mod tests;
