//! `deepCopy`.

use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::stack;
use crate::value::{List, Map, Pointer, Struct, Value};

pub(super) fn add(functions: &mut Functions) {
    functions.add("deepCopy", deep_copy);
    functions.add("mustDeepCopy", deep_copy);
}

fn deep_copy(budget: &Budget, value: Value) -> Result<Value, FunctionError> {
    match value {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        value => Ok(copy(budget, &value)?.unwrap_or(value)),
    }
}

/// None for nil and a nil pointer, in whose place there is a zero value then. What structs do not export is lost.
fn copy(budget: &Budget, value: &Value) -> Result<Option<Value>, FunctionError> {
    budget.step()?;
    stack::with_room(|| {
        Ok(Some(match value {
            Value::Nil => return Ok(None),
            Value::List(list) if !list.is_nil() => copy_list(budget, list)?.into(),
            Value::Map(map) => copy_map(budget, map)?.into(),
            Value::Struct(structure) => copy_struct(budget, structure)?.into(),
            Value::Named(named) => {
                let copied = copy(budget, named.value())?;
                copied.map_or_else(|| value.clone(), |copied| Value::named(named.named_type().clone(), copied))
            }
            Value::Pointer(pointer) => {
                let Some(target) = pointer.target() else { return Ok(None) };
                let copied = copy(budget, target)?;
                Pointer::new(copied.unwrap_or_else(|| pointer.target_type().zero())).into()
            }
            value => value.clone(),
        }))
    })
}

fn copy_list(budget: &Budget, list: &List) -> Result<List, FunctionError> {
    budget.allocate_values(list.len())?;
    let items = list.iter().map(|item| Ok(copy(budget, item)?.unwrap_or_else(|| list.element_type().zero())));
    Ok(List::new(list.element_type().clone(), items.collect::<Result<_, FunctionError>>()?))
}

fn copy_map(budget: &Budget, map: &Map) -> Result<Map, FunctionError> {
    if map.is_nil() {
        return Ok(map.clone());
    }
    budget.allocate_values(map.len().saturating_mul(2))?;
    let copied = Map::with_keys(map.key_type().clone(), map.element_type().clone());
    for (key, value) in map.entries() {
        let value = copy(budget, &value)?.unwrap_or_else(|| map.element_type().zero());
        copied.insert_key(key, value);
    }
    Ok(copied)
}

fn copy_struct(budget: &Budget, structure: &Struct) -> Result<Struct, FunctionError> {
    let struct_type = structure.struct_type();
    // The one type that is copied with what it hides.
    if *struct_type.name() == "time.Time" {
        return Ok(structure.clone());
    }
    budget.allocate_values(structure.fields().len())?;
    let mut fields = Vec::new();
    for (field, value) in struct_type.fields().iter().zip(structure.fields()) {
        if let Some(value) = if field.is_exported() { copy(budget, value)? } else { None } {
            fields.push((&field.name, value));
        }
    }
    Ok(Struct::new(struct_type.clone(), fields))
}
