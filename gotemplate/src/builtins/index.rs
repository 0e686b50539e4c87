//! `index`, `slice` and `len`.

use crate::exec::{Seen, Slot};
use crate::function::FunctionError;
use crate::types::{Kind, Type, UintKind};
use crate::value::{Key, Map, Value, is_comparable};

/// `index item i j …`: the item of the item.
pub(super) fn index(arguments: &[Seen<'_>]) -> Result<Slot, FunctionError> {
    let Some((item, indexes)) = arguments.split_first() else {
        return Ok(Slot::default());
    };
    if matches!(item.value, Value::Nil) {
        return Err("index of untyped nil".into());
    }
    let Some((first, indexes)) = indexes.split_first() else {
        return Ok(item.to_slot().unboxed());
    };
    let mut found = index_once(*item, first.value)?;
    for index in indexes {
        found = index_once(Seen::of(&found), index.value)?;
    }
    Ok(found)
}

fn index_once(item: Seen<'_>, index: &Value) -> Result<Slot, FunctionError> {
    let target = item.pointed_to();
    match target.underlying() {
        Value::Nil => Err("index of nil pointer".into()),
        Value::Pointer(_) => Err("index of nil pointer".into()),
        Value::String(text) => {
            let position = position(index, text.len())?;
            let byte = text.get(position).ok_or("reflect: string index out of range")?;
            Ok(Slot::of(Value::Uint(u64::from(*byte), UintKind::Uint8)))
        }
        Value::List(list) => {
            let position = position(index, list.len())?;
            let value = list.get(position).ok_or("reflect: slice index out of range")?.clone();
            Ok(Slot { addressable: true, ..Slot::typed(value, list.element_type()) })
        }
        Value::Map(map) => {
            let element = map.element_type();
            let value = entry(map, index)?.unwrap_or_else(|| element.zero());
            Ok(Slot::typed(value, element))
        }
        other => Err(format!("can't index item of type {}", type_name(other, target)).into()),
    }
}

/// The entry of a key that is of the map's key type, or can be without loss of meaning.
fn entry(map: &Map, index: &Value) -> Result<Option<Value>, FunctionError> {
    let wanted = map.key_type();
    let key = match index {
        Value::Nil if *wanted == Type::Any => return Ok(None),
        Value::Nil => return Err(format!("value is nil; should be of type {wanted}").into()),
        index => as_parameter(index, wanted)?,
    };
    match key.type_of() {
        // An empty map and one that is not have different words for it.
        Some(unhashable) if !is_comparable(&unhashable) => Err(match map.is_empty() {
            true => format!("hash of unhashable type: {unhashable}"),
            false => format!("runtime error: hash of unhashable type {unhashable}"),
        }
        .into()),
        _ => Ok(Key::of(&key).and_then(|key| map.get_key(&key))),
    }
}

/// A value for a parameter of type `wanted`: integers are converted, nothing else is.
pub(super) fn as_parameter(value: &Value, wanted: &Type) -> Result<Value, FunctionError> {
    if matches!(value, Value::Nil) {
        return match wanted.can_be_nil() {
            true => Ok(wanted.zero()),
            false => Err(format!("value is nil; should be of type {wanted}").into()),
        };
    }
    if let Some(value) = wanted.assign(value) {
        return Ok(value);
    }
    let bits = match value.underlying() {
        Value::Int(value, _) => Some(*value),
        Value::Uint(value, _) => Some(*value as i64),
        _ => None,
    };
    let converted = bits.and_then(|bits| match wanted.kind() {
        Kind::Int(kind) => Some(Value::Int(kind.wrap(bits), kind)),
        Kind::Uint(kind) => Some(Value::Uint(kind.wrap(bits as u64), kind)),
        _ => None,
    });
    match (converted, wanted) {
        (Some(value), Type::Named(named)) => Ok(Value::named(named.clone(), value)),
        (Some(value), _) => Ok(value),
        (None, _) => Err(format!("value has type {}; should be {wanted}", type_name(value, value)).into()),
    }
}

/// `slice item i j k`: as `item[i:j:k]`. The capacity of a list is its length.
pub(super) fn slice(arguments: &[Seen<'_>]) -> Result<Slot, FunctionError> {
    let Some((item, indexes)) = arguments.split_first() else {
        return Ok(Slot::default());
    };
    if matches!(item.value, Value::Nil) {
        return Err("slice of untyped nil".into());
    }
    let target = item.pointed_to();
    if matches!(target, Value::Pointer(_)) {
        return Err("slice of nil pointer".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()).into());
    }
    let (length, capacity) = match target.underlying() {
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) => (text.len(), text.len()),
        Value::List(list) => (list.len(), list.capacity()),
        other => return Err(format!("can't slice item of type {}", type_name(other, target)).into()),
    };
    let mut bounds = [0, length, capacity];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        if index.is_boxed() {
            return Err("cannot index slice/array with type interface {}".into());
        }
        *bound = position(index.value, capacity)?;
    }
    let [start, end, capacity] = bounds;
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}").into());
    }
    if end > capacity {
        return Err(format!("invalid slice index: {end} > {capacity}").into());
    }
    let part = match target.underlying() {
        Value::String(text) => Value::String(text.as_bytes()[start..end].into()),
        Value::List(list) => list.part(start, end, capacity).ok_or("reflect: slice index out of range")?.into(),
        other => other.clone(),
    };
    Ok(Slot::of(match target {
        Value::Named(named) => Value::named(named.named_type().clone(), part),
        _ => part,
    }))
}

/// `len item`: of a string in bytes.
pub(super) fn len(argument: Seen<'_>) -> Result<i64, FunctionError> {
    let target = argument.pointed_to();
    let length = match target.underlying() {
        Value::Nil if argument.is_boxed() => return Err("len of nil pointer".into()),
        Value::Nil => return Err("reflect: call of reflect.Value.Type on zero Value".into()),
        Value::Pointer(_) => return Err("len of nil pointer".into()),
        Value::String(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(format!("len of type {}", type_name(other, target)).into()),
    };
    Ok(length as i64)
}

fn position(index: &Value, length: usize) -> Result<usize, FunctionError> {
    let position = match index.underlying() {
        Value::Int(position, _) => *position,
        Value::Uint(position, _) => *position as i64,
        Value::Nil => return Err("cannot index slice/array with nil".into()),
        other => return Err(format!("cannot index slice/array with type {}", type_name(other, index)).into()),
    };
    let within = usize::try_from(position).ok().filter(|position| *position <= length);
    within.ok_or_else(|| format!("index out of range: {position}").into())
}

/// Name of the type of `value`, which is `bare` under its name.
fn type_name(bare: &Value, value: &Value) -> String {
    value.type_of().or_else(|| bare.type_of()).unwrap_or(Type::Any).to_string()
}
