//! Pods as the controllers of workloads make them, and as the API server has them after an admission review.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sidecar_injector::mode::Mode;
use sidecar_injector::workload::WorkloadKind;
use sidecar_injector::yaml::read_manifest;

/// The documents of a manifest.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = format!("\n{text}");
    let documents = documents.split("\n---").map(|document| read_manifest(document.trim_start_matches('-')).unwrap());
    documents.filter(|object| !object.is_null()).collect()
}

/// The pods of `object`, each with its namespace; of a List those of its items.
pub(crate) fn pods_of(object: &Value, mode: Mode) -> Vec<(String, Value)> {
    if let Some(items) = object["items"].as_array() {
        return items.iter().flat_map(|item| pods_of(item, mode)).collect();
    }
    let Some(kind) = WorkloadKind::of(object, mode) else { return Vec::new() };
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    let (name, namespace) = (text("name"), text("namespace"));
    if kind.is_pod() {
        return vec![(namespace, object.clone())];
    }
    let Ok(pod) = kind.pod(object, mode) else { return Vec::new() };
    let mut pod = pod.into_owned();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    let (generate_name, owner) = if kind.kind == "Deployment" {
        pod["metadata"]["labels"]["pod-template-hash"] = "fake".into();
        (
            format!("{name}-fake-"),
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-fake")}),
        )
    } else {
        (name.clone(), json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": name}))
    };
    pod["metadata"]["generateName"] = generate_name.into();
    pod["metadata"]["ownerReferences"] = json!([owner]);
    pod["metadata"]["ownerReferences"][0]["controller"] = true.into();
    vec![(namespace, pod)]
}

/// The AdmissionReview with which the API server asks for `pod`.
pub(crate) fn review_of(pod: &Value, namespace: &str) -> Vec<u8> {
    let request = json!({"uid": "u", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE",
        "namespace": namespace, "object": pod});
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    review.to_string().into_bytes()
}

/// `pod` as the API server has it after the answer.
pub(crate) fn patched(pod: &Value, response: &Value) -> Value {
    assert_eq!(response["allowed"], true, "{response}");
    let mut pod = pod.clone();
    if let Some(patch) = response["patch"].as_str() {
        let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
        json_patch::patch(&mut pod, &patch).unwrap();
    }
    pod
}
