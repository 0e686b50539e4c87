//! Values where they are: the dot, variables, and what they hold, as far as nothing is called to reach it.

use super::Slot;
use super::field::{FoundField, find_field, target};
use super::variables::Variables;
use crate::named::Field;
use crate::syntax::{Operand, Term};
use crate::template::MissingKey;
use crate::text::Str;
use crate::value::Value;

/// A [`Slot`] that belongs to someone else.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'v> {
    pub(crate) value: &'v Value,
    origin: Origin,
}

/// What is known of where a value is. As one field, so that a [`Seen`] is handed on in registers.
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Plain,
    /// A pointer to it can be had.
    Addressable,
    /// It is in a place of type `interface {}`.
    Boxed,
}

static NIL: Value = Value::Nil;
static TRUE: Value = Value::Bool(true);
static FALSE: Value = Value::Bool(false);

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

/// The value of an argument of any type, which may be a literal.
pub(super) fn of_argument<'v>(
    word: &'v Operand,
    dot: &'v Slot,
    variables: &'v Variables,
    missing_key: MissingKey,
) -> Option<Seen<'v>> {
    match &word.term {
        Term::Bool(value) => Some(Seen::of_value(if *value { &TRUE } else { &FALSE })),
        Term::Nil => Some(Seen::NOTHING),
        Term::Number(number) => number.ideal.as_ref().map(Seen::of_value),
        Term::String { value, .. } => Some(Seen::of_value(value)),
        _ => of_word(word, dot, variables, missing_key),
    }
}

impl<'v> Seen<'v> {
    const NOTHING: Self = Self { value: &NIL, origin: Origin::Plain };

    pub(crate) fn of(slot: &'v Slot) -> Self {
        Self::new(&slot.value, slot.boxed, slot.addressable)
    }

    /// A value of its own type.
    pub(crate) fn of_value(value: &'v Value) -> Self {
        Self { value, origin: Origin::Plain }
    }

    fn new(value: &'v Value, boxed: bool, addressable: bool) -> Self {
        let origin = match (boxed, addressable) {
            (true, _) => Origin::Boxed,
            (false, true) => Origin::Addressable,
            (false, false) => Origin::Plain,
        };
        Self { value, origin }
    }

    pub(crate) fn is_boxed(self) -> bool {
        self.origin == Origin::Boxed
    }

    /// The value behind all pointers; a nil pointer stays.
    pub(crate) fn pointed_to(self) -> &'v Value {
        target(self.value, false).value
    }

    pub(crate) fn to_slot(self) -> Slot {
        Slot { value: self.value.clone(), boxed: self.is_boxed(), addressable: self.origin == Origin::Addressable }
    }

    fn field(self, name: &Str, missing_key: MissingKey) -> Option<Self> {
        let target = target(self.value, self.origin == Origin::Addressable);
        match target.value {
            Value::Map(map) => match map.peek(name)? {
                Some(value) => Some(Self::new(value, map.element_type().is_any(), false)),
                None => (missing_key == MissingKey::Default).then_some(Self::NOTHING),
            },
            Value::Struct(structure) if structure.struct_type().find_method(name).is_none() => {
                let FoundField { value, field, is_behind_pointer } = find_field(structure, name)?.ok()?;
                let (boxed, addressable) = (field.field_type.is_any(), target.addressable || is_behind_pointer);
                Field::exports(name).then_some(Self::new(value, boxed, addressable))
            }
            Value::Nil if !self.is_boxed() && missing_key != MissingKey::Error => Some(Self::NOTHING),
            _ => None,
        }
    }
}
