//! Copies that share no map with what they are copies of.

use std::collections::HashMap;
use std::sync::Arc;

use super::{List, Named, Pointer, Struct, Value};
use crate::stack;

/// Copies values. What is shared among them is shared among the copies.
#[derive(Default)]
pub(super) struct Copier {
    /// The copies of what was met, by address. The originals live as long as the value that is copied.
    copies: HashMap<usize, Value>,
}

impl Copier {
    pub(super) fn copy(&mut self, value: &Value) -> Value {
        let Some(address) = address(value) else { return value.clone() };
        if let Some(copy) = self.copies.get(&address) {
            return copy.clone();
        }
        let copy = stack::with_room(|| self.copy_anew(value));
        self.copies.insert(address, copy.clone());
        copy
    }

    fn copy_anew(&mut self, value: &Value) -> Value {
        match value {
            Value::List(list) if !list.is_nil() => List::new(list.element_type().clone(), self.copy_all(list)).into(),
            Value::Map(map) => map.mapped(|value| self.copy(value)).into(),
            Value::Struct(structure) => structure.with_fields(self.copy_all(structure.fields())).into(),
            Value::Pointer(pointer) => match pointer.target() {
                Some(target) => pointer.with_target(self.copy(target)).into(),
                None => value.clone(),
            },
            Value::Named(named) => Value::named(named.named_type().clone(), self.copy(named.value())),
            value => value.clone(),
        }
    }

    fn copy_all(&mut self, values: &[Value]) -> Vec<Value> {
        values.iter().map(|value| self.copy(value)).collect()
    }
}

/// Of what may hold maps.
fn address(value: &Value) -> Option<usize> {
    Some(match value {
        Value::List(List(items)) => Arc::as_ptr(items).addr(),
        Value::Map(map) => map.address(),
        Value::Struct(Struct(contents)) => Arc::as_ptr(contents).addr(),
        Value::Pointer(Pointer(place)) => Arc::as_ptr(place).addr(),
        Value::Named(Named(contained)) => Arc::as_ptr(contained).addr(),
        _ => return None,
    })
}
