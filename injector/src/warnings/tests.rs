//! Which pods are warned about, and with which code.

use serde_json::{Map, Value, json};

use super::found::of_a_skip;
use super::pod_security::Level;
use super::*;
use crate::config::Configuration;
use crate::context::{Cluster, Injector};
use crate::decide::{NO_VARIABLES, Reason};
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
fn udp_ports_are_in_the_order_of_their_numbers() {
    let ports: Vec<Value> = [9999, 53, 10053].map(|port| json!({"containerPort": port, "protocol": "UDP"})).into();
    let text = network::udp_ports(&json!({"spec": {"containers": [{"name": "a", "ports": ports}]}})).unwrap().text;
    assert!(text.contains("ports 53, 9999, 10053"), "{text}");
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

fn forbidden(level: Level, injected: &Value) -> Option<String> {
    let names = |list: &str| Some(crate::workload::names(injected, list).into_iter().map(str::to_owned).collect());
    let status =
        crate::status::Status { containers: names("containers"), volumes: names("volumes"), ..Default::default() };
    let original = json!({"spec": {"containers": []}});
    pod_security::forbids(level, &original, injected, &status).map(|warning| warning.text)
}

fn good_container() -> Value {
    json!({"name": "p", "securityContext": {
        "runAsNonRoot": true,
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }})
}

#[test]
fn a_level_looks_at_the_security_of_containers() {
    let of = |level: Level, container: Value| forbidden(level, &json!({"spec": {"containers": [container]}}));
    assert_eq!(of(Level::Restricted, good_container()), None);
    assert_eq!(of(Level::Baseline, json!({"name": "p", "securityContext": {"runAsUser": 0}})), None);
    let of_both = [
        ("/securityContext/privileged", json!(true), "is privileged"),
        ("/securityContext/capabilities/add", json!(["SYS_TIME"]), "SYS_TIME"),
        ("/securityContext/procMount", json!("Unmasked"), "procMount"),
        ("/securityContext/seccompProfile", json!({"type": "Unconfined"}), "seccompProfile"),
        ("/securityContext/appArmorProfile", json!({"type": "Unconfined"}), "appArmorProfile"),
        ("/securityContext/seLinuxOptions", json!({"type": "spc_t"}), "seLinuxOptions"),
        ("/securityContext/windowsOptions", json!({"hostProcess": true}), "process of the host"),
        ("/ports", json!([{"containerPort": 1, "hostPort": 1}]), "port of the host"),
        ("/readinessProbe", json!({"tcpSocket": {"port": 1, "host": "a"}}), "1.34"),
        ("/lifecycle", json!({"preStop": {"httpGet": {"port": 1, "host": "a"}}}), "1.34"),
    ];
    let of_restricted = [
        ("/securityContext/runAsNonRoot", json!(false), "run as root"),
        ("/securityContext/runAsUser", json!(0), "run as root"),
        ("/securityContext/allowPrivilegeEscalation", Value::Null, "gain privileges"),
        ("/securityContext/capabilities", json!({}), "capabilities"),
        ("/securityContext/capabilities/add", json!(["CHOWN"]), "CHOWN"),
        ("/securityContext/seccompProfile", Value::Null, "no seccompProfile"),
    ];
    let with = |path: &str, value: &Value| {
        let mut bad = good_container();
        let (parent, field) = path.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[field] = value.clone();
        bad
    };
    for (path, value, why) in of_both.iter().chain(&of_restricted) {
        let text = of(Level::Restricted, with(path, value)).unwrap_or_default();
        assert!(text.contains(why), "{path}: {text}");
    }
    for (path, value, _) in &of_both {
        assert!(of(Level::Baseline, with(path, value)).is_some(), "{path}");
    }
    for (path, value, _) in &of_restricted {
        assert_eq!(of(Level::Baseline, with(path, value)), None, "{path}");
    }
}

#[test]
fn a_level_looks_at_what_else_is_added_to_the_pod() {
    let with = |field: &str, value: Value| {
        let mut pod = json!({"metadata": {}, "spec": {"containers": [good_container()]}});
        let (parent, field) = field.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[field] = value;
        pod
    };
    let unconfined = json!({"container.apparmor.security.beta.kubernetes.io/p": "unconfined"});
    for (field, value, level) in [
        ("/spec/volumes", json!([{"name": "v", "hostPath": {"path": "/"}}]), Level::Baseline),
        ("/spec/volumes", json!([{"name": "v", "nfs": {"server": "a", "path": "/"}}]), Level::Restricted),
        ("/spec/hostPID", json!(true), Level::Baseline),
        ("/spec/securityContext", json!({"sysctls": [{"name": "net.core.somaxconn"}]}), Level::Baseline),
        ("/spec/securityContext", json!({"runAsUser": 0}), Level::Restricted),
        ("/metadata/annotations", unconfined, Level::Baseline),
    ] {
        let pod = with(field, value.clone());
        assert_eq!(forbidden(Level::Baseline, &pod).is_some(), level == Level::Baseline, "{value}");
        assert!(forbidden(Level::Restricted, &pod).is_some(), "{value}");
        // What was there before is not what injection adds.
        assert_eq!(pod_security::forbids(Level::Baseline, &pod, &pod, &Default::default()), None, "{value}");
    }
    let fine = json!([{"name": "v", "emptyDir": {}}, {"name": "w", "image": {"reference": "a"}}]);
    assert_eq!(forbidden(Level::Restricted, &with("/spec/volumes", fine)), None);
    let mut of_pod = with("/spec/securityContext", json!({"seccompProfile": {"type": "Localhost"}}));
    of_pod["spec"]["containers"][0]["securityContext"]["seccompProfile"].take();
    assert_eq!(forbidden(Level::Restricted, &of_pod), None, "the pod's is that of its containers");
}
