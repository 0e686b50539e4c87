//! Values where they are: the dot, variables, and what they hold, as far as nothing is called to reach it.

use super::Slot;
use super::field::{find_field, target};
use super::variables::Variables;
use crate::syntax::{Operand, Term};
use crate::template::MissingKey;
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// A [`Slot`] that belongs to someone else.
#[derive(Clone, Copy)]
pub(super) struct Seen<'v> {
    pub(super) value: &'v Value,
    boxed: bool,
    addressable: bool,
}

static NIL: Value = Value::Nil;

/// The value of a word without arguments. None also where that is an error: whoever evaluates the word finds it.
pub(super) fn of_word<'v>(
    word: &Operand,
    dot: &'v Slot,
    variables: &'v Variables,
    missing_key: MissingKey,
) -> Option<Seen<'v>> {
    let (slot, names) = match &word.term {
        Term::Dot => return Some(Seen::of(dot)),
        Term::Field(names) => (dot, names),
        Term::Variable { symbol, fields } => (variables.get(*symbol)?, fields),
        _ => return None,
    };
    names.iter().try_fold(Seen::of(slot), |seen, name| seen.field(name, missing_key))
}

impl<'v> Seen<'v> {
    const NOTHING: Self = Self { value: &NIL, boxed: false, addressable: false };

    fn of(slot: &'v Slot) -> Self {
        Self { value: &slot.value, boxed: slot.boxed, addressable: slot.addressable }
    }

    pub(super) fn to_slot(self) -> Slot {
        Slot { value: self.value.clone(), boxed: self.boxed, addressable: self.addressable }
    }

    fn field(self, name: &Str, missing_key: MissingKey) -> Option<Self> {
        let target = target(self.value, self.addressable && !self.boxed);
        match target.value {
            Value::Map(map) if *map.key_type() == Type::String => match map.peek(name)? {
                Some(value) => Some(Self { value, boxed: *map.element_type() == Type::Any, addressable: false }),
                None => (missing_key == MissingKey::Default).then_some(Self::NOTHING),
            },
            Value::Struct(structure) if structure.struct_type().method(name).is_none() => {
                let (value, field) = find_field(structure, name)?;
                let boxed = field.field_type == Type::Any;
                field.is_exported().then_some(Self { value, boxed, addressable: target.addressable })
            }
            Value::Nil if !self.boxed && missing_key != MissingKey::Error => Some(Self::NOTHING),
            _ => None,
        }
    }
}
