//! Injected objects are what Kubernetes' own types say they are: nothing in them is unknown to the API.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sidecar_injector::config::Configuration;
use sidecar_injector::context::Injector;
use sidecar_injector::defaults;
use sidecar_injector::manifest::inject_manifest;
use sidecar_injector::native::Setting;
use sidecar_injector::yaml::read_manifest;

fn injected(text: &str, native_sidecars: bool) -> Vec<Value> {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    let native_sidecars = if native_sidecars { Setting::True } else { Setting::False };
    let injector = Injector::new(configuration).with(|settings| settings.native_sidecars = native_sidecars);
    let manifest = inject_manifest(text, &injector).unwrap();
    manifest.text.split("---\n").map(|document| read_manifest(document).unwrap()).collect()
}

/// Paths of `given` that are not in `known`.
fn unknown_fields(given: &Value, known: &Value, path: &str) -> Vec<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given
            .iter()
            .flat_map(|(key, value)| match known.get(key) {
                Some(known) => unknown_fields(value, known, &format!("{path}.{key}")),
                None => vec![format!("{path}.{key}")],
            })
            .collect(),
        (Value::Array(given), Value::Array(known)) => given
            .iter()
            .zip(known)
            .flat_map(|(given, known)| unknown_fields(given, known, &format!("{path}[]")))
            .collect(),
        _ => Vec::new(),
    }
}

/// A strict decode: the type takes the object, and gives every field of it back.
fn assert_strict<T: DeserializeOwned + Serialize>(object: &Value) {
    let typed: T = serde_json::from_value(object.clone()).unwrap();
    let known = serde_json::to_value(typed).unwrap();
    assert_eq!(unknown_fields(object, &known, ""), Vec::<String>::new());
}

#[test]
fn the_injected_sample_decodes_strictly() {
    let sample = include_str!("../../samples/httpbin.yaml");
    for native_sidecars in [false, true] {
        let objects = injected(sample, native_sidecars);
        let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
        assert_strict::<Deployment>(deployment);
    }
}

#[test]
fn a_pod_with_every_annotation_decodes_strictly() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": {
            "sidecar.istio.io/proxyCPU": "1", "sidecar.istio.io/proxyMemoryLimit": "1Gi", "sidecar.istio.io/logLevel": "debug",
            "traffic.sidecar.istio.io/includeInboundPorts": "80", "traffic.sidecar.istio.io/excludeOutboundPorts": "1,2"}},
        "spec": {"containers": [{"name": "app", "image": "app"}]}});
    assert_strict::<Pod>(&injected(&pod.to_string(), false)[0]);
}

#[test]
fn an_unknown_field_would_be_noticed() {
    let object = json!({"spec": {"containers": [{"name": "a", "imagePullPolice": "Always"}]}});
    let known = serde_json::to_value(serde_json::from_value::<Pod>(object.clone()).unwrap()).unwrap();
    assert_eq!(unknown_fields(&object, &known, ""), [".spec.containers[].imagePullPolice"]);
}
