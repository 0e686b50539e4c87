//! Kubernetes' strategic merge of a pod fragment onto a pod, on plain JSON.
//!
//! Mappings merge; `null` deletes; a list whose elements have a merge key merges by that key; any other value
//! replaces. Fields that nobody knows are merged like all others.

use serde_json::{Map, Value};

use crate::pod_schema;

/// A fragment that cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct MergeError {
    /// Path of the field, as `spec.containers[istio-proxy].env`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Merges `patch` into `pod`; both have `metadata` and `spec`.
///
/// # Errors
/// When an element of a keyed list lacks its key, or a directive (`$patch`, …) is used, which is not supported.
/// `pod` is then in an unspecified state.
pub fn merge(pod: &mut Value, patch: &Value) -> Result<(), MergeError> {
    merge_value(pod, patch, "", "")
}

/// `schema` is where the value stands in the API (`containers.env`), `path` where it stands in this pod.
fn merge_value(original: &mut Value, patch: &Value, schema: &str, path: &str) -> Result<(), MergeError> {
    match (original, patch) {
        (Value::Object(original), Value::Object(patch)) => merge_object(original, patch, schema, path),
        (Value::Array(original), Value::Array(patch)) => match pod_schema::merge_key(schema) {
            Some(key) => merge_list(original, patch, key, schema, path),
            None => {
                *original = replacement(patch, schema, path)?;
                Ok(())
            }
        },
        (original, patch) => {
            *original = added(patch, schema, path)?;
            Ok(())
        }
    }
}

fn merge_object(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    schema: &str,
    path: &str,
) -> Result<(), MergeError> {
    for (key, value) in patch {
        refuse_directive(key, path)?;
        let (schema, path) = (pod_schema::field(schema, key), pod_schema::field(path, key));
        match original.get_mut(key) {
            _ if value.is_null() => drop(original.shift_remove(key)),
            Some(present) => merge_value(present, value, &schema, &path)?,
            None => drop(original.insert(key.clone(), added(value, &schema, &path)?)),
        }
    }
    Ok(())
}

/// Elements of the patch keep their order and come first, unless the original had the other one first.
///
/// Of several elements with one key, as a port number for TCP and UDP, the first meets the first, the second the second.
fn merge_list(
    original: &mut Vec<Value>,
    patch: &[Value],
    key: &str,
    schema: &str,
    path: &str,
) -> Result<(), MergeError> {
    let key_of = |element: &Value| element.get(key).filter(|key| !key.is_null()).cloned();
    let mut merged = Vec::with_capacity(patch.len());
    let mut met = vec![false; original.len()];
    for element in patch {
        let id = key_of(element).ok_or_else(|| MergeError {
            path: path.to_owned(),
            problem: format!("an element has no `{key}`, by which this list is merged"),
        })?;
        let at = format!("{path}[{}]", id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let is_met = |index: &usize| !met[*index] && key_of(&original[*index]).as_ref() == Some(&id);
        let position = (0..original.len()).find(is_met);
        let value = match position {
            Some(index) => {
                met[index] = true;
                let mut value = original[index].clone();
                merge_value(&mut value, element, pod_schema::element(schema), &at)?;
                value
            }
            None => added(element, pod_schema::element(schema), &at)?,
        };
        merged.push((position, value));
    }
    let untouched = std::mem::take(original).into_iter().enumerate().filter(|(index, _)| !met[*index]);
    original.extend(interleave(merged, untouched.collect()));
    Ok(())
}

fn interleave(patched: Vec<(Option<usize>, Value)>, untouched: Vec<(usize, Value)>) -> Vec<Value> {
    let mut result = Vec::with_capacity(patched.len() + untouched.len());
    let mut untouched = untouched.into_iter().peekable();
    for (position, value) in patched {
        while let Some((_, earlier)) =
            untouched.next_if(|(index, _)| position.is_some_and(|position| *index < position))
        {
            result.push(earlier);
        }
        result.push(value);
    }
    result.extend(untouched.map(|(_, value)| value));
    result
}

/// A value that is new in the pod: without its nulls, which only delete.
fn added(value: &Value, schema: &str, path: &str) -> Result<Value, MergeError> {
    Ok(match value {
        Value::Object(_) => {
            let mut object = Value::Object(Map::new());
            merge_value(&mut object, value, schema, path)?;
            object
        }
        Value::Array(elements) => match pod_schema::merge_key(schema) {
            Some(_) => {
                let mut list = Value::Array(Vec::new());
                merge_value(&mut list, value, schema, path)?;
                list
            }
            None => Value::Array(replacement(elements, schema, path)?),
        },
        scalar => scalar.clone(),
    })
}

/// A list without a merge key, which takes the place of whatever was there.
fn replacement(elements: &[Value], schema: &str, path: &str) -> Result<Vec<Value>, MergeError> {
    elements.iter().map(|element| added(element, pod_schema::element(schema), path)).collect()
}

fn refuse_directive(key: &str, path: &str) -> Result<(), MergeError> {
    const DIRECTIVES: [&str; 4] = ["$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/"];
    if DIRECTIVES.iter().any(|directive| key.starts_with(directive)) {
        return Err(MergeError {
            path: path.to_owned(),
            problem: format!("the directive `{key}` is not supported yet"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(mut pod: Value, patch: Value) -> Value {
        merge(&mut pod, &patch).unwrap();
        pod
    }

    #[test]
    fn mappings_merge_nulls_delete_and_unknown_fields_stay() {
        let pod = json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"new": {"x": 1}}});
        let patch = json!({"metadata": {"labels": {"b": null, "c": "3"}}, "spec": {"new": {"y": 2}}});
        let expected = json!({"metadata": {"labels": {"a": "1", "c": "3"}}, "spec": {"new": {"x": 1, "y": 2}}});
        assert_eq!(merged(pod, patch), expected);
    }

    #[test]
    fn keyed_lists_merge_by_key_and_others_are_replaced() {
        let pod = json!({"spec": {"containers": [{"name": "a", "args": ["1"], "env": [{"name": "E", "value": "1"}]}]}});
        let patch =
            json!({"spec": {"containers": [{"name": "a", "args": ["2"], "env": [{"name": "F", "value": "2"}]}]}});
        let expected = json!({"spec": {"containers": [{"name": "a", "args": ["2"],
            "env": [{"name": "F", "value": "2"}, {"name": "E", "value": "1"}]}]}});
        assert_eq!(merged(pod, patch), expected);
    }

    #[test]
    fn new_elements_come_first_and_present_ones_keep_their_place() {
        let volumes = |names: &[&str]| json!({"spec": {"volumes": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}});
        for (original, patch, expected) in [
            (vec!["u"], vec!["t"], vec!["t", "u"]),
            (vec!["u", "t", "v"], vec!["t", "s"], vec!["u", "t", "s", "v"]),
            (vec!["u", "t"], vec!["s", "t"], vec!["s", "u", "t"]),
            (vec![], vec!["t", "s"], vec!["t", "s"]),
        ] {
            let once = merged(volumes(&original), volumes(&patch));
            assert_eq!(once, volumes(&expected), "{original:?} + {patch:?}");
            assert_eq!(merged(once.clone(), volumes(&patch)), once, "twice: {original:?} + {patch:?}");
        }
    }

    #[test]
    fn init_containers_have_the_schema_of_containers() {
        let pod =
            json!({"spec": {"initContainers": [{"name": "i", "volumeMounts": [{"mountPath": "/a", "name": "a"}]}]}});
        let patch = json!({"spec": {"initContainers": [{"name": "i", "volumeMounts": [{"mountPath": "/a", "readOnly": true}]}]}});
        let mounts = merged(pod, patch)["spec"]["initContainers"][0]["volumeMounts"].clone();
        assert_eq!(mounts, json!([{"mountPath": "/a", "name": "a", "readOnly": true}]));
    }

    #[test]
    fn nulls_do_not_arrive_with_new_values() {
        let patch = json!({"spec": {"containers": [{"name": "a", "image": null, "resources": {"limits": null}}]}});
        assert_eq!(merged(json!({}), patch), json!({"spec": {"containers": [{"name": "a", "resources": {}}]}}));
    }

    #[test]
    fn elements_with_one_key_meet_in_order() {
        let ports = json!([{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]);
        let patch = json!({"spec": {"containers": [{"name": "dns", "ports": ports}]}});
        let once = merged(json!({}), patch.clone());
        assert_eq!(once["spec"]["containers"][0]["ports"], ports);
        assert_eq!(merged(once.clone(), patch), once);
    }

    #[test]
    fn a_list_that_is_replaced_loses_its_nulls_as_a_new_one_does() {
        let patch = json!({"spec": {"tolerations": [{"key": "a", "value": null}]}});
        let once = merged(json!({}), patch.clone());
        assert_eq!(once["spec"]["tolerations"], json!([{"key": "a"}]));
        assert_eq!(merged(once.clone(), patch), once);
    }

    #[test]
    fn what_cannot_be_merged_is_refused_with_its_place() {
        let error = merge(&mut json!({}), &json!({"spec": {"containers": [{"image": "x"}]}})).unwrap_err();
        assert!(error.to_string().starts_with("spec.containers: an element has no `name`"), "{error}");
        let patch = json!({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}});
        let error = merge(&mut json!({}), &patch).unwrap_err();
        assert_eq!(error.path, "spec.containers[a]");
    }
}
