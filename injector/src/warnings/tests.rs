//! Which pods are warned about, and with which code.

use serde_json::{Map, Value, json};

use super::*;
use crate::config::Configuration;
use crate::context::{Cluster, Injector, NO_VARIABLES};
use crate::defaults;
use crate::inject::inject;
use crate::native::Setting;
use crate::owner::Owner;
use crate::selection::Selection;

fn injector() -> Injector {
    Injector::new(Configuration::load(&defaults::sources()).unwrap())
}

fn codes_of(injector: &Injector, pod: &Value) -> Vec<&'static str> {
    let owner = Owner { api_version: "v1", kind: "Pod", name: "a" };
    let outcome = inject(pod, &injector.context(owner, injector.namespace("demo"), &NO_VARIABLES)).unwrap();
    assert!(outcome.warnings.iter().all(|warning| warning.chars().count() <= 256), "{:?}", outcome.warnings);
    outcome.warnings.iter().map(|warning| warning.code).collect()
}

fn codes(spec: Value) -> Vec<&'static str> {
    codes_of(&injector(), &json!({"metadata": {}, "spec": spec}))
}

#[test]
fn every_code_is_listed_once() {
    let unique: std::collections::BTreeSet<_> = CODES.iter().collect();
    assert_eq!(unique.len(), CODES.len());
}

#[test]
fn an_ordinary_pod_is_not_warned_about() {
    let port = json!([{"containerPort": 80}, {"containerPort": 81, "protocol": "TCP"}]);
    assert_eq!(codes(json!({"containers": [{"name": "app", "image": "a", "ports": port}]})), [""; 0]);
}

#[test]
fn udp_passes_by() {
    let port = json!([{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]);
    assert_eq!(codes(json!({"containers": [{"name": "app", "image": "a", "ports": port}]})), [UDP_PORTS]);
}

#[test]
fn the_proxys_user_is_for_the_proxy() {
    let app = |context: Value| json!({"name": "app", "image": "a", "securityContext": context});
    for (pod, container, expected) in [
        (json!({"runAsUser": 1337}), json!({}), true),
        (json!({"runAsUser": 1337}), json!({"runAsUser": 1000}), false),
        (Value::Null, json!({"runAsGroup": 1337}), true),
        (Value::Null, json!({"runAsUser": 1000}), false),
    ] {
        let found = codes(json!({"securityContext": pod, "containers": [app(container)]}));
        assert_eq!(found.contains(&RUNS_AS_PROXY_USER), expected, "{found:?}");
    }
    let proxy = json!({"name": "istio-proxy", "image": "auto", "securityContext": {"runAsUser": 1337}});
    assert_eq!(codes(json!({"containers": [{"name": "app", "image": "a"}, proxy]})), [""; 0]);
}

#[test]
fn init_containers_that_talk_have_no_proxy_yet() {
    let spec = |init: Value| json!({"initContainers": [init], "containers": [{"name": "app", "image": "a"}]});
    for (init, expected) in [
        (json!({"name": "i", "image": "a", "command": ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]}), true),
        (json!({"name": "i", "image": "a", "env": [{"name": "URL", "value": "http://config"}]}), true),
        (json!({"name": "i", "image": "a", "command": ["chown", "-R", "1000", "/data"]}), false),
        (json!({"name": "i", "image": "a", "args": ["curl"], "restartPolicy": "Always"}), false),
    ] {
        let found = codes(spec(init.clone()));
        assert_eq!(found.contains(&INIT_CONTAINERS_BEFORE_PROXY), expected, "{init}");
    }
    let native = injector().with(|settings| settings.native_sidecars = Setting::True);
    let talks = spec(json!({"name": "i", "image": "a", "args": ["curl"]}));
    assert_eq!(codes_of(&native, &json!({"metadata": {}, "spec": talks})), [""; 0]);
}

#[test]
fn where_the_rules_are_there_already_init_containers_have_no_network() {
    let pod =
        json!({"spec": {"initContainers": [{"name": "i"}, {"name": "j", "securityContext": {"runAsUser": 1337}}]}});
    let mut injected = pod.clone();
    injected["spec"]["initContainers"].as_array_mut().unwrap().insert(0, json!({"name": "istio-validation"}));
    injected["spec"]["containers"] = json!([{"name": "istio-proxy"}]);
    let text = network::early_containers(&pod, &injected).unwrap().text;
    assert!(text.starts_with("init containers 'i' run before") && text.contains("no network"), "{text}");
}

#[test]
fn sidecars_of_others_are_seen_before_and_after_their_injection() {
    let app = json!({"name": "app", "image": "a"});
    let with = |name: &str| codes(json!({"containers": [app, {"name": name, "image": "b"}]}));
    for name in ["linkerd-proxy", "consul-dataplane", "kuma-sidecar", "daprd"] {
        assert_eq!(with(name), [FOREIGN_SIDECAR], "{name}");
    }
    let asks = json!({"metadata": {"annotations": {"linkerd.io/inject": "enabled"}}, "spec": {"containers": [app]}});
    assert_eq!(codes_of(&injector(), &asks), [FOREIGN_SIDECAR]);
}

#[test]
fn an_image_that_nothing_replaces_is_told() {
    let containers = json!([{"name": "app", "image": "auto"}]);
    assert_eq!(codes(json!({"containers": containers})), [IMAGE_AUTO]);
    let replaced = json!([{"name": "app", "image": "a"}, {"name": "istio-proxy", "image": "auto"}]);
    assert_eq!(codes(json!({"containers": replaced})), [""; 0]);
    let pod = json!({"spec": {"containers": containers}});
    let skipped = of_a_skip(&Reason::Label(false), &pod, None, &injector().configuration);
    assert_eq!(skipped[0].code, IMAGE_AUTO);
}

#[test]
fn the_level_of_the_namespace_is_held_against_what_is_added() {
    let pod = json!({"metadata": {}, "spec": {"containers": [{"name": "app", "image": "a"}]}});
    let found = |level: Option<&str>| {
        let entry = level.map(|level| ("pod-security.kubernetes.io/enforce".to_owned(), level.into()));
        let labels: Map<String, Value> = entry.into_iter().collect();
        let selection = Selection { labels: [("demo".to_owned(), labels)].into(), ..Selection::default() };
        let cluster = Cluster { selection: Some(selection.into()), ..Cluster::default() };
        codes_of(&Injector { cluster: cluster.into(), ..injector() }, &pod)
    };
    assert_eq!(found(Some("restricted")), [POD_SECURITY_LEVEL]);
    assert_eq!(found(Some("baseline")), [POD_SECURITY_LEVEL]);
    assert_eq!(found(Some("privileged")), [""; 0]);
    assert_eq!(found(None), [""; 0]);
}

#[test]
fn a_level_looks_at_the_security_of_containers() {
    let status = crate::status::Status { containers: Some(vec!["p".to_owned()]), ..Default::default() };
    let forbidden = |level: Level, context: Value| {
        let pod = json!({"spec": {"containers": [{"name": "p", "securityContext": context}]}});
        pod_security::forbids(level, &pod, &status).map(|warning| warning.text)
    };
    let good = json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(forbidden(Level::Restricted, good.clone()), None);
    for (field, value, why) in [
        ("privileged", json!(true), "is privileged"),
        ("runAsNonRoot", json!(false), "run as root"),
        ("runAsUser", json!(0), "run as root"),
        ("allowPrivilegeEscalation", Value::Null, "gain privileges"),
        ("capabilities", json!({}), "capabilities"),
        ("capabilities", json!({"add": ["SYS_TIME"], "drop": ["ALL"]}), "SYS_TIME"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let text = forbidden(Level::Restricted, bad).unwrap();
        assert!(text.contains(why), "{text}");
    }
    assert_eq!(forbidden(Level::Baseline, json!({"runAsUser": 0})), None);
}
