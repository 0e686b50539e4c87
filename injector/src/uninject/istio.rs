//! Inferring what Istio's injector did to a pod.

use serde_json::{Map, Value};
use sidecar_contract::{annotation, container, environment, label};

use crate::containers::{self, INIT, LISTS, REGULAR};
use crate::inject::overrides;
use crate::inject::prometheus::MERGED_PATH;
use crate::status::Status;
use crate::workload::metadata_map;

/// Labels that Istio's templates write, unless the pod has them.
const LABELS: [&str; 4] = [label::TLS_MODE, label::CANONICAL_NAME, label::CANONICAL_REVISION, label::TUNNEL];
/// Annotations of that kind.
const ANNOTATIONS: [&str; 4] =
    [annotation::REVISION, annotation::DEFAULT_CONTAINER, annotation::DEFAULT_LOGS_CONTAINER, annotation::OVERRIDES];
const PROMETHEUS: [&str; 3] = [annotation::PROMETHEUS_PORT, annotation::PROMETHEUS_PATH, annotation::PROMETHEUS_SCRAPE];

/// Takes away what `status` lists and what Istio's templates add besides, and says what could not be told for sure.
pub(super) fn remove(pod: &mut Value, status: &Status) -> Vec<String> {
    let mut doubts = Vec::new();
    let sidecar = containers::sidecar(pod).cloned().unwrap_or_default();
    let recorded = overrides::all_recorded(pod);
    restore_probes(pod, &sidecar, &mut doubts);
    restore_containers(pod, status, recorded, &mut doubts);
    remove_volumes(pod, status, &mut doubts);
    for secret in status.image_pull_secrets.iter().flatten() {
        doubts.push(format!("image pull secret {secret} stays: the pod may have had it before"));
    }
    restore_metrics(pod, &sidecar);
    doubt_redirection(pod, status, &mut doubts);
    remove_metadata(pod, &mut doubts);
    doubts
}

/// Containers that the pod had wishes for become what the pod said; the other ones that were listed go.
fn restore_containers(pod: &mut Value, status: &Status, recorded: Vec<(&str, Value)>, doubts: &mut Vec<String>) {
    for list in LISTS {
        for name in status.names_in(list) {
            let wish =
                recorded.iter().find(|(_, element)| containers::is_named(element, name)).map(|(_, element)| element);
            let Some(mut wish) = wish.cloned() else {
                containers::take(pod, list, name);
                continue;
            };
            if let Some(fields) = wish.as_object_mut().filter(|fields| !fields.contains_key("image")) {
                fields.insert("image".to_owned(), "auto".into());
            }
            doubts.push(format!("container {name} is what {} says of it", annotation::OVERRIDES));
            // Istio writes down in which list its template has the sidecar; pods have their wishes among the containers.
            let target = if name == container::PROXY { REGULAR } else { list };
            let position = containers::list(pod, list).iter().position(|element| containers::is_named(element, name));
            containers::take(pod, list, name);
            if let Some(elements) = containers::list_or_new(pod, target) {
                let end = elements.len();
                elements.insert(position.filter(|_| target == list).unwrap_or(end).min(end), wish);
            }
        }
        if containers::list(pod, list).is_empty() && list != REGULAR {
            remove_key(pod.get_mut("spec"), list);
        }
    }
}

fn remove_volumes(pod: &mut Value, status: &Status, doubts: &mut Vec<String>) {
    let is_mounted = |pod: &Value, name: &str| {
        let elements = LISTS.iter().flat_map(|list| containers::list(pod, list));
        let mut mounts = elements.filter_map(|element| element.get("volumeMounts")?.as_array()).flatten();
        mounts.any(|mount| containers::is_named(mount, name))
    };
    for name in status.volumes.iter().flatten() {
        if is_mounted(pod, name) {
            doubts.push(format!("volume {name} stays: a container mounts it"));
        } else {
            containers::take(pod, "volumes", name);
        }
    }
    if containers::list(pod, "volumes").is_empty() {
        remove_key(pod.get_mut("spec"), "volumes");
    }
}

/// The sidecar was told what the application's probes were.
fn restore_probes(pod: &mut Value, sidecar: &Value, doubts: &mut Vec<String>) {
    let told = containers::variable(sidecar, environment::APP_PROBERS);
    let Some(told) = told.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()) else { return };
    for list in LISTS {
        for element in containers::list_mut(pod, list).into_iter().flatten() {
            let name = element.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            for pointer in
                ["/livenessProbe", "/readinessProbe", "/startupProbe", "/lifecycle/preStop", "/lifecycle/postStart"]
            {
                let Some(handler) = element.pointer_mut(pointer).and_then(Value::as_object_mut) else { continue };
                let path = handler.get("httpGet").and_then(|action| action.get("path")?.as_str()).unwrap_or_default();
                let Some(Value::Object(prober)) = told.get(path) else { continue };
                let action =
                    ["httpGet", "tcpSocket", "grpc"].into_iter().find_map(|kind| Some((kind, prober.get(kind)?)));
                let Some((kind, Value::Object(action))) = action else { continue };
                doubts
                    .push(format!("{} of container {name} has its port as a number", &pointer[1..].replace('/', ".")));
                let mut action = action.clone();
                action.retain(|_, value| !value.is_null());
                handler.shift_remove("httpGet");
                handler.insert(kind.to_owned(), Value::Object(action));
            }
        }
    }
}

/// The sidecar was told what the annotations for Prometheus were.
fn restore_metrics(pod: &mut Value, sidecar: &Value) {
    let Some(annotations) = containers::metadata_mut(pod, "annotations") else { return };
    if annotations.get(annotation::PROMETHEUS_PATH).and_then(Value::as_str) != Some(MERGED_PATH) {
        return;
    }
    for name in PROMETHEUS {
        annotations.shift_remove(name);
    }
    let told = containers::variable(sidecar, environment::PROMETHEUS_ANNOTATIONS);
    let Some(told) = told.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok()) else { return };
    let targets = told.get("targets").and_then(Value::as_array).map(|targets| told_targets(targets));
    let has_targets = targets.as_ref().is_some_and(|targets| !targets.is_empty());
    if let Some(targets) = targets.filter(|targets| !targets.is_empty()) {
        annotations.insert(annotation::SCRAPE_TARGETS.to_owned(), targets.into());
    }
    for (name, key) in PROMETHEUS.into_iter().zip(["port", "path", "scrape"]) {
        let value = told.get(key).and_then(Value::as_str).filter(|value| !value.is_empty());
        if let Some(value) = value.filter(|_| key == "scrape" || !has_targets) {
            annotations.insert(name.to_owned(), value.into());
        }
    }
}

/// As the annotation has them: `8080:/metrics,9100:/custom`.
fn told_targets(targets: &[Value]) -> String {
    let text = |target: &Value, key: &str| target.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let targets = targets.iter().map(|target| format!("{}:{}", text(target, "port"), text(target, "path")));
    targets.collect::<Vec<_>>().join(",")
}

/// Annotations that Istio's template writes, unless the pod has them, where a network plugin redirects the traffic.
const OF_THE_PLUGIN: [&str; 7] = [
    annotation::NETWORKS,
    annotation::INTERCEPTION_MODE,
    annotation::INCLUDE_OUTBOUND_IP_RANGES,
    annotation::EXCLUDE_OUTBOUND_IP_RANGES,
    annotation::INCLUDE_INBOUND_PORTS,
    annotation::EXCLUDE_INBOUND_PORTS,
    annotation::EXCLUDE_OUTBOUND_PORTS,
];

/// The network plugin is told by annotations what the init container would be told by arguments. They may be the pod's
/// own, and do nothing without a sidecar, but for the one that asks for the plugin.
fn doubt_redirection(pod: &Value, status: &Status, doubts: &mut Vec<String>) {
    if status.names_in(INIT).any(|name| name == container::VALIDATION) {
        let annotations = metadata_map(pod, "annotations");
        let present = OF_THE_PLUGIN.iter().filter(|name| annotations.contains_key(**name));
        doubts.extend(present.map(|name| format!("annotation {name} stays: the pod may have had it before")));
    }
}

fn remove_metadata(pod: &mut Value, doubts: &mut Vec<String>) {
    for (key, names) in [("labels", LABELS), ("annotations", ANNOTATIONS)] {
        let entries = metadata_map(pod, key);
        // Istio's templates give no other mode to a pod that has none.
        let is_the_pods = |name: &str| name == label::TLS_MODE && entries.get(name).is_some_and(|mode| mode != "istio");
        let is_removed = |name: &&str| entries.contains_key(*name) && !is_the_pods(name);
        let present: Vec<&str> = names.into_iter().filter(is_removed).collect();
        if let Some(entries) = pod.get_mut("metadata").and_then(|metadata| metadata.get_mut(key)?.as_object_mut()) {
            present.iter().for_each(|name| drop(entries.shift_remove(*name)));
        }
        let doubtful = present.iter().filter(|name| ![annotation::OVERRIDES, annotation::REVISION].contains(name));
        doubts.extend(
            doubtful.map(|name| format!("{} {name} is gone: the pod may have had it before", &key[..key.len() - 1])),
        );
        if metadata_map(pod, key).is_empty() {
            remove_key(pod.get_mut("metadata"), key);
        }
    }
    if pod.get("metadata").and_then(Value::as_object).is_some_and(Map::is_empty) {
        remove_key(Some(pod), "metadata");
    }
}

fn remove_key(object: Option<&mut Value>, key: &str) {
    if let Some(Value::Object(entries)) = object {
        entries.shift_remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mode_of_tls_that_istio_does_not_choose_is_the_pods() {
        for (mode, is_left) in [("istio", false), ("disabled", true)] {
            let mut pod = json!({"metadata": {"labels": {label::TLS_MODE: mode}}, "spec": {"containers": []}});
            remove(&mut pod, &Status::default());
            assert_eq!(metadata_map(&pod, "labels").contains_key(label::TLS_MODE), is_left, "{mode}");
        }
    }

    #[test]
    fn what_a_network_plugin_is_told_stays_and_is_said() {
        let status = Status { init_containers: Some(vec![container::VALIDATION.to_owned()]), ..Status::default() };
        let pod = json!({"metadata": {"annotations": {annotation::NETWORKS: "default/istio-cni"}},
            "spec": {"initContainers": [{"name": container::VALIDATION}], "containers": [{"name": "app"}]}});
        let mut left = pod.clone();
        let doubts = remove(&mut left, &status);
        assert_eq!(doubts, ["annotation k8s.v1.cni.cncf.io/networks stays: the pod may have had it before"]);
        assert_eq!(left["metadata"], pod["metadata"]);
    }
}
