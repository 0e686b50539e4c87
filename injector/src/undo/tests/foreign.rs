//! What others add to an injected pod outlives the injection.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::undone;
use crate::arbitrary::pod;

/// Where others add something: path of a mapping or a keyed list.
const PLACES: [(&str, &str); 7] = [
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("spec", "containers"),
    ("spec", "volumes"),
    ("spec", "initContainers"),
    ("spec", "securityContext"),
    ("spec", "nodeSelector"),
];

fn is_list(field: &str) -> bool {
    ["containers", "volumes", "initContainers", "env"].contains(&field)
}

/// Whether `field` of `parent` can be added to: it is of the right kind, or nothing.
fn is_open(parent: &Value, field: &str) -> bool {
    match &parent[field] {
        Value::Null => parent.is_object() || parent.is_null(),
        value if is_list(field) => value.is_array(),
        value => value.is_object(),
    }
}

/// Nor may it be a null that injection added: that goes by name, with what others made of it.
fn is_open_in_both(before: &Value, after: &Value, field: &str) -> bool {
    let added_null = before.get(field).is_none() && after.get(field) == Some(&Value::Null);
    is_open(before, field) && is_open(after, field) && !added_null
}

/// Adds two things to `field` of `parent`, the second one at `at`; makes what is missing.
fn add(parent: &mut Value, field: &str, at: usize) {
    if parent.is_null() {
        *parent = json!({});
    }
    if is_list(field) {
        let list = parent.as_object_mut().unwrap().entry(field).or_insert(json!([]));
        if list.is_null() {
            *list = json!([]);
        }
        let list = list.as_array_mut().unwrap();
        list.push(json!({"name": "foreign-1"}));
        list.insert(at.min(list.len()), json!({"name": "foreign-2"}));
    } else {
        parent[field]["foreign-1"] = "x".into();
        let mapping = parent[field].as_object_mut().unwrap();
        mapping.shift_insert(at.min(mapping.len()), "foreign-2".to_owned(), "y".into());
    }
}

/// Takes the foreign things out of `field` of `parent` again, and says how many there were. A mapping or list that is
/// empty then becomes what `original` has, if that is nothing.
fn take(parent: &mut Value, field: &str, original: &Value) -> usize {
    let (left, taken) = match parent.get_mut(field) {
        Some(Value::Array(list)) => {
            let count = list.len();
            list.retain(|element| !element["name"].as_str().is_some_and(|name| name.starts_with("foreign")));
            (list.len(), count - list.len())
        }
        Some(Value::Object(mapping)) => {
            let count = mapping.len();
            mapping.retain(|key, _| !key.starts_with("foreign"));
            (mapping.len(), count - mapping.len())
        }
        _ => (1, 0),
    };
    if left == 0 && taken > 0 {
        restore(parent, field, original);
    }
    taken
}

/// Makes nothing of the empty `field` of `parent`, if `original` has nothing there; of null, the null in its place.
fn restore(parent: &mut Value, field: &str, original: &Value) {
    let Some(parent) = parent.as_object_mut() else { return };
    match original.get(field) {
        None => drop(parent.shift_remove(field)),
        Some(Value::Null) => drop(parent.insert(field.to_owned(), Value::Null)),
        Some(_) => {}
    }
}

/// The fields of a mapping in the order of another: where a parent came new at the end, its place is no matter.
fn ordered(value: &Value, original: &Value) -> Value {
    let (Some(value), Some(original)) = (value.as_object(), original.as_object()) else { return value.clone() };
    let known = original.keys().filter_map(|key| value.get_key_value(key));
    let new = value.iter().filter(|(key, _)| !original.contains_key(*key));
    Value::Object(known.chain(new).map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

fn named<'a>(pod: &'a mut Value, name: &Value) -> Option<&'a mut Value> {
    pod.pointer_mut("/spec/containers")?.as_array_mut()?.iter_mut().find(|container| container["name"] == *name)
}

/// Adds to `after` at all places that are open in both pods, and at those containers that are in both.
fn with_foreign(before: &Value, after: &Value, at: usize) -> (Value, usize) {
    let (mut pod, mut count) = (after.clone(), 0);
    for (parent, field) in PLACES {
        if is_open_in_both(before, after, parent) && is_open_in_both(&before[parent], &after[parent], field) {
            add(&mut pod[parent], field, at);
            count += 2;
        }
    }
    let containers = before["spec"]["containers"].as_array().cloned().unwrap_or_default();
    for container in containers {
        let found = named(&mut pod, &container["name"]);
        if let Some(found) = found.filter(|found| is_open_in_both(&container, found, "env")) {
            add(found, "env", at);
            count += 2;
        }
    }
    (pod, count)
}

/// The pod without what others added, and how much that was.
fn without_foreign(mut pod: Value, original: &Value) -> (Value, usize) {
    let mut count = 0;
    for container in original["spec"]["containers"].as_array().cloned().unwrap_or_default() {
        if let Some(found) = named(&mut pod, &container["name"]) {
            count += take(found, "env", &container);
            *found = ordered(found, &container);
        }
    }
    for (parent, field) in PLACES {
        let taken = pod.get_mut(parent).map_or(0, |found| take(found, field, &original[parent]));
        count += taken;
        if taken > 0 && pod[parent] == json!({}) {
            restore(&mut pod, parent, original);
        }
    }
    for parent in ["metadata", "spec"].into_iter().filter(|parent| original.get(*parent).is_some()) {
        pod[parent] = ordered(&pod[parent], &original[parent]);
    }
    (ordered(&pod, original), count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_others_added_stays_and_nothing_else(before in pod(), after in pod(), at in 0_usize..5) {
        let (pod, added) = with_foreign(&before, &after, at);
        let undone: Value = serde_json::from_str(&undone(&before, &after, &pod)).unwrap();
        let (rest, left) = without_foreign(undone.clone(), &before);
        prop_assert_eq!(rest.to_string(), before.to_string(), "{}", undone);
        prop_assert_eq!(left, added, "{}", undone);
    }
}
