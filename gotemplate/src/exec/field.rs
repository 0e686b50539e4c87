//! Fields, map entries and methods: what follows a dot.

use super::{Execution, Result, Slot};
use crate::format::quote;
use crate::named::{Field, Method, NamedType};
use crate::syntax::{Operand, Place};
use crate::template::MissingKey;
use crate::text::Str;
use crate::types::{Kind, Type};
use crate::value::{Key, Map, Pointer, Struct, Value};

/// A receiver behind its pointers.
pub(super) struct Target<'v> {
    pub(super) value: &'v Value,
    /// The last pointer on the way; the value itself when that is nil.
    pointer: Option<&'v Pointer>,
    pub(super) addressable: bool,
}

impl<'t> Execution<'t, '_> {
    /// The field, entry or method of that name.
    pub(super) fn field(
        &mut self,
        place: &'t Operand,
        name: &Str,
        receiver: &Slot,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        if matches!(receiver.value, Value::Nil) {
            return self.field_of_nil(name, receiver);
        }
        let target = target(&receiver.value, receiver.addressable && !receiver.boxed);
        if let Some((method, bound)) = method(&target, name) {
            return self.method(place, method, bound, &target, name, dot, arguments, last);
        }
        let has_arguments = !arguments.is_empty() || last.is_some();
        let found = match target.value.underlying() {
            Value::Struct(structure) => self.struct_field(name, receiver, structure, &target, has_arguments)?,
            Value::Map(map) => self.entry(name, map, has_arguments)?,
            Value::Pointer(nil) if !lacks_field(nil.target_type(), name) => {
                return Err(self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name())));
            }
            _ => None,
        };
        found.ok_or_else(|| self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name())))
    }

    /// Nil that came from nowhere, such as an absent entry, has any field; nil in an `interface {}` has none.
    fn field_of_nil(&mut self, name: &Str, receiver: &Slot) -> Result<Slot> {
        if receiver.boxed {
            return Err(self.fail(format!("nil pointer evaluating interface {{}}.{name}")));
        }
        match self.missing_key() {
            MissingKey::Error => {
                let name = quote(name.as_bytes());
                Err(self.fail(format!("nil data; no entry for key {name}")))
            }
            MissingKey::Default | MissingKey::Zero => Ok(Slot::default()),
        }
    }

    fn struct_field(
        &mut self,
        name: &Str,
        receiver: &Slot,
        structure: &Struct,
        target: &Target<'_>,
        has_arguments: bool,
    ) -> Result<Option<Slot>> {
        let Some((value, field)) = find_field(structure, name) else {
            return Ok(None);
        };
        if !field.is_exported() {
            let given = receiver.type_name();
            return Err(self.fail(format!("{name} is an unexported field of struct type {given}")));
        }
        if has_arguments {
            return Err(self.fail(format!("{name} has arguments but cannot be invoked as function")));
        }
        let addressable = target.addressable;
        Ok(Some(Slot { addressable, ..Slot::typed(value.clone(), &field.field_type) }))
    }

    fn entry(&mut self, name: &Str, map: &Map, has_arguments: bool) -> Result<Option<Slot>> {
        let found = match map.key_type() {
            Type::String => map.get(name),
            Type::Any => map.get_key(&Key::String(name.clone())),
            _ => return Ok(None),
        };
        if has_arguments {
            return Err(self.fail(format!("{name} is not a method but has arguments")));
        }
        match (found, self.missing_key()) {
            (Some(value), _) => Ok(Some(Slot::typed(value, map.element_type()))),
            (None, MissingKey::Default) => Ok(Some(Slot::default())),
            (None, MissingKey::Zero) => Ok(Some(Slot::typed(map.element_type().zero(), map.element_type()))),
            (None, MissingKey::Error) => {
                let name = quote(name.as_bytes());
                Err(self.fail(format!("map has no entry for key {name}")))
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a call has so many parts")]
    fn method(
        &mut self,
        place: &'t Operand,
        method: &Method,
        bound: Option<Value>,
        target: &Target<'_>,
        name: &Str,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        match bound {
            Some(receiver) => {
                self.call(&method.function, Some(receiver), name, Place::Operand(place), dot, arguments, last)
            }
            None => {
                let named = target.pointer.map(|pointer| pointer.target_type().to_string()).unwrap_or_default();
                let short = named.rsplit('.').next().unwrap_or_default();
                self.place = Place::Operand(place);
                Err(self.fail(format!(
                    "error calling {name}: value method {named}.{name} called using nil *{short} pointer"
                )))
            }
        }
    }
}

pub(super) fn target(receiver: &Value, addressable: bool) -> Target<'_> {
    let mut target = Target { value: receiver, pointer: None, addressable };
    while let Value::Pointer(pointer) = target.value {
        target.pointer = Some(pointer);
        match pointer.target() {
            Some(value) => target = Target { value, addressable: true, ..target },
            None => break,
        }
    }
    target
}

/// The method of that name and its receiver, which is absent when the method needs a value and there is only nil.
fn method<'v>(target: &Target<'v>, name: &Str) -> Option<(&'v Method, Option<Value>)> {
    let (named, is_nil): (&NamedType, bool) = match target.value {
        Value::Struct(structure) => (structure.struct_type(), false),
        Value::Named(named) => (named.named_type(), false),
        Value::Pointer(nil) => match nil.target_type() {
            Type::Named(named) => (named, true),
            _ => return None,
        },
        _ => return None,
    };
    let method = named.method(name.as_bytes())?;
    match (method.pointer_receiver, is_nil, target.pointer) {
        (true, _, Some(pointer)) => Some((method, Some(pointer.clone().into()))),
        (true, _, None) if target.addressable => Some((method, Some(Pointer::new(target.value.clone()).into()))),
        (true, _, None) => None,
        (false, true, _) => Some((method, None)),
        (false, false, _) => Some((method, Some(target.value.clone()))),
    }
}

/// The field of that name, also one of an embedded struct.
pub(super) fn find_field<'v>(structure: &'v Struct, name: &Str) -> Option<(&'v Value, &'v Field)> {
    let fields = structure.struct_type().fields();
    if let Some(position) = structure.struct_type().position(name.as_bytes()) {
        return structure.fields().get(position).zip(fields.get(position));
    }
    let embedded = fields.iter().zip(structure.fields()).filter(|(field, _)| field.inline);
    embedded.filter_map(|(_, value)| embedded_struct(value)).find_map(|inner| find_field(inner, name))
}

fn embedded_struct(value: &Value) -> Option<&Struct> {
    match value {
        Value::Struct(structure) => Some(structure),
        Value::Pointer(pointer) => embedded_struct(pointer.target()?),
        _ => None,
    }
}

/// Whether a struct type is known not to have the field.
fn lacks_field(target: &Type, name: &Str) -> bool {
    match target {
        Type::Named(named) if named.kind() == Kind::Struct => {
            named.position(name.as_bytes()).is_none()
                && !named.fields().iter().any(|field| field.inline && !lacks_field(&field.field_type, name))
        }
        _ => false,
    }
}
