//! Pods as the controllers of workloads make them.

use serde_json::{Value, json};
use sidecar_injector::mode::Mode;
use sidecar_injector::workload::WorkloadKind;

/// The pods of `object`, each with its namespace; of a List those of its items.
pub(crate) fn pods_of(object: &Value) -> Vec<(String, Value)> {
    if let Some(items) = object["items"].as_array() {
        return items.iter().flat_map(pods_of).collect();
    }
    let Some(kind) = WorkloadKind::of(object, Mode::Istio) else { return Vec::new() };
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (name, namespace) = (text("name"), text("namespace"));
    if kind.is_pod() {
        return vec![(namespace, object.clone())];
    }
    let mut pod = kind.pod(object, Mode::Istio).unwrap().into_owned();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    let (generate_name, owner) = if kind.kind == "Deployment" {
        pod["metadata"]["labels"]["pod-template-hash"] = "fake".into();
        (format!("{name}-fake-"), json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-fake")}))
    } else {
        (name.clone(), json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": name}))
    };
    pod["metadata"]["generateName"] = generate_name.into();
    pod["metadata"]["ownerReferences"] = json!([owner]);
    pod["metadata"]["ownerReferences"][0]["controller"] = true.into();
    vec![(namespace, pod)]
}
