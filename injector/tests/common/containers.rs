//! Containers of every make: applications, init containers, and what users say of the sidecar's own.

use serde_json::{Value, json};

use super::choices::Choices;

const APPLICATIONS: [&str; 8] = ["web", "app", "db", "cache", "worker", "istio-agent", "metrics", "a"];
const SETUPS: [&str; 4] = ["migrate", "setup", "fetch", "native"];
const OURS: [&str; 3] = ["istio-proxy", "istio-init", "istio-validation"];

/// `spec.containers`, 0 to 8 applications; none only now and then, since such a pod is refused.
pub(crate) fn applications(choices: &mut Choices<'_>) -> Vec<Value> {
    let count = if choices.chance(2) { 0 } else { 1 + choices.pick(&[0, 0, 0, 1, 1, 2, 3, 5, 7]) };
    APPLICATIONS[..count].iter().map(|name| container(choices, name, false)).collect()
}

/// `spec.initContainers`, some of them native sidecars.
pub(crate) fn setups(choices: &mut Choices<'_>) -> Vec<Value> {
    choices.some(&SETUPS, 20).into_iter().map(|name| container(choices, name, true)).collect()
}

/// What the user says of the containers that templates add, and whether as an init container.
pub(crate) fn wishes(choices: &mut Choices<'_>) -> Vec<(Value, bool)> {
    if !choices.chance(25) {
        return Vec::new();
    }
    let names = choices.some(&OURS, 40);
    let names = if names.is_empty() { vec![OURS[0]] } else { names };
    names
        .into_iter()
        .map(|name| {
            let is_init = choices.chance(if name == OURS[0] { 30 } else { 90 });
            (wish(choices, name), is_init)
        })
        .collect()
}

fn wish(choices: &mut Choices<'_>, name: &str) -> Value {
    let mut fields = vec![("name", name.into())];
    if choices.chance(80) {
        let image = choices.pick(&["auto", "auto", "hub/custom:1", ""]);
        fields.push(("image", image.into()));
    }
    let more = [
        ("resources", json!({"limits": {"cpu": "500m"}, "requests": {"memory": "64Mi", "example.com/x": 1}})),
        ("securityContext", json!({"runAsUser": 1234, "runAsGroup": 5678, "capabilities": {"add": ["NET_RAW"]}})),
        ("lifecycle", json!({"preStop": {"exec": {"command": ["sleep", "5"]}}})),
        ("args", json!(["proxy", "-u", "7"])),
        ("volumeMounts", json!([{"name": "data", "mountPath": "/data"}])),
        ("restartPolicy", "Always".into()),
        ("tty", true.into()),
        ("ports", json!([{"containerPort": 15090, "name": "mine"}])),
        ("readinessProbe", json!({"httpGet": {"path": "/mine", "port": 1}})),
    ];
    for (key, value) in more {
        if choices.chance(15) {
            fields.push((key, choices.or_nothing(value)));
        }
    }
    if choices.chance(30) {
        fields.push(("env", environment(choices)));
    }
    choices.mapping(fields)
}

fn container(choices: &mut Choices<'_>, name: &str, is_init: bool) -> Value {
    let mut fields = vec![("name", name.into())];
    if !choices.chance(3) {
        fields.push(("image", choices.text("nginx:1").into()));
    }
    if choices.chance(25) {
        let arguments: Value = (0..choices.below(4)).map(|_| Value::from(choices.text("-v"))).collect();
        fields.push((choices.pick(&["args", "command"]), choices.or_nothing(arguments)));
    }
    if choices.chance(25) {
        let variables = environment(choices);
        fields.push(("env", choices.or_nothing(variables)));
    }
    if choices.chance(40) {
        let ports = ports(choices);
        fields.push(("ports", choices.or_nothing(ports)));
    }
    if choices.chance(25) {
        let mounts =
            json!([{"name": "data", "mountPath": choices.text("/data")}, {"name": "scratch", "mountPath": "/tmp"}]);
        fields.push(("volumeMounts", choices.or_nothing(mounts)));
    }
    for key in choices.some(&["livenessProbe", "readinessProbe", "startupProbe"], 25) {
        let probe = probe(choices);
        fields.push((key, choices.or_nothing(probe)));
    }
    if choices.chance(12) {
        let hooks: Vec<_> = choices.some(&["preStop", "postStart"], 60);
        let hooks = hooks.into_iter().map(|hook| (hook, handler(choices, true))).collect();
        fields.push(("lifecycle", choices.mapping(hooks)));
    }
    let more = [
        ("resources", json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "0.5"}})),
        ("securityContext", json!({"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}})),
        ("envFrom", json!([{"configMapRef": {"name": "a"}}])),
        ("imagePullPolicy", "Always".into()),
        ("stdin", false.into()),
        ("terminationMessagePath", choices.text("/dev/log").into()),
    ];
    for (key, value) in more {
        if choices.chance(8) {
            fields.push((key, choices.or_nothing(value)));
        }
    }
    if is_init && choices.chance(30) {
        fields.push(("restartPolicy", "Always".into()));
    }
    choices.mapping(fields)
}

fn environment(choices: &mut Choices<'_>) -> Value {
    let names = choices.some(&["A", "POD_NAME", "ISTIO_META_CLUSTER_ID", "ISTIO_KUBE_APP_PROBERS", "TOUCHED", "B"], 30);
    let variable = |name: &str| {
        let value = match choices.below(5) {
            0 | 1 => ("value", choices.text("1").into()),
            2 => ("valueFrom", json!({"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}})),
            3 => ("value", Value::Null),
            _ => ("x-unknown", choices.json(1)),
        };
        choices.mapping(vec![("name", name.into()), value])
    };
    names.into_iter().map(variable).collect()
}

fn ports(choices: &mut Choices<'_>) -> Value {
    let numbers = choices.some(&[80, 8080, 9090, 15020, 53], 35);
    let mut port = |number: u16| {
        let mut fields = vec![("containerPort", number.into())];
        if choices.chance(60) {
            let name = choices.pick(&["http", "metrics", "grpc"]);
            fields.push(("name", name.into()));
        }
        if choices.chance(30) {
            let protocol = choices.pick(&["TCP", "UDP", "SCTP"]);
            fields.push(("protocol", protocol.into()));
        }
        choices.mapping(fields)
    };
    numbers.into_iter().map(&mut port).collect()
}

fn probe(choices: &mut Choices<'_>) -> Value {
    let Value::Object(mut probe) = handler(choices, false) else { return Value::Null };
    for key in choices.some(&["initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"], 25) {
        probe.insert(key.to_owned(), choices.below(30).into());
    }
    probe.into()
}

/// What a probe or hook does: each kind, now and then nothing, or two things at once.
fn handler(choices: &mut Choices<'_>, is_hook: bool) -> Value {
    let mut fields = Vec::new();
    let kinds = ["httpGet", "httpGet", "tcpSocket", if is_hook { "sleep" } else { "grpc" }, "exec", "x-new"];
    if !choices.chance(3) {
        let kind = choices.pick(&kinds);
        fields.push((kind, action(choices, kind)));
    }
    if choices.chance(3) {
        let action = action(choices, "httpGet");
        fields.push(("httpGet", choices.or_nothing(action)));
    }
    choices.mapping(fields)
}

fn action(choices: &mut Choices<'_>, kind: &str) -> Value {
    let port = choices.pick(&[json!(8080), json!("http"), json!("metrics"), json!("nowhere"), json!(15020), json!(0)]);
    let mut fields = match kind {
        "exec" => return json!({"command": ["true", choices.text("x")]}),
        "sleep" => return json!({"seconds": 3}),
        "grpc" => vec![("port", json!(9090))],
        _ => vec![("port", port)],
    };
    let more: &[(&str, Value)] = match kind {
        "grpc" => &[("service", choices.text("health").into())],
        "tcpSocket" => &[("host", "localhost".into())],
        _ => &[
            ("path", choices.text("/healthz").into()),
            ("scheme", choices.pick(&["HTTP", "HTTPS"]).into()),
            ("host", choices.text("example.com").into()),
            ("httpHeaders", json!([{"name": "X-A", "value": choices.text("1")}, {"name": "Host", "value": ""}])),
        ],
    };
    for (key, value) in more {
        if choices.chance(40) {
            fields.push((key, choices.or_nothing(value.clone())));
        }
    }
    choices.mapping(fields)
}
