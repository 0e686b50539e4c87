//! Istio's functions for texts and defaults.

use bstr::ByteSlice;
use gotemplate::{Budget, FunctionError, Functions, Str, Value};

use super::arguments::{Duration, Metadata, Texts};
use crate::template::duration;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("annotation", annotation)
        .add("contains", |part: Str, text: Str| text.as_bytes().contains_str(part.as_bytes()))
        .add("directory", |path: Str| directory(&path))
        .add("env", |_name: Str, default: Str| default)
        .add("excludeInterfaces", |interfaces: Str| interfaces)
        .add("formatDuration", |given: Duration| duration::text(given.nanoseconds()))
        .add("indent", indent)
        .add("isset", |map: Texts, key: Str| map.get(&key).is_some())
        .add("kubevirtInterfaces", |interfaces: Str| interfaces)
        .add("toLower", |text: Str| text.to_text().to_lowercase())
        .add("valueOrDefault", value_or_default);
}

/// `annotation meta name default`: the annotation if there is one, even an empty one, else the default as text.
fn annotation(budget: &Budget, metadata: Metadata, name: Str, default: Value) -> Result<Str, FunctionError> {
    metadata.annotation(&name).map_or_else(|| default.to_text(budget), Ok)
}

/// `valueOrDefault value default`: the default in place of nil and the empty string; 0 and false stay.
fn value_or_default(value: Value, default: Value) -> Value {
    match &value {
        Value::Nil => default,
        Value::String(text) if text.as_bytes().is_empty() => default,
        _ => value,
    }
}

/// The part of a path up to its last slash, that included.
fn directory(path: &Str) -> Str {
    let end = path.as_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |position| position + 1);
    path.as_bytes().get(..end).unwrap_or_default().into()
}

/// Istio's `indent`, unlike sprig's, leaves the first line where it is.
fn indent(budget: &Budget, width: isize, text: Str) -> Result<Vec<u8>, FunctionError> {
    let width = usize::try_from(width).map_err(|_| FunctionError::new("strings: negative Repeat count"))?;
    let lines = text.as_bytes().iter().filter(|byte| **byte == b'\n').count();
    // One more for the padding itself.
    budget.allocate(width.saturating_mul(lines.saturating_add(1)).saturating_add(text.as_bytes().len()))?;
    let line_end = [b"\n".as_slice(), &b" ".repeat(width)].concat();
    Ok(text.as_bytes().split(|byte| *byte == b'\n').collect::<Vec<_>>().join(line_end.as_slice()))
}
