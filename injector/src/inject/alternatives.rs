//! Fields of which a pod may have one only: sources of a volume, values of a variable, actions of a probe.
//!
//! Merging knows nothing of them: where each side says another one, both would be there, and no API server takes that.

use serde_json::{Map, Value, json};

use crate::containers;

const VALUES: [&str; 2] = ["value", "valueFrom"];
const REFERENCES: [&str; 5] = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
const HANDLERS: [&str; 2] = ["preStop", "postStart"];
const ACTIONS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// Makes the volumes of `patch` have no source but theirs once they are merged.
pub(super) fn one_source_for_volumes(patch: &mut Value) {
    for volume in containers::list_mut(patch, "volumes").into_iter().flatten().filter_map(Value::as_object_mut) {
        let keys: Vec<Value> =
            volume.keys().filter(|key| !key.starts_with('$')).map(|key| key.as_str().into()).collect();
        let has_directive = volume.keys().any(|key| key.starts_with('$'));
        if keys.len() > 1 && !has_directive {
            volume.insert("$retainKeys".to_owned(), json!(keys));
        }
    }
}

/// Makes what the container `patch` says of variables, probes and handlers the only thing once it is merged: what it
/// leaves open stays open.
pub(super) fn one_action_and_value(patch: &mut Value) {
    for variable in patch.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(variable) = variable.as_object_mut() {
            choose(variable, &VALUES);
            choose_in(variable, "valueFrom", &REFERENCES);
        }
    }
    if let Some(container) = patch.as_object_mut() {
        PROBES.iter().for_each(|probe| choose_in(container, probe, &ACTIONS));
        if let Some(Value::Object(lifecycle)) = container.get_mut("lifecycle") {
            HANDLERS.iter().for_each(|handler| choose_in(lifecycle, handler, &ACTIONS));
        }
    }
}

fn choose_in(parent: &mut Map<String, Value>, key: &str, alternatives: &[&str]) {
    if let Some(Value::Object(fields)) = parent.get_mut(key) {
        choose(fields, alternatives);
    }
}

/// A null takes a field away in a merge.
fn choose(fields: &mut Map<String, Value>, alternatives: &[&str]) {
    let is_there = |key: &&str| fields.get(*key).is_some_and(|value| !value.is_null());
    if alternatives.iter().any(is_there) {
        for key in alternatives {
            fields.entry(*key).or_insert(Value::Null);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::merge;

    #[test]
    fn one_of_each_is_left_after_a_merge_and_the_rest_stays() {
        let reference = json!({"fieldRef": {"fieldPath": "metadata.name"}});
        let container = |fields: Value| json!({"spec": {"containers": [fields]}});
        let mut pod = container(json!({"name": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
            "livenessProbe": {"httpGet": {"port": 1}, "periodSeconds": 5},
            "startupProbe": {"httpGet": {"port": 1}, "periodSeconds": 5}}));
        let mut patch = json!({"name": "a", "env": [{"name": "X", "valueFrom": reference}],
            "livenessProbe": {"exec": {"command": ["x"]}}, "startupProbe": {"periodSeconds": 7}});
        one_action_and_value(&mut patch);
        merge(&mut pod, &container(patch)).unwrap();
        let expected = container(json!({"name": "a",
            "env": [{"name": "X", "valueFrom": reference}, {"name": "Y", "value": "2"}],
            "livenessProbe": {"exec": {"command": ["x"]}, "periodSeconds": 5},
            "startupProbe": {"httpGet": {"port": 1}, "periodSeconds": 7}}));
        assert_eq!(pod, expected);
    }
}
