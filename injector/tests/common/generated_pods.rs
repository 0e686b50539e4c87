//! Pods that the API server would take, and some that it would not.

use serde_json::{Map, Value, json};

use super::annotations::{annotations, labels, tamper};
use super::choices::Choices;
use super::containers::{applications, setups, wishes};

/// A pod.
pub(crate) fn pod(choices: &mut Choices<'_>) -> Value {
    let mut fields = vec![("metadata", metadata(choices)), ("spec", spec(choices))];
    if choices.chance(50) {
        fields.insert(0, ("kind", "Pod".into()));
        fields.insert(0, ("apiVersion", "v1".into()));
    }
    if choices.chance(10) {
        fields.push(("status", choices.json(2)));
    }
    if choices.chance(1) {
        fields.retain(|(key, _)| *key != "metadata");
    }
    choices.mapping(fields)
}

fn metadata(choices: &mut Choices<'_>) -> Value {
    let mut fields = vec![(choices.pick(&["name", "generateName"]), "web-6f5d4c7b8-".into())];
    if choices.chance(60) {
        let labels = labels(choices).into();
        fields.push(("labels", choices.or_nothing(labels)));
    }
    if choices.chance(80) {
        let mut annotations = annotations(choices);
        tamper(choices, &mut annotations);
        fields.push(("annotations", choices.or_nothing(annotations.into())));
    }
    if choices.chance(20) {
        let kind = choices.pick(&["ReplicaSet", "Job", "ReplicationController", "StatefulSet", "Rollout"]);
        let name = choices.pick(&["web-6f5d4c7b8", "web-28000000", "", "x"]);
        fields.push((
            "ownerReferences",
            json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1", "controller": true}]),
        ));
    }
    let more = [
        ("namespace", choices.pick(&["demo", ""]).into()),
        ("finalizers", json!(["a", "b"])),
        ("creationTimestamp", Value::Null),
        ("managedFields", json!([{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}])),
        ("uid", "1-2-3".into()),
    ];
    for (key, value) in more {
        if choices.chance(10) {
            fields.push((key, choices.or_nothing(value)));
        }
    }
    choices.mapping(fields)
}

fn spec(choices: &mut Choices<'_>) -> Value {
    let (mut containers, mut setups) = (applications(choices), setups(choices));
    for (container, is_init) in wishes(choices) {
        let list = if is_init { &mut setups } else { &mut containers };
        let place = choices.below(list.len() + 1);
        list.insert(place, container);
    }
    let mut fields = vec![("containers", containers.into())];
    if !setups.is_empty() || choices.chance(5) {
        let setups = setups.into();
        fields.push(("initContainers", setups));
    }
    // Most mounts have their volume.
    if !choices.chance(20) {
        fields.push(("volumes", volumes(choices)));
    }
    let more = [
        ("serviceAccountName", "web".into()),
        ("securityContext", json!({"fsGroup": 5, "runAsUser": 1000, "sysctls": [{"name": "a", "value": "b"}]})),
        ("imagePullSecrets", json!([{"name": "mine"}, {"name": "pull"}])),
        ("tolerations", json!([{"key": "a", "operator": "Exists"}])),
        ("hostAliases", json!([{"ip": "10.0.0.1", "hostnames": ["a"]}])),
        (
            "topologySpreadConstraints",
            json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]),
        ),
        ("dnsPolicy", choices.pick(&["ClusterFirst", "None"]).into()),
        ("dnsConfig", json!({"searches": ["a"], "options": [{"name": "ndots", "value": "2"}]})),
        ("nodeSelector", json!({"disk": choices.text("ssd")})),
        ("affinity", json!({"nodeAffinity": {"x-unknown": [1, null]}})),
        ("restartPolicy", "Never".into()),
        ("nodeName", choices.pick(&["new", "old", "gone"]).into()),
        ("ephemeralContainers", json!([{"name": "debug", "image": "busybox"}])),
        ("terminationGracePeriodSeconds", 30.into()),
        ("overhead", json!({"cpu": "10m", "memory": 5})),
        ("hostNetwork", choices.chance(5).into()),
    ];
    for (key, value) in more {
        if choices.chance(8) {
            fields.push((key, choices.or_nothing(value)));
        }
    }
    choices.mapping(fields)
}

fn volumes(choices: &mut Choices<'_>) -> Value {
    let volume = |name: &str, choices: &mut Choices<'_>| {
        let source = match choices.below(5) {
            0 | 1 => ("emptyDir", json!({})),
            2 => ("configMap", json!({"name": "a", "items": [{"key": "k", "path": "p"}]})),
            3 => ("emptyDir", Value::Null),
            _ => ("x-new-source", choices.json(1)),
        };
        choices.mapping(vec![("name", name.into()), source])
    };
    let more =
        choices.some(&["istio-envoy", "istio-data", "touched", "podinfo", "workload-socket", "source", "extra"], 6);
    ["data", "scratch"].into_iter().chain(more).map(|name| volume(name, choices)).collect()
}

/// An object that carries `pod`: of every kind there is.
pub(crate) fn workload(choices: &mut Choices<'_>, pod: &Value) -> Value {
    const KINDS: [(&str, &str); 9] = [
        ("apps/v1", "Deployment"),
        ("v1", "Pod"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("v1", "ReplicationController"),
        ("apps.openshift.io/v1", "DeploymentConfig"),
        ("batch/v1", "Job"),
        ("batch/v1", "CronJob"),
    ];
    let (api_version, kind) = choices.pick(&KINDS);
    let about = [("apiVersion", api_version.into()), ("kind", kind.into())];
    let parts: Map<String, Value> = pod
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key == "metadata" || *key == "spec")
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if kind == "Pod" {
        let about = about.into_iter().map(|(key, value)| (key.to_owned(), value));
        return Value::Object(about.chain(parts).collect());
    }
    let mut spec = choices.mapping(vec![("replicas", 2.into()), ("template", parts.into())]);
    if kind == "CronJob" {
        spec = json!({"schedule": "* * * * *", "jobTemplate": {"metadata": {"labels": {"job": "x"}}, "spec": spec}});
    }
    let metadata = choices.mapping(vec![("name", "web".into()), ("namespace", "demo".into())]);
    choices.mapping(about.into_iter().chain([("metadata", metadata), ("spec", spec)]).collect())
}

/// Sets what the pod itself says about being injected.
pub(crate) fn say(pod: &mut Value, value: &str) {
    if !pod["metadata"].is_object() {
        pod["metadata"] = json!({});
    }
    if !pod["metadata"]["labels"].is_object() {
        pod["metadata"]["labels"] = json!({});
    }
    pod["metadata"]["labels"]["sidecar.istio.io/inject"] = value.into();
}
