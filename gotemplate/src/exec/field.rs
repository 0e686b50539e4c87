//! Fields, map entries and methods: what follows a dot.

use super::call::Arguments;
use super::{Execution, Slot};
use crate::format::quote;
use crate::named::{Field, Member, Method, NamedType};
use crate::syntax::{Operand, Place};
use crate::template::MissingKey;
use crate::text::Str;
use crate::types::{Kind, Type};
use crate::value::{Key, Map, Pointer, Struct, Value};

/// What Go panics with where it needs a value and there is none.
const NIL_DEREFERENCE: &str = "runtime error: invalid memory address or nil pointer dereference";

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
        arguments: Arguments<'t, '_>,
    ) -> super::Result<Slot> {
        if matches!(receiver.value, Value::Nil) {
            return self.field_of_nil(name, receiver);
        }
        let target = target(&receiver.value, receiver.addressable && !receiver.boxed);
        if let Some((method, bound)) = bound_method(&target, name) {
            let node = Place::Operand(place);
            return match bound {
                Ok(receiver) => self.call(&method.function, Some(receiver), name, node, arguments),
                // The arguments are checked all the same.
                Err(panic) => self.call(&method.function.failing(panic), None, name, node, arguments),
            };
        }
        let has_arguments = arguments.len() > 0;
        let found = match target.value.underlying() {
            Value::Struct(structure) => self.struct_field(name, receiver, structure, &target, has_arguments)?,
            Value::Map(map) => self.entry(name, map, has_arguments)?,
            Value::Pointer(nil) if may_have_field(nil.target_type(), name) => {
                return Err(self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name())));
            }
            _ => None,
        };
        found.ok_or_else(|| self.fail(format!("can't evaluate field {name} in type {}", receiver.type_name())))
    }

    /// Nil that came from nowhere, such as an absent entry, has any field; nil in an `interface {}` has none.
    fn field_of_nil(&mut self, name: &Str, receiver: &Slot) -> super::Result<Slot> {
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
    ) -> super::Result<Option<Slot>> {
        let Some(found) = find_field(structure, name) else {
            return Ok(None);
        };
        if !Field::exports(name) {
            let given = receiver.type_name();
            return Err(self.fail(format!("{name} is an unexported field of struct type {given}")));
        }
        let FoundField { value, field, is_behind_pointer } = found.map_err(|nil| {
            self.fail(format!("reflect: indirection through nil pointer to embedded struct field {}", short_name(nil)))
        })?;
        if has_arguments {
            return Err(self.fail(format!("{name} has arguments but cannot be invoked as function")));
        }
        let addressable = target.addressable || is_behind_pointer;
        Ok(Some(Slot { addressable, ..Slot::typed(value.clone(), &field.field_type) }))
    }

    fn entry(&mut self, name: &Str, map: &Map, has_arguments: bool) -> super::Result<Option<Slot>> {
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

/// The method of that name and its receiver, or what Go panics with when there is nil in the place of that.
fn bound_method<'v>(target: &Target<'v>, name: &Str) -> Option<(&'v Method, Result<Value, String>)> {
    let named = match target.value {
        Value::Struct(structure) => structure.struct_type(),
        Value::Named(named) => named.named_type(),
        Value::Pointer(nil) => match nil.target_type() {
            Type::Named(named) => named,
            _ => return None,
        },
        _ => return None,
    };
    let Member { found: method, path } = named.find_method(name.as_bytes())?;
    let is_addressable = target.pointer.is_some() || target.addressable;
    if let Some((last, path)) = path.split_last() {
        let Value::Struct(structure) = target.value else {
            return Some((method, Err(NIL_DEREFERENCE.to_owned())));
        };
        let receiver = match embedded(structure, path) {
            Ok((outer, is_behind_pointer)) => {
                promoted(method, outer.fields().get(*last)?, is_addressable || is_behind_pointer)?
            }
            Err(_) => Err(NIL_DEREFERENCE.to_owned()),
        };
        return Some((method, receiver));
    }
    let receiver = match (method.pointer_receiver, target.value, target.pointer) {
        (true, _, Some(pointer)) => Ok(pointer.clone().into()),
        (true, value, None) if is_addressable => Ok(Pointer::new(value.clone()).into()),
        (true, _, None) => return None,
        (false, Value::Pointer(_), _) => {
            let short = short_name(named);
            Err(format!("value method {}.{name} called using nil *{short} pointer", named.name()))
        }
        (false, value, _) => Ok(value.clone()),
    };
    Some((method, receiver))
}

/// The receiver of a method that an embedded field has. None when the method wants a pointer where none can be had.
fn promoted(method: &Method, field: &Value, is_addressable: bool) -> Option<Result<Value, String>> {
    match (field, method.pointer_receiver) {
        (Value::Pointer(_), true) => Some(Ok(field.clone())),
        (Value::Pointer(pointer), false) => Some(pointer.target().cloned().ok_or_else(|| NIL_DEREFERENCE.to_owned())),
        (value, true) => is_addressable.then(|| Ok(Pointer::new(value.clone()).into())),
        (value, false) => Some(Ok(value.clone())),
    }
}

/// A field of a struct, or of one that is embedded in it.
pub(super) struct FoundField<'v> {
    pub(super) value: &'v Value,
    pub(super) field: &'v Field,
    pub(super) is_behind_pointer: bool,
}

/// The field of that name. The error is the type that a nil pointer on the way to it would point to.
pub(super) fn find_field<'v>(structure: &'v Struct, name: &Str) -> Option<Result<FoundField<'v>, &'v NamedType>> {
    let Member { found: position, path } = structure.struct_type().find_field(name)?;
    let (outer, is_behind_pointer) = match embedded(structure, &path) {
        Ok(found) => found,
        Err(nil) => return Some(Err(nil)),
    };
    let (value, field) = outer.fields().get(position).zip(outer.struct_type().fields().get(position))?;
    Some(Ok(FoundField { value, field, is_behind_pointer }))
}

/// The struct at the end of a path of embedded fields, and whether a pointer leads there. The error is the type that a
/// nil pointer on the way would point to.
fn embedded<'v>(structure: &'v Struct, path: &[usize]) -> Result<(&'v Struct, bool), &'v NamedType> {
    let mut found = (structure, false);
    for position in path {
        found = match found.0.fields().get(*position) {
            Some(Value::Struct(inner)) => (inner, found.1),
            Some(Value::Pointer(pointer)) => match (pointer.target(), pointer.target_type()) {
                (Some(Value::Struct(inner)), _) => (inner, true),
                (_, Type::Named(named)) => return Err(named),
                _ => return Err(structure.struct_type()),
            },
            _ => return Err(structure.struct_type()),
        };
    }
    Ok(found)
}

/// The name without its package.
fn short_name(named: &NamedType) -> String {
    let name = named.name().to_text();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Whether a value of the type could have the field: only a struct is known not to.
fn may_have_field(target: &Type, name: &Str) -> bool {
    match target {
        Type::Named(named) if named.kind() == Kind::Struct => named.find_field(name.as_bytes()).is_some(),
        _ => true,
    }
}
