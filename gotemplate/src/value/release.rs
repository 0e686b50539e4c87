//! Dropping values that are nested deeply, without recursion.

use super::Value;

/// Drops values and what they alone hold. A template can nest lists as deep as its limits allow, deeper than the stack.
pub(super) fn all(values: impl IntoIterator<Item = Value>) {
    let mut pending: Vec<Value> = values.into_iter().filter(holds_values).collect();
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Value::List(list) => pending.extend(list.take().into_iter().filter(holds_values)),
            Value::Map(map) => pending.extend(map.take().into_iter().filter(holds_values)),
            Value::Struct(structure) => pending.extend(structure.take().into_iter().filter(holds_values)),
            Value::Pointer(pointer) => pending.extend(pointer.take().filter(holds_values)),
            Value::Named(named) => pending.push(named.take()),
            _ => {}
        }
    }
}

pub(super) fn holds_values(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_) | Value::Struct(_) | Value::Pointer(_) | Value::Named(_))
}
