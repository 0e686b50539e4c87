//! What the cluster's objects tell of when they were changed.

use serde_json::{Map, Value};
use sidecar_contract::label;

use crate::workload::{metadata_map, metadata_text};

/// A namespace, as far as the decision about its pods goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// Its labels.
    pub labels: Map<String, Value>,
    /// When somebody wrote a label that asks for injection last, at the latest, in RFC 3339, where that is known.
    pub labelled: Option<String>,
}

impl NamespaceFacts {
    /// What a Namespace object tells, with its `managedFields` where they are there.
    pub fn of(namespace: &Value) -> Self {
        Self {
            labels: metadata_map(namespace, "labels").clone(),
            labelled: labelled(namespace, [label::NAMESPACE_INJECTION, label::REVISION]),
        }
    }
}

/// When an object was changed last, in RFC 3339: by its `managedFields`, or else when it was created.
pub fn changed(object: &Value) -> Option<String> {
    let times = managed(object).filter_map(|entry| entry.get("time")?.as_str());
    let created = Some(metadata_text(object, "creationTimestamp")).filter(|time| !time.is_empty());
    // In RFC 3339 and UTC, so that the order of the texts is that of the times.
    times.chain(created).max().map(str::to_owned)
}

/// When somebody wrote one of these labels of an object last, by its `managedFields`, at the latest: theirs is the time at
/// which that manager wrote anything.
pub(super) fn labelled(object: &Value, labels: [&str; 2]) -> Option<String> {
    let writes = |entry: &&Value| {
        let written = entry.pointer("/fieldsV1/f:metadata/f:labels");
        labels.iter().any(|name| written.is_some_and(|written| written.get(format!("f:{name}")).is_some()))
    };
    managed(object).filter(writes).filter_map(|entry| entry.get("time")?.as_str()).max().map(str::to_owned)
}

fn managed(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten()
}
