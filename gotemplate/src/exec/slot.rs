//! What an expression gives: a value, and what Go's reflection knows about where it comes from.

use crate::types::Type;
use crate::value::{Pointer, Value};

/// A value in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    /// Whether it is in a place of type `interface {}`, such as an item of a `[]interface {}`: nil there is an error
    /// where nil that comes from nowhere is not, and errors name this type.
    pub(crate) boxed: bool,
    /// Whether a pointer to it can be had, for methods that want one.
    pub(crate) addressable: bool,
}

impl Slot {
    /// A value of its own type.
    pub(crate) fn of(value: Value) -> Self {
        Self { value, boxed: false, addressable: false }
    }

    /// A value in a place of that type.
    pub(crate) fn typed(value: Value, place: &Type) -> Self {
        Self { value, boxed: place.is_any(), addressable: false }
    }

    /// The value out of its `interface {}`, as every command of a pipeline hands it on.
    pub(crate) fn unboxed(mut self) -> Self {
        self.addressable &= !self.boxed;
        self.boxed = false;
        self
    }

    /// Name of its type, for errors.
    pub(crate) fn type_name(&self) -> String {
        match self.value.type_of() {
            Some(own) if !self.boxed => own.to_string(),
            _ => Type::Any.to_string(),
        }
    }

    /// The value behind all pointers; a nil pointer stays.
    pub(crate) fn pointed_to(&self) -> &Value {
        let mut value = &self.value;
        while let Value::Pointer(pointer) = value
            && let Some(target) = pointer.target()
        {
            value = target;
        }
        value
    }

    /// What is handed to print: the value behind pointers, unless only the pointer knows how to print.
    pub(crate) fn printable(self) -> Self {
        let (value, addressable) = match &self.value {
            Value::Pointer(_) => (self.pointed_to().clone(), true),
            _ => return if self.addressable && prints_by_pointer(&self.value) { self.by_pointer() } else { self },
        };
        let slot = Self { value, boxed: false, addressable };
        if prints_by_pointer(&slot.value) { slot.by_pointer() } else { slot }
    }

    fn by_pointer(self) -> Self {
        Self::of(Pointer::new(self.value).into())
    }
}

fn prints_by_pointer(value: &Value) -> bool {
    match value {
        Value::Struct(structure) => structure.struct_type().definition().display_of_pointer,
        Value::Named(named) => named.named_type().definition().display_of_pointer,
        _ => false,
    }
}
