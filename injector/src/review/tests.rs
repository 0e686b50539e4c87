//! Reviews in, answers out.

use super::*;
use crate::config::Configuration;
use crate::defaults;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
            (review.outcome, review.code, review.namespace.as_str(), review.name.as_str()),
            (ReviewOutcome::Injected, "policy_enabled", "demo", "app-*")
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
    let response = &review.answer["response"];
    assert_eq!((&response["uid"], &response["allowed"], response.get("patch")), (&json!("7"), &json!(true), None));
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
    let injector = injector().with(|settings| settings.mode = crate::mode::Mode::Istio);
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
    assert_eq!(review_without(json!({"uid": "", "kind": {}})), "request.uid: is missing, or not a string");
}

#[test]
fn a_request_without_a_pod_is_denied() {
    let mut asked = request(Value::Null);
    let review = reviewed(&asked);
    assert_eq!((review.code, &review.answer["response"]["uid"]), ("no_object", &json!("7")));
    asked["request"]["object"] = json!({"spec": {}});
    assert_eq!(reviewed(&asked).code, "invalid_pod");
}

#[test]
fn whatever_is_wrong_the_uid_is_answered() {
    let head = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{"uid":"7""#;
    let deep = format!("{head},\"object\":{}", "[".repeat(1000));
    for rest in ["", "}}", r#","kind":{}}}"#, r#","kind":[]}}"#, ",", "\u{0}"] {
        let review = review(format!("{head}{rest}").as_bytes(), &BTreeMap::new(), &injector()).unwrap();
        assert_eq!((review.outcome, review.code, review.uid.as_str()), (ReviewOutcome::Denied, "not_a_review", "7"));
        assert_eq!(review.answer["apiVersion"], "admission.k8s.io/v1beta1");
        let response = &review.answer["response"];
        assert_eq!((&response["uid"], &response["status"]["code"]), (&json!("7"), &json!(400)), "{rest}");
    }
    let review = review(deep.as_bytes(), &BTreeMap::new(), &injector()).unwrap();
    assert!(review.reason.contains("not JSON: recursion limit"), "{}", review.reason);
}

fn warnings(pod: Value) -> Vec<String> {
    let warnings = reviewed(&request(pod)).answer["response"]["warnings"].take();
    serde_json::from_value(warnings).unwrap_or_default()
}

#[test]
fn a_skip_that_surprises_is_warned_about() {
    let on_host = |inject: Value| {
        json!({"metadata": {"labels": {"sidecar.istio.io/inject": inject}},
        "spec": {"hostNetwork": true, "containers": [{"name": "app"}]}})
    };
    assert_eq!(warnings(on_host("true".into())), ["no sidecar: the pod uses the host's network"]);
    assert_eq!(warnings(on_host(Value::Null)).len(), 1);
    assert_eq!(warnings(on_host("false".into())), [""; 0]);
    let auto = |inject: &str| {
        json!({"metadata": {"labels": {"sidecar.istio.io/inject": inject}},
        "spec": {"containers": [{"name": "istio-proxy", "image": "auto"}, {"name": "app"}]}})
    };
    assert!(warnings(auto("false"))[0].starts_with("container 'istio-proxy' has the image 'auto'"));
    assert_eq!(warnings(auto("true")), [""; 0]);
    let odd = json!({"metadata": {"annotations": {"sidecar.istio.io/inject": "x".repeat(1000)}},
        "spec": {"containers": [{"name": "app"}]}});
    let given = warnings(odd);
    assert!(given[0].contains("sidecar.istio.io/inject") && given[0].chars().count() == 256, "{given:?}");
}

#[test]
fn a_policy_that_is_no_policy_is_warned_about() {
    let mut sources = defaults::sources();
    sources.config.text = "policy: enable\ntemplates: {sidecar: 'spec: {}'}\n".to_owned();
    let injector = Injector::new(Configuration::load(&sources).unwrap());
    let review = review(request(pod()).to_string().as_bytes(), &BTreeMap::new(), &injector).unwrap();
    let warning = review.answer["response"]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("`enable`") && warning.chars().count() <= 120, "{warning}");
}

#[test]
fn where_all_namespaces_are_injected_nobody_asked() {
    let mut sources = defaults::sources();
    sources.values.text = r#"{"sidecarInjectorWebhook": {"enableNamespacesByDefault": true}}"#.to_owned();
    let injector = Injector::new(Configuration::load(&sources).unwrap());
    let on_host = json!({"spec": {"hostNetwork": true, "containers": [{"name": "app"}]}});
    let review = review(request(on_host).to_string().as_bytes(), &BTreeMap::new(), &injector).unwrap();
    assert_eq!(review.answer["response"].get("warnings"), None);
}

#[test]
fn the_audit_log_is_told_what_was_decided() {
    let annotations = reviewed(&request(pod())).answer["response"]["auditAnnotations"].clone();
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    let digest = configuration.digest();
    assert_eq!(digest.len(), 16);
    assert_eq!(
        annotations,
        json!({"decision": "injected", "reason": "policy_enabled", "templates": "sidecar", "revision": "default",
            "config-hash": digest})
    );
    let skipped = reviewed(&request(json!({"spec": {"hostNetwork": true}}))).answer["response"].take();
    assert_eq!(skipped["auditAnnotations"]["reason"], "host_network");
    assert_eq!(skipped["auditAnnotations"].get("templates"), None);
}

fn owned(mut pod: Value) -> Value {
    pod["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "example.org/v1", "kind": "Set", "name": "other", "uid": "o"},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "app-1", "uid": "u", "controller": true}]);
    pod
}

#[test]
fn the_owner_is_told_of_surprises_and_denials() {
    let on_host = json!({"metadata": {"generateName": "app-"}, "spec": {"hostNetwork": true}});
    let notice = reviewed(&request(owned(on_host.clone()))).notice.unwrap();
    assert_eq!(
        (notice.reason, notice.note.as_str()),
        ("InjectionSkipped", "pod app-*: no sidecar: the pod uses the host's network")
    );
    let owner = notice.owner;
    let told = [owner.kind, owner.name, owner.namespace, owner.uid, owner.api_version].map(Option::unwrap);
    assert_eq!(told, ["ReplicaSet", "app-1", "demo", "u", "apps/v1"]);
    assert_eq!(
        reviewed(&request(owned(json!({"metadata": {}, "spec": {}})))).notice.unwrap().reason,
        "InjectionDenied"
    );

    assert_eq!(reviewed(&request(on_host.clone())).notice, None, "no owner");
    assert_eq!(reviewed(&request(owned(pod()))).notice, None, "no surprise");
    let mut dry = request(owned(on_host));
    dry["request"]["dryRun"] = true.into();
    let review = reviewed(&dry);
    assert_eq!(review.notice, None, "dry run");
    assert!(review.answer["response"]["warnings"].is_array(), "an answer is no side effect");
}

#[test]
fn nobody_is_told_whose_name_cannot_be() {
    let asked = request(owned(json!({"metadata": {}, "spec": {}})));
    assert!(reviewed(&asked).notice.is_some());
    for (field, longest) in [("apiVersion", 317), ("kind", 63), ("name", 253), ("uid", 128)] {
        for (length, is_told) in [(longest, true), (longest + 1, false), (0, false)] {
            let mut asked = asked.clone();
            asked["request"]["object"]["metadata"]["ownerReferences"][1][field] = "a".repeat(length).into();
            assert_eq!(reviewed(&asked).notice.is_some(), is_told, "{field}: {length}");
        }
    }
    let mut asked = asked;
    asked["request"]["namespace"] = "a".repeat(64).into();
    assert_eq!(reviewed(&asked).notice, None);
}

#[test]
fn a_request_that_says_too_much_is_not_repeated() {
    for (pointer, text) in [("/request/kind/kind", "\u{1}"), ("/request/operation", "é"), ("/request/subResource", "a")]
    {
        let mut asked = request(pod());
        asked["request"]["subResource"] = "".into();
        *asked.pointer_mut(pointer).unwrap() = text.repeat(1_000_000).into();
        let review = reviewed(&asked);
        assert!(review.code == "not_a_new_pod" && review.reason.len() < 500, "{}", review.reason.len());
    }
}

#[test]
fn a_template_that_fails_denies_the_pod_in_both_modes() {
    let mut sources = defaults::sources();
    sources.config.text =
        "policy: enabled\ndefaultTemplates: [sidecar]\ntemplates: {sidecar: 'status: {}'}\n".to_owned();
    let injector = Injector::new(Configuration::load(&sources).unwrap());
    let istio = injector.clone().with(|settings| settings.mode = crate::mode::Mode::Istio);
    for injector in [injector, istio] {
        let body = request(owned(pod())).to_string();
        let review = review(body.as_bytes(), &BTreeMap::new(), &injector).unwrap();
        assert_eq!((review.code, review.outcome), ("invalid_template", ReviewOutcome::Denied));
        assert_eq!(review.answer["response"]["allowed"], false);
        assert_eq!(review.notice.unwrap().reason, "InjectionDenied");
    }
}
