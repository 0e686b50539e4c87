//! Calling functions and methods.

use smallvec::SmallVec;

use super::{Execution, Result, Slot};
use crate::builtins::Builtin;
use crate::error::ExecError;
use crate::function::{Function, FunctionError};
use crate::syntax::{Operand, Place};
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// So many arguments are kept without an allocation.
type Few<T> = SmallVec<[T; 4]>;

impl<'t> Execution<'t, '_> {
    /// Calls a function, or a method with its receiver. `last` comes from the command before in the pipeline.
    #[expect(clippy::too_many_arguments, reason = "a call has so many parts")]
    pub(super) fn call(
        &mut self,
        function: &Function,
        receiver: Option<Value>,
        name: &Str,
        place: Place<'t>,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        let signature = function.signature();
        let bound = usize::from(receiver.is_some());
        let given = arguments.len() + usize::from(last.is_some());
        let required = signature.required().saturating_sub(bound);
        if signature.is_variadic && given < required {
            let given = arguments.len();
            return Err(self.fail(format!("wrong number of args for {name}: want at least {required} got {given}")));
        }
        if !signature.is_variadic && given != required {
            return Err(self.fail(format!("wrong number of args for {name}: want {required} got {given}")));
        }
        if let Some(builtin) = function.as_builtin() {
            return self.builtin(builtin, function, name, place, dot, arguments, last);
        }
        let mut values: Few<Value> = receiver.into_iter().collect();
        for argument in arguments {
            let wanted = signature.parameter(values.len()).unwrap_or(&Type::Any);
            values.push(self.argument(argument, wanted, dot)?.value);
        }
        if let Some(last) = last {
            let wanted = signature.parameter(values.len()).unwrap_or(&Type::Any);
            values.push(self.checked(last, wanted)?.value);
        }
        let result = function.call(&self.budget, &values).map_err(|error| self.failed(name, place, &error))?;
        self.charge_for(&result).map_err(|error| self.failed(name, place, &error))?;
        Ok(Slot::typed(result, &signature.result))
    }

    #[expect(clippy::too_many_arguments, reason = "a call has so many parts")]
    fn builtin(
        &mut self,
        builtin: Builtin,
        function: &Function,
        name: &Str,
        place: Place<'t>,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        if let Builtin::And | Builtin::Or = builtin {
            return self.and_or(builtin, dot, arguments, last);
        }
        let signature = function.signature();
        let mut slots: Few<Slot> = SmallVec::new();
        for argument in arguments {
            let wanted = signature.parameter(slots.len()).unwrap_or(&Type::Any);
            slots.push(self.argument(argument, wanted, dot)?);
        }
        if let Some(last) = last {
            let wanted = signature.parameter(slots.len()).unwrap_or(&Type::Any);
            slots.push(self.checked(last, wanted)?);
        }
        let result = match builtin {
            Builtin::Call => {
                let callee = || self.callee(arguments.first(), slots.first());
                crate::builtins::call(&self.budget, callee, &slots)
            }
            _ => builtin.apply(&self.budget, &slots),
        };
        let result = result.map_err(|error| self.failed(name, place, &error))?;
        self.charge_for(&result.value).map_err(|error| self.failed(name, place, &error))?;
        Ok(result)
    }

    /// What `call` calls, as its errors show it: how the template writes it, or what came from the command before.
    fn callee(&self, written: Option<&'t Operand>, value: Option<&Slot>) -> Str {
        match (written, value) {
            (Some(operand), _) => self.syntax().describe(Place::Operand(operand)),
            (None, Some(slot)) => match slot.value.underlying() {
                Value::String(text) => text.clone(),
                _ => format!("<{} Value>", slot.type_name()).into(),
            },
            (None, None) => Str::default(),
        }
    }

    /// The first argument that decides, or else the last. The rest is not evaluated.
    fn and_or(&mut self, builtin: Builtin, dot: &Slot, arguments: &'t [Operand], last: Option<Slot>) -> Result<Slot> {
        let mut value = Slot::default();
        for argument in arguments {
            value = self.argument(argument, &Type::Any, dot)?;
            if value.value.is_true() == (builtin == Builtin::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// Charges for what a function made anew.
    fn charge_for(&self, result: &Value) -> std::result::Result<(), FunctionError> {
        match result {
            Value::String(text) => self.budget.allocate(text.as_bytes().len()),
            Value::List(list) if list.is_unshared() => self.budget.allocate_values(list.len()),
            Value::Map(map) if map.is_unshared() => self.budget.allocate_values(2 * map.len()),
            _ => Ok(()),
        }
    }

    fn failed(&mut self, name: &Str, place: Place<'t>, error: &FunctionError) -> Box<ExecError> {
        self.place = place;
        let message = format!("error calling {name}: {error}");
        Box::new(ExecError::at(self.tree, self.place, &message, error.is_limit()))
    }
}
