//! The directives of a patch: fields whose names begin with `$`, which say how their neighbours are merged.

use serde_json::{Map, Value};

use super::MergeError;
use super::path::Path;

/// What `$patch` says of the mapping that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// A mapping is emptied; an element leaves its list.
    Delete,
    /// The mapping takes the place of the present one; in an element, the list does.
    Replace,
}

/// One directive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Directive<'a> {
    /// `$patch`.
    Patch(Strategy),
    /// `$retainKeys`: names of the fields that stay.
    RetainKeys(&'a [Value]),
    /// `$setElementOrder/list`: the wanted order, by scalars or by mappings with the list's key.
    SetElementOrder(&'a str, &'a [Value]),
    /// `$deleteFromPrimitiveList/list`: scalars that leave the list.
    DeleteFromPrimitiveList(&'a str, &'a [Value]),
}

/// The directive that a field of a patch is; `None` for an ordinary field.
///
/// # Errors
/// When the field has the name of a directive, and cannot be one. `path` is where the mapping is that has the field.
pub(super) fn directive<'a>(
    name: &'a str,
    value: &'a Value,
    path: &Path<'_>,
) -> Result<Option<Directive<'a>>, MergeError> {
    if !name.starts_with('$') {
        return Ok(None);
    }
    let error = |problem: &str| Path::Field(path, name).error(problem);
    let list = || value.as_array().map(Vec::as_slice).ok_or_else(|| error("has to be a list"));
    let (kind, target) = name.split_once('/').map_or((name, None), |(kind, target)| (kind, Some(target)));
    let target = || target.ok_or_else(|| error("does not say which list; write its name after a slash"));
    Ok(Some(match kind {
        "$patch" if name == kind => Directive::Patch(strategy(value, path)?),
        "$retainKeys" if name == kind => {
            let keys = list()?;
            if !keys.iter().all(Value::is_string) {
                return Err(error("has to list names of fields"));
            }
            Directive::RetainKeys(keys)
        }
        "$setElementOrder" => Directive::SetElementOrder(target()?, list()?),
        "$deleteFromPrimitiveList" => {
            let values = list()?;
            if values.iter().any(|value| value.is_object() || value.is_array()) {
                return Err(error("lists something other than scalars"));
            }
            Directive::DeleteFromPrimitiveList(target()?, values)
        }
        _ => return Ok(None),
    }))
}

/// What the `$patch` in a mapping or in an element of a list says, if it is there.
///
/// # Errors
/// When it says something else than `delete` or `replace`.
pub(super) fn patch_strategy(patch: &Value, path: &Path<'_>) -> Result<Option<Strategy>, MergeError> {
    patch.get("$patch").map(|value| strategy(value, path)).transpose()
}

fn strategy(value: &Value, path: &Path<'_>) -> Result<Strategy, MergeError> {
    match value.as_str() {
        Some("delete") => Ok(Strategy::Delete),
        Some("replace") => Ok(Strategy::Replace),
        // Kubernetes knows the word, and refuses it.
        Some("merge") => {
            Err(Path::Field(path, "$patch").error("`merge` cannot be asked for; leave it out, as merging is the rule"))
        }
        _ => Err(Path::Field(path, "$patch").error("has to be `delete` or `replace`")),
    }
}

/// Takes the fields out of `original` that `$retainKeys` of `patch` does not name.
///
/// # Errors
/// When the patch sets a field that it does not retain.
pub(super) fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    retained: &[Value],
    path: &Path<'_>,
) -> Result<(), MergeError> {
    let is_retained = |name: &str| retained.iter().any(|key| key.as_str() == Some(name));
    for (name, value) in patch {
        let is_set = !value.is_null() && directive(name, value, path)?.is_none();
        if is_set && !is_retained(name) {
            return Err(Path::Field(path, name).error("is set, and `$retainKeys` beside it does not name it"));
        }
    }
    original.retain(|name, _| is_retained(name));
    Ok(())
}
