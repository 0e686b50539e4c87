//! Elements of one list that have the same key, as Kubernetes takes them.

use std::collections::HashMap;

use serde_json::Value;

use super::merge_value;
use super::path::Path;
use crate::pod_schema::{List, Schema};

/// `patch` with all elements of one key in one: in Kubernetes each of them meets the first that the list has by then.
/// Only lists that `original` has too; a list that is new stays as it is.
pub(super) fn joined(original: &Value, patch: &Value, schema: &Schema) -> Value {
    match (original, patch, schema.list) {
        (Value::Object(original), Value::Object(patch), _) => patch
            .iter()
            .map(|(name, value)| {
                let present = original.get(name);
                (
                    name.clone(),
                    present.map_or_else(|| value.clone(), |present| joined(present, value, schema.field(name))),
                )
            })
            .collect(),
        (Value::Array(original), Value::Array(patch), List::Keyed(key)) => {
            Value::Array(joined_elements(original, patch, key, schema))
        }
        _ => patch.clone(),
    }
}

fn joined_elements(original: &[Value], patch: &[Value], key: &str, schema: &Schema) -> Vec<Value> {
    let mut present = HashMap::new();
    for element in original {
        present.entry(element.get(key)).or_insert(element);
    }
    let mut places: HashMap<&Value, usize> = HashMap::new();
    let mut elements: Vec<Value> = Vec::with_capacity(patch.len());
    for element in patch {
        let id = element.get(key);
        let element = match present.get(&id) {
            Some(present) if id.is_some() => joined(present, element, schema),
            _ => element.clone(),
        };
        let same = id.and_then(|id| elements.get_mut(*places.get(id)?));
        if same.is_some_and(|same| merge_value(same, &element, schema, &Path::Start).is_ok()) {
            continue;
        }
        if let Some(id) = id {
            places.insert(id, elements.len());
        }
        elements.push(element);
    }
    elements
}
