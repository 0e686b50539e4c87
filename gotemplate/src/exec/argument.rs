//! Arguments: words where a type is wanted.

use super::call::Arguments;
use super::{Execution, Result, Slot, seen};
use crate::syntax::{Number, Operand, Place, Term};
use crate::types::{Kind, Type};
use crate::value::{Pointer, Value};

impl<'t> Execution<'t, '_> {
    /// The value of an argument that must be of type `wanted`.
    pub(super) fn argument(&mut self, operand: &'t Operand, wanted: &Type, dot: &Slot) -> Result<Slot> {
        self.place = Place::Operand(operand);
        if let Some(seen) = seen::of_word(operand, dot, &self.variables, self.missing_key()) {
            return self.checked(seen.to_slot(), wanted);
        }
        let slot = match &operand.term {
            Term::Nil if wanted.can_be_nil() => return Ok(Slot::of(wanted.zero())),
            Term::Nil => return Err(self.fail(format!("cannot assign nil to {wanted}"))),
            Term::Field(names) => self.fields(operand, names, dot, Arguments::none(dot))?,
            Term::Variable { symbol, fields } => {
                self.variable_fields(operand, *symbol, fields, Arguments::none(dot))?
            }
            Term::Pipeline(pipeline) => {
                self.nested(|execution| execution.pipeline(execution.syntax().pipeline(*pipeline), dot))?
            }
            Term::Function(named) => {
                self.call(&named.function, None, &named.name, Place::Operand(operand), Arguments::none(dot))?
            }
            Term::Chain { base, fields } => self.chain(operand, base, fields, Arguments::none(dot))?,
            literal if wanted.is_any() => return self.literal(literal),
            literal => return self.typed_literal(operand, literal, wanted).map(Slot::of),
        };
        self.checked(slot, wanted)
    }

    /// The value, if it is of that type or one step away from it.
    pub(super) fn checked(&mut self, slot: Slot, wanted: &Type) -> Result<Slot> {
        if wanted.is_any() {
            return Ok(slot);
        }
        match &slot.value {
            Value::Nil if slot.boxed => {}
            Value::Nil if wanted.can_be_nil() => return Ok(Slot::of(wanted.zero())),
            Value::Nil => return Err(self.fail(format!("invalid value; expected {wanted}"))),
            value => {
                if let Some(value) = wanted.assign(value) {
                    return Ok(Slot { value, ..slot });
                }
            }
        }
        match &slot.value {
            Value::Pointer(pointer) if *pointer.target_type() == *wanted => match pointer.target() {
                Some(target) => return Ok(Slot::of(target.clone())),
                None => return Err(self.fail(format!("dereference of nil pointer of type {wanted}"))),
            },
            value if slot.addressable && !slot.boxed && value.type_of().map(Type::pointer).as_ref() == Some(wanted) => {
                return Ok(Slot::of(Pointer::new(slot.value).into()));
            }
            _ => {}
        }
        let given = Slot { boxed: false, ..slot }.type_name();
        Err(self.fail(format!("wrong type for value; expected {wanted}; got {given}")))
    }

    fn typed_literal(&mut self, operand: &'t Operand, literal: &'t Term, wanted: &Type) -> Result<Value> {
        let (value, expected) = match (wanted.kind(), literal) {
            (Kind::Bool, Term::Bool(value)) => (Some(Value::Bool(*value)), "bool"),
            (Kind::String, Term::String { value, .. }) => (Some(value.clone()), "string"),
            (Kind::Bool, _) => (None, "bool"),
            (Kind::String, _) => (None, "string"),
            (Kind::Int(kind), literal) => (
                number(literal).and_then(|number| number.int).map(|value| Value::Int(kind.wrap(value), kind)),
                "integer",
            ),
            (Kind::Uint(kind), literal) => {
                let value = number(literal).and_then(|number| number.uint);
                (value.map(|value| Value::Uint(kind.wrap(value), kind)), "unsigned integer")
            }
            (Kind::Float(kind), literal) => {
                let value = number(literal).and_then(|number| number.float);
                (value.map(|value| Value::Float(kind.round(value), kind)), "float")
            }
            (Kind::Complex, literal) => {
                let parts = number(literal).and_then(|number| number.complex);
                (parts.map(|(real, imaginary)| Value::Complex(real, imaginary)), "complex")
            }
            _ => {
                let literal = self.syntax().describe(Place::Operand(operand));
                return Err(self.fail(format!("can't handle {literal} for arg of type {wanted}")));
            }
        };
        match (value, wanted) {
            (Some(value), Type::Named(named)) => Ok(Value::named(named.clone(), value)),
            (Some(value), _) => Ok(value),
            (None, _) => {
                let literal = self.syntax().describe(Place::Operand(operand));
                Err(self.fail(format!("expected {expected}; found {literal}")))
            }
        }
    }
}

fn number(literal: &Term) -> Option<&Number> {
    match literal {
        Term::Number(number) => Some(number),
        _ => None,
    }
}
