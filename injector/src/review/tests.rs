//! Reviews in, answers out.

use super::*;
use crate::config::Configuration;
use crate::defaults;

fn injector() -> Injector {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    Injector::new(configuration)
}

fn request(pod: Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "7", "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "demo",
        "object": pod}})
}

fn pod() -> Value {
    json!({"metadata": {"generateName": "app-"}, "spec": {"containers": [{"name": "app", "x-unknown": 1}]}})
}

fn reviewed(review_request: &Value) -> Review {
    review(review_request.to_string().as_bytes(), &BTreeMap::new(), &injector()).unwrap()
}

fn patched(review: &Review, pod: &Value) -> Value {
    let patch = STANDARD.decode(review.answer["response"]["patch"].as_str().unwrap()).unwrap();
    let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &patch).unwrap();
    pod
}

#[test]
fn a_new_pod_is_patched_in_both_versions() {
    for api_version in ["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] {
        let mut asked = request(pod());
        asked["apiVersion"] = api_version.into();
        let review = reviewed(&asked);
        assert_eq!(review.answer["apiVersion"], api_version);
        assert_eq!(review.answer["response"]["uid"], "7");
        assert_eq!(review.answer["response"]["allowed"], true);
        assert_eq!(review.answer["response"]["patchType"], "JSONPatch");
        assert_eq!(
            (review.outcome, review.code, review.pod.as_str()),
            (ReviewOutcome::Injected, "policy_enabled", "demo/app-*")
        );
        let injected = patched(&review, &pod());
        assert_eq!(crate::workload::names(&injected, "containers"), ["app", "istio-proxy"]);
        assert_eq!(injected["spec"]["containers"][0]["x-unknown"], 1);
    }
}

#[test]
fn the_webhook_and_the_command_line_inject_alike() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "demo"},
        "spec": {"containers": [{"name": "app"}], "volumes": [{"name": "v", "emptyDir": {}}]}});
    let online = patched(&reviewed(&request(pod.clone())), &pod);
    let offline = crate::manifest::inject_manifest(&pod.to_string(), &injector()).unwrap();
    assert_eq!(crate::yaml::read_manifest(&offline.text).unwrap(), online);
}

#[test]
fn an_injected_pod_is_left_alone() {
    let once = patched(&reviewed(&request(pod())), &pod());
    let again = reviewed(&request(once));
    assert_eq!((again.code, again.answer["response"].get("patch")), ("up_to_date", None));
}

#[test]
fn a_skipped_pod_is_allowed_without_a_patch() {
    let mut on_host = pod();
    on_host["spec"]["hostNetwork"] = true.into();
    let review = reviewed(&request(on_host));
    assert_eq!(review.answer["response"], json!({"uid": "7", "allowed": true}));
    assert_eq!((review.outcome, review.code), (ReviewOutcome::Skipped, "host_network"));
}

#[test]
fn the_namespace_of_the_request_counts_where_the_pod_has_none() {
    let mut asked = request(pod());
    asked["request"]["namespace"] = "kube-system".into();
    assert_eq!(reviewed(&asked).code, "system_namespace");
}

#[test]
fn what_is_not_a_new_pod_is_let_through() {
    for (field, value) in [
        ("kind", json!({"group": "apps", "kind": "Deployment"})),
        ("kind", json!({"group": "example.org", "kind": "Pod"})),
        ("operation", json!("UPDATE")),
        ("subResource", json!("ephemeralcontainers")),
    ] {
        let mut asked = request(pod());
        asked["request"][field] = value;
        let review = reviewed(&asked);
        assert_eq!((review.code, &review.answer["response"]["allowed"]), ("not_a_new_pod", &json!(true)), "{asked}");
        assert!(review.answer["response"].get("patch").is_none());
    }
}

#[test]
fn istio_does_not_ask_what_the_request_is_for() {
    let injector = Injector { mode: crate::mode::Mode::Istio, ..injector() };
    for request in [json!({"object": pod(), "operation": "UPDATE", "kind": {"kind": "Job"}}), json!({"object": pod()})]
    {
        let body =
            json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string();
        let review = review(body.as_bytes(), &BTreeMap::new(), &injector).unwrap();
        assert_eq!(review.outcome, ReviewOutcome::Injected, "{body}");
    }
}

#[test]
fn a_pod_that_cannot_be_injected_is_denied_with_every_reason() {
    let mut bad = pod();
    bad["metadata"]["annotations"] = json!({"sidecar.istio.io/proxyCPU": "lots", "sidecar.istio.io/logLevel": "loud"});
    let review = reviewed(&request(bad));
    let response = &review.answer["response"];
    assert_eq!(
        (review.code, &response["allowed"], &response["status"]["code"]),
        ("invalid_pod", &json!(false), &json!(400))
    );
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("proxyCPU") && message.contains("logLevel"), "{message}");
}

#[test]
fn senseless_labels_become_warnings() {
    let mut odd = pod();
    odd["metadata"]["labels"] = json!({"sidecar.istio.io/inject": "yes"});
    let warnings = reviewed(&request(odd)).answer["response"]["warnings"].clone();
    assert!(warnings[0].as_str().unwrap().contains("'yes'"), "{warnings}");
}

#[test]
fn what_is_no_review_is_refused_by_field() {
    let message = |body: &str| review(body.as_bytes(), &BTreeMap::new(), &injector()).unwrap_err().to_string();
    assert!(message("{").starts_with("the body is not JSON"));
    assert!(message(&"[".repeat(100_000)).starts_with("the body is not JSON"));
    assert!(message("[]").contains("AdmissionReview"));
    assert!(message(r#"{"apiVersion": "v1", "kind": "Pod"}"#).contains("got 'v1' and 'Pod'"));
    let review_without = |request: Value| {
        message(
            &json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).to_string(),
        )
    };
    assert_eq!(review_without(Value::Null), "request: is missing, or not an object");
    assert_eq!(review_without(json!({})), "request.uid: is missing, or not a string");
    assert_eq!(review_without(json!({"uid": "7"})), "request.kind: is missing, or not an object");
    assert_eq!(review_without(json!({"uid": "7", "kind": {}})), "request.operation: is missing, or not a string");
}

#[test]
fn a_request_without_a_pod_is_denied() {
    let mut asked = request(Value::Null);
    let review = reviewed(&asked);
    assert_eq!((review.code, &review.answer["response"]["uid"]), ("no_object", &json!("7")));
    asked["request"]["object"] = json!({"spec": {}});
    assert_eq!(reviewed(&asked).code, "invalid_pod");
}
