//! Kubernetes' strategic merge of a pod fragment onto a pod, on plain JSON.
//!
//! Mappings merge; `null` deletes; a list whose elements have a merge key merges by that key; a set of scalars becomes
//! the union; any other value replaces. Fields that nobody knows are merged like all others. The directives `$patch`,
//! `$retainKeys`, `$setElementOrder/…` and `$deleteFromPrimitiveList/…` say otherwise, and never get into the pod.
//!
//! New elements of a list stand where the patch has them, before those that only the original has; present ones keep
//! their order. What has nothing to apply to is left out: a mapping or an element with `$patch` that is new in the pod
//! does not get there, whatever else it has.
//!
//! The result is that of `kubectl patch --type strategic`, but for what would make a second merge differ from the
//! first, or an order depend on chance:
//!
//! - Elements with one key, as a port number for TCP and for UDP, meet in order. Kubernetes lets all meet the first.
//! - Directives and nulls are left out of a new element of a present list too. Kubernetes leaves them in, and decoding
//!   drops only themselves: not the element that `$patch` wants deleted.
//! - Scalars that a patch both adds and deletes are deleted. In Kubernetes it depends on the order of a Go map.
//! - Among elements that `$setElementOrder` does not name, a new one keeps to the rule above also if others are deleted.
//! - A directive that cannot be one is always an error; an element of the original without a key never is, and stays.

mod collision;
mod directives;
mod list;
mod path;

use serde_json::{Map, Value};

use self::directives::{Directive, Strategy, directive, patch_strategy, retain_keys};
use self::list::{delete_scalars, merge_list, new_list, reorder};
use self::path::Path;
use crate::pod_schema::{self, Schema};

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
/// When an element of a keyed list lacks its key, or a directive (`$patch`, …) is not as it has to be.
/// `pod` is then in an unspecified state.
pub fn merge(pod: &mut Value, patch: &Value) -> Result<(), MergeError> {
    merge_value(pod, patch, &pod_schema::POD, &Path::Start)
}

/// As [`merge`], but elements with one key meet as in Kubernetes: all of them the first.
///
/// # Errors
/// Those of [`merge`].
pub fn merge_as_kubernetes(pod: &mut Value, patch: &Value) -> Result<(), MergeError> {
    let patch = collision::joined(pod, patch, &pod_schema::POD);
    merge(pod, &patch)
}

fn merge_value(original: &mut Value, patch: &Value, schema: &Schema, path: &Path<'_>) -> Result<(), MergeError> {
    match (original, patch) {
        (Value::Object(original), Value::Object(patch)) => merge_mapping(original, patch, schema, path),
        (Value::Array(original), Value::Array(patch)) => merge_list(original, patch, None, schema, path),
        (original, patch) => {
            *original = added(patch, schema, path)?.unwrap_or_default();
            Ok(())
        }
    }
}

fn merge_mapping(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<(), MergeError> {
    let has_directives = patch.keys().any(|name| name.starts_with('$'));
    if has_directives && obey_before(original, patch, schema, path)? {
        return Ok(());
    }
    for (name, value) in patch {
        let at = Path::Field(path, name);
        if has_directives {
            let has_order = patch.contains_key(&format!("$setElementOrder/{name}"));
            if has_order || directive(name, value, path)?.is_some() {
                continue;
            }
        }
        merge_field(original, name, value, schema.field(name), &at)?;
    }
    if has_directives { obey_after(original, patch, path) } else { Ok(()) }
}

fn merge_field(
    original: &mut Map<String, Value>,
    name: &str,
    value: &Value,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<(), MergeError> {
    match original.get_mut(name) {
        _ if value.is_null() => drop(original.shift_remove(name)),
        Some(present) if is_of_one_kind(present, value) => merge_value(present, value, schema, path)?,
        present => match (added(value, schema, path)?, present) {
            (Some(value), Some(present)) => *present = value,
            (Some(value), None) => drop(original.insert(name.to_owned(), value)),
            (None, _) => drop(original.shift_remove(name)),
        },
    }
    Ok(())
}

fn is_of_one_kind(original: &Value, patch: &Value) -> bool {
    (original.is_object() && patch.is_object()) || (original.is_array() && patch.is_array())
}

/// Obeys the directives that come before the fields. True when there is nothing more to merge.
fn obey_before(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<bool, MergeError> {
    let mut orders = Vec::new();
    let mut retained = None;
    for (name, value) in patch {
        match directive(name, value, path)? {
            Some(Directive::Patch(Strategy::Delete)) => {
                original.clear();
                return Ok(true);
            }
            Some(Directive::Patch(Strategy::Replace)) => {
                *original = new_mapping(patch, schema, path)?;
                return Ok(true);
            }
            Some(Directive::RetainKeys(keys)) => retained = Some(keys),
            Some(Directive::SetElementOrder(list, order)) => orders.push((list, order)),
            Some(Directive::DeleteFromPrimitiveList(..)) | None => {}
        }
    }
    if let Some(keys) = retained {
        retain_keys(original, patch, keys, path)?;
    }
    for (name, order) in orders {
        let (schema, at) = (schema.field(name), Path::Field(path, name));
        match (original.get_mut(name), patch.get(name)) {
            (Some(Value::Array(original)), Some(Value::Array(patch))) => {
                merge_list(original, patch, Some(order), schema, &at)?;
            }
            (_, Some(Value::Array(patch))) => {
                let mut list = Vec::new();
                merge_list(&mut list, patch, Some(order), schema, &at)?;
                original.insert(name.to_owned(), Value::Array(list));
            }
            (Some(Value::Array(original)), None) => reorder(original, order, schema, &at)?,
            (_, None) => {}
            (_, Some(_)) => return Err(at.error("has a `$setElementOrder`, and is not a list")),
        }
    }
    Ok(false)
}

/// Obeys the directives that come after the fields.
fn obey_after(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    path: &Path<'_>,
) -> Result<(), MergeError> {
    for (name, value) in patch {
        if let Some(Directive::DeleteFromPrimitiveList(list, values)) = directive(name, value, path)?
            && let Some(Value::Array(present)) = original.get_mut(list)
        {
            delete_scalars(present, values, &Path::Field(path, list))?;
        }
    }
    Ok(())
}

/// A value that is new in the pod: without its nulls, which only delete, and its directives. Nothing when it is one.
fn added(value: &Value, schema: &Schema, path: &Path<'_>) -> Result<Option<Value>, MergeError> {
    Ok(Some(match value {
        Value::Object(_) if patch_strategy(value, path)?.is_some() => return Ok(None),
        Value::Object(fields) => Value::Object(new_mapping(fields, schema, path)?),
        Value::Array(elements) => Value::Array(new_list(elements, schema, path)?),
        scalar => scalar.clone(),
    }))
}

fn new_mapping(
    fields: &Map<String, Value>,
    schema: &Schema,
    path: &Path<'_>,
) -> Result<Map<String, Value>, MergeError> {
    let mut mapping = Map::with_capacity(fields.len());
    for (name, value) in fields {
        if value.is_null() || directive(name, value, path)?.is_some() {
            continue;
        }
        if let Some(value) = added(value, schema.field(name), &Path::Field(path, name))? {
            mapping.insert(name.clone(), value);
        }
    }
    Ok(mapping)
}

#[cfg(test)]
mod tests;
