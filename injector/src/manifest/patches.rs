//! How changed objects differ from what they were, for `kubectl patch --type json`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::manifest::objects::is_list;
use crate::mode::Mode;
use crate::patch;
use crate::workload::WorkloadKind;

/// What is to be patched, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectPatch {
    /// The object's `apiVersion`.
    pub api_version: Value,
    /// The object's `kind`.
    pub kind: Value,
    /// Its name and namespace, as far as they are given.
    pub metadata: Value,
    /// JSONPatch (RFC 6902) from what it was to what it is.
    pub patch: Value,
}

/// The patches of all objects that differ: of the document, or of the items where it is a List.
pub(super) fn patches(before: &Value, after: &Value) -> Vec<ObjectPatch> {
    if !is_list(before) {
        return (before != after).then(|| patch_of(before, after)).into_iter().collect();
    }
    let items = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
    let (before, after) = (items(before), items(after));
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
    changed.map(|(before, after)| patch_of(before, after)).collect()
}

fn patch_of(before: &Value, after: &Value) -> ObjectPatch {
    let mut metadata = json!({});
    for key in ["namespace", "name", "generateName"] {
        if let Some(value) = before.pointer("/metadata").and_then(|metadata| metadata.get(key)) {
            metadata[key] = value.clone();
        }
    }
    let patch = patch_of_pod(before, after).unwrap_or_else(|| json!(patch::diff(before, after)));
    let field = |key: &str| before.get(key).cloned().unwrap_or_default();
    ObjectPatch { api_version: field("apiVersion"), kind: field("kind"), metadata, patch }
}

/// The patch of a pod reads better than that of the object around it, as its containers are told apart by name. None where
/// more than the pod has changed.
fn patch_of_pod(before: &Value, after: &Value) -> Option<Value> {
    let workload = WorkloadKind::of(before, Mode::Corrected)?;
    let (pod, changed) = (workload.pod(before, Mode::Corrected).ok()?, workload.pod(after, Mode::Corrected).ok()?);
    let mut rest = before.clone();
    workload.replace_pod(&mut rest, changed.clone().into_owned(), Mode::Corrected);
    if rest != *after {
        return None;
    }
    let prefix: String =
        workload.pod_path().split('.').filter(|key| !key.is_empty()).flat_map(|key| ["/", key]).collect();
    let mut operations = json!(patch::diff(&pod, &changed));
    for operation in operations.as_array_mut()? {
        for key in ["path", "from"] {
            if let Some(Value::String(path)) = operation.get_mut(key) {
                path.insert_str(0, &prefix);
            }
        }
    }
    Some(operations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_leads_from_one_object_to_the_other() {
        let pod = |containers: Value| json!({"metadata": {}, "spec": {"containers": containers}});
        let job = |pod: Value| {
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a", "uid": 1},
            "spec": {"jobTemplate": {"spec": {"template": pod}}}})
        };
        let before = job(pod(json!([{"name": "app"}])));
        let after = job(pod(json!([{"name": "istio-proxy"}, {"name": "app"}])));
        let found = patches(&before, &after);
        let path = "/spec/jobTemplate/spec/template/spec/containers/0";
        assert_eq!(found[0].patch, json!([{"op": "add", "path": path, "value": {"name": "istio-proxy"}}]));
        assert_eq!((&found[0].kind, &found[0].metadata), (&json!("CronJob"), &json!({"name": "a"})));
        let list = |items: Value| json!({"apiVersion": "v1", "kind": "List", "items": items});
        assert_eq!(patches(&list(json!([1, before])), &list(json!([1, after]))), found);
        assert_eq!(patches(&before, &before), []);
    }
}
