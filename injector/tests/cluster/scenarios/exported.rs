//! Injected pods that come back: applied again, or exported and created elsewhere.

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;

use super::objects::{assert_same_injection, container, create, get, kubectl, pod, requests, use_istio_template};
use super::{Installation, has_sidecar};

/// The pod as it would be exported by hand, for another place.
fn moved(pod: &Value, namespace: &str, name: &str) -> Value {
    let mut moved = pod.clone();
    moved["metadata"]["namespace"] = namespace.into();
    moved["metadata"]["name"] = name.into();
    let metadata = moved["metadata"].as_object_mut().unwrap();
    metadata.retain(|key, _| ["name", "namespace", "labels", "annotations"].contains(&key.as_str()));
    moved.as_object_mut().unwrap().shift_remove("status");
    moved
}

#[test]
fn server_side_apply_again_and_of_what_came_back_changes_nothing() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "applied");
    let replica = installation.start_ready("applied-0", &[]);
    let namespace = installation.labelled_namespace("demo");

    let manifest = pod(&namespace, "web");
    let apply = |object: &Value, arguments: &[&str]| {
        let answer = kubectl(server, &[&["apply", "--server-side"], arguments].concat(), object);
        assert!(answer.is_success, "{}", answer.said);
        answer.object
    };
    let first = apply(&manifest, &[]);
    assert!(has_sidecar(&first), "{first}");
    let again = apply(&manifest, &[]);
    assert_eq!(again["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let exported = get(server, &namespace, "web");
    let back = apply(&exported, &["--force-conflicts"]);
    assert_same_injection(&back, &first);
    assert_eq!(requests(&replica, ""), 1.0, "only the creation");

    // The classic way, too.
    let classic = kubectl(server, &["apply"], &pod(&namespace, "classic"));
    assert!(classic.is_success && has_sidecar(&classic.object), "{classic:?}");
    assert!(kubectl(server, &["apply"], &pod(&namespace, "classic")).is_success);
    assert_eq!(requests(&replica, ""), 2.0);
}

#[test]
fn an_exported_pod_is_injected_afresh_elsewhere() {
    let Some(server) = ApiServer::shared() else { return };
    for (revision, is_istio) in [("exported", false), ("exported-istio", true)] {
        let installation = Installation::new(server, revision);
        if is_istio && !use_istio_template(&installation) {
            continue;
        }
        let replica = installation.start_ready("injector-0", &[]);
        let [from, to, fresh] = ["from", "to", "fresh"].map(|name| installation.labelled_namespace(name));
        let mut original = pod(&from, "web");
        original["metadata"]["labels"] = json!({"app": "web"});
        original["spec"]["containers"][0]["livenessProbe"] = json!({"httpGet": {"path": "/live", "port": 8080}});
        let exported = create(server, &original);
        let fresh = create(server, &moved(&original, &fresh, "web"));
        let created = create(server, &moved(&exported, &to, "web"));
        assert_same_injection(&created, &fresh);

        // And by server-side apply, which merges into nothing.
        let applied = kubectl(server, &["apply", "--server-side"], &moved(&created, &to, "applied"));
        assert!(applied.is_success, "{}", applied.said);
        container(&applied.object, "istio-proxy");
        container(&applied.object, "istio-init");
        assert_eq!(requests(&replica, "denied"), 0.0);
    }
}

#[test]
fn what_has_left_the_template_is_not_taken_along() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "slimmed");
    let replica = installation.start_ready("slimmed-0", &[]);
    let [from, to, fresh] = ["from", "to", "fresh"].map(|name| installation.labelled_namespace(name));
    let original = pod(&from, "web");
    let exported = create(server, &original);
    assert!(container(&exported, "istio-init")["resources"]["limits"].is_object());

    let name = installation.object_name();
    let values = installation.kubectl(&["get", "configmap", &name, "-o", "jsonpath={.data.values}"]).unwrap();
    let mut values: Value = serde_json::from_str(&values).unwrap();
    values["global"]["proxy_init"].as_object_mut().unwrap().shift_remove("resources");
    let patch = json!({"data": {"values": values.to_string()}}).to_string();
    let generation = "sidecar_injector_configuration_generation";
    let before = replica.metric(generation, "");
    installation.kubectl(&["patch", "configmap", &name, "--patch", &patch]).unwrap();
    replica.until_metric(generation, "", |now| now > before);

    let created = create(server, &moved(&exported, &to, "web"));
    assert!(container(&created, "istio-init")["resources"]["limits"].is_null(), "{}", created["spec"]);
    assert_same_injection(&created, &create(server, &moved(&original, &fresh, "web")));
}
