//! Other mutating webhooks beside ours, which the API server calls in the order of their configurations' names.

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;

use super::objects::{assert_same_injection, container, create, kubectl, pod, requests, use_istio_template, variable};
use super::second_webhook::SecondWebhook;
use super::{Installation, Replica};
use crate::installation::PATIENCE;

/// What the other webhook adds, as it comes back from the API server with defaults.
fn added() -> Value {
    json!({"name": "added", "image": "registry.example/added:1", "ports": [{"name": "added", "containerPort": 9000}]})
}

fn names<'a>(pod: &'a Value, list: &str) -> Vec<&'a str> {
    pod["spec"][list].as_array().into_iter().flatten().filter_map(|container| container["name"].as_str()).collect()
}

fn add_container(pod: &Value) -> Value {
    if names(pod, "containers").contains(&"added") {
        return json!([]);
    }
    json!([{"op": "add", "path": "/spec/containers/-", "value": added()}])
}

/// Of the sidecar, if it is there.
fn edit_sidecar(pod: &Value) -> Value {
    let mut patch = json!([]);
    for list in ["initContainers", "containers"] {
        let Some(index) = names(pod, list).iter().position(|name| *name == "istio-proxy") else { continue };
        let path = format!("/spec/{list}/{index}");
        let image = json!({"op": "replace", "path": format!("{path}/image"), "value": "registry.example/mirrored:1"});
        let variables = pod.pointer(&format!("{path}/env")).and_then(Value::as_array);
        let extra = json!({"name": "EXTRA", "value": "1"});
        let add = match variables {
            None => json!({"op": "add", "path": format!("{path}/env"), "value": [extra]}),
            Some(variables) if variables.contains(&extra) => continue,
            Some(_) => json!({"op": "add", "path": format!("{path}/env/-"), "value": extra}),
        };
        patch = json!([image, add]);
    }
    patch
}

/// Waits until the API server calls the other webhook, without leaving anything behind.
fn until_called(server: &ApiServer, namespace: &str, is_changed: impl Fn(&Value) -> bool) {
    eventually(PATIENCE, || {
        let answer = kubectl(server, &["create", "--dry-run=server"], &pod(namespace, "probe"));
        if is_changed(&answer.object) { Ok(()) } else { Err(format!("{answer:?}")) }
    })
    .unwrap();
}

/// Two namespaces that are injected; in the first there will be another webhook.
fn two_namespaces(installation: &Installation<'_>) -> [String; 2] {
    ["both", "alone"].map(|name| installation.labelled_namespace(name))
}

/// Creates a pod and returns it with how often the replica was called for it.
fn create_counted(server: &ApiServer, replica: &Replica, pod: &Value) -> (Value, [f64; 2]) {
    let count = || [requests(replica, ""), requests(replica, "injected")];
    let before = count();
    let created = create(server, pod);
    let after = count();
    (created, [after[0] - before[0], after[1] - before[1]])
}

fn has_added(pod: &Value) -> bool {
    names(pod, "containers").contains(&"added")
}

#[test]
fn a_container_that_is_added_after_us_is_in_the_sidecar_s_picture() {
    let Some(server) = ApiServer::shared() else { return };
    for (revision, native) in [("reinvoked", "true"), ("reinvoked-classic", "false")] {
        let installation = Installation::new(server, revision);
        let tells_containers = use_istio_template(&installation);
        let replica = installation.start_ready("injector-0", &[&format!("--nativeSidecars={native}")]);
        let [both, alone] = two_namespaces(&installation);
        let second = SecondWebhook::start(server, &format!("zz-{revision}"), &both, "Never", add_container);
        until_called(server, &both, has_added);

        let (reinvoked, calls) = create_counted(server, &replica, &pod(&both, "web"));
        assert_eq!((calls[0], second.calls()), (2.0, 1));
        let sidecar = container(&reinvoked, "istio-proxy");
        container(&reinvoked, "istio-init");
        if tells_containers {
            assert_eq!(*variable(sidecar, "ISTIO_META_APP_CONTAINERS"), "app,added");
            assert!(variable(sidecar, "ISTIO_META_POD_PORTS").as_str().unwrap().contains("9000"), "{sidecar}");
        }

        let mut whole = pod(&alone, "web");
        whole["spec"]["containers"].as_array_mut().unwrap().push(added());
        let (fresh, calls) = create_counted(server, &replica, &whole);
        assert_eq!(calls, [1.0, 1.0]);
        assert_same_injection(&reinvoked, &fresh);
    }
}

#[test]
fn what_others_add_to_the_sidecar_stays_and_what_the_template_says_wins() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "edited");
    let replica = installation.start_ready("edited-0", &[]);
    let [both, alone] = two_namespaces(&installation);
    let is_edited = |pod: &Value| *variable(container(pod, "istio-proxy"), "EXTRA") == "1";
    let second = SecondWebhook::start(server, "zz-edited", &both, "Never", edit_sidecar);
    until_called(server, &both, is_edited);

    let (edited, calls) = create_counted(server, &replica, &pod(&both, "web"));
    assert_eq!((calls[0], second.calls()), (2.0, 1));
    let fresh = create(server, &pod(&alone, "web"));
    let image = |pod: &Value| container(pod, "istio-proxy")["image"].clone();
    assert_eq!((image(&edited), is_edited(&edited)), (image(&fresh), true));

    // Whoever is asked again after us has the last word, and the API server asks each but once more.
    drop(second);
    let second = SecondWebhook::start(server, "zz-edited-again", &both, "IfNeeded", edit_sidecar);
    until_called(server, &both, |pod| is_edited(pod));
    let (edited, _) = create_counted(server, &replica, &pod(&both, "again"));
    assert!(is_edited(&edited) && second.calls() >= 1, "{edited}");
}

#[test]
fn what_is_changed_before_us_is_injected_at_once() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "preceded");
    use_istio_template(&installation);
    let replica = installation.start_ready("preceded-0", &[]);
    let [both, alone] = two_namespaces(&installation);
    for (name, reinvocation, expected) in [("once", "Never", 1), ("twice", "IfNeeded", 2)] {
        let second = SecondWebhook::start(server, &format!("aa-preceded-{name}"), &both, reinvocation, add_container);
        until_called(server, &both, has_added);
        let (preceded, calls) = create_counted(server, &replica, &pod(&both, name));
        // The second time it has nothing to change, and so there is nothing that we had not seen.
        assert_eq!((calls, second.calls()), ([1.0, 1.0], expected));
        let mut whole = pod(&alone, name);
        whole["spec"]["containers"].as_array_mut().unwrap().push(added());
        assert_same_injection(&preceded, &create(server, &whole));
    }
}
