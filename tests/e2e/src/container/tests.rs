//! What of a container's fields reaches the program.

use serde_json::json;

use super::*;

fn read(container: &Value) -> Container {
    Container::read(container, &Value::Null).unwrap()
}

#[test]
fn the_security_context_is_kept_to() {
    let container = read(&json!({"name": "istio-init", "image": "example/sidecar-init:1.0", "securityContext": {
        "runAsUser": 0, "runAsGroup": 0, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
        "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
    }}));
    let capabilities = Capabilities::Only(["net_admin", "net_raw"].map(str::to_owned).into());
    let expected = Confinement { uid: 0, gid: 0, capabilities, privilege_escalation: false, read_only_root: true };
    assert_eq!(container.confinement, expected);
    assert_eq!(container.image_name(), "sidecar-init");
}

#[test]
fn without_a_security_context_a_container_has_the_runtimes_capabilities() {
    let Capabilities::Only(names) = read(&json!({"name": "a", "image": "a"})).confinement.capabilities else {
        panic!("all capabilities")
    };
    assert!(names.contains("net_raw") && !names.contains("net_admin"), "{names:?}");
}

#[test]
fn the_pods_user_holds_unless_the_container_has_its_own() {
    let pod_security = json!({"runAsUser": 7, "runAsGroup": 8});
    let of = |container| Container::read(&container, &pod_security).unwrap();
    assert_eq!(of(json!({"name": "a", "image": "a"})).confinement.uid, 7);
    let own = of(json!({"name": "a", "image": "a", "securityContext": {"runAsUser": 9}}));
    assert_eq!((own.confinement.uid, own.confinement.gid), (9, 8));
}

#[test]
fn variables_are_expanded_as_in_kubernetes() {
    let container = read(&json!({"name": "a", "image": "a",
        "env": [
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "HOST", "value": "host-$(IP)"},
        ],
        "args": ["--host", "$(HOST).$(NAME)", "$$(IP) costs 5$"],
    }));
    let fields = BTreeMap::from([("status.podIP".to_owned(), "10.0.0.1".to_owned())]);
    let environment = container.environment(&fields).unwrap();
    assert_eq!(environment[1], ("HOST".to_owned(), "host-10.0.0.1".to_owned()));
    assert_eq!(container.arguments(&environment), ["--host", "host-10.0.0.1.$(NAME)", "$(IP) costs 5$"]);
    assert!(container.environment(&BTreeMap::new()).unwrap_err().to_string().contains("status.podIP"));
}

#[test]
fn probes_and_ports_are_read() {
    let container = read(&json!({"name": "a", "image": "a", "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 15021}},
    }));
    assert_eq!(container.ports, [8080]);
    assert_eq!(container.readiness, Some(HttpGet { path: "/healthz/ready".to_owned(), port: 15021 }));
}

#[test]
fn what_cannot_be_had_here_is_refused_by_name() {
    let command = json!({"name": "a", "image": "a", "command": ["sh"]});
    assert!(Container::read(&command, &Value::Null).unwrap_err().to_string().contains("`command`"));
    let secret = json!({"name": "a", "image": "a", "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {}}}]});
    assert!(Container::read(&secret, &Value::Null).unwrap_err().to_string().contains("KEY"));
}
