//! Calling functions and methods.

use smallvec::SmallVec;

use super::{Execution, Result, Seen, Slot, seen};
use crate::builtins::Builtin;
use crate::error::ExecError;
use crate::function::{Function, FunctionError, Signature};
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
        if builtin != Builtin::Call
            && let Some(result) = self.builtin_of_seen(builtin, function.signature(), dot, arguments, last.as_ref())
        {
            let result = result.map_err(|error| self.failed(name, place, &error))?;
            self.place = arguments.last().map_or(self.place, Place::Operand);
            return Ok(result);
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
        let values: Few<Seen<'_>> = slots.iter().map(Seen::of).collect();
        let result = match builtin {
            Builtin::Call => {
                let callee = || self.callee(arguments.first(), slots.first());
                crate::builtins::call(&self.budget, callee, &values)
            }
            _ => builtin.apply(&self.budget, &values),
        };
        let result = result.and_then(|result| self.charged(result));
        result.map_err(|error| self.failed(name, place, &error))
    }

    /// Calls it with its arguments where they are. None if one must be evaluated first, or is of the wrong type.
    fn builtin_of_seen(
        &self,
        builtin: Builtin,
        signature: &Signature,
        dot: &Slot,
        arguments: &[Operand],
        last: Option<&Slot>,
    ) -> Option<std::result::Result<Slot, FunctionError>> {
        let mut values: Few<Seen<'_>> = SmallVec::new();
        for argument in arguments {
            values.push(seen::of_argument(argument, dot, &self.variables, self.missing_key())?);
        }
        values.extend(last.map(Seen::of));
        let fits = |(position, seen): (usize, &Seen<'_>)| match signature.parameter(position) {
            Some(Type::String) => matches!(seen.value, Value::String(_)),
            wanted => wanted.is_some_and(Type::is_any),
        };
        let fit = values.iter().enumerate().all(fits);
        fit.then(|| builtin.apply(&self.budget, &values).and_then(|result| self.charged(result)))
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
        for (position, argument) in arguments.iter().enumerate() {
            let is_final = position + 1 == arguments.len() && last.is_none();
            if let Some(seen) = seen::of_argument(argument, dot, &self.variables, self.missing_key()) {
                if is_final || seen.value.is_true() == (builtin == Builtin::Or) {
                    value = seen.to_slot();
                    self.place = Place::Operand(argument);
                    return Ok(value);
                }
                continue;
            }
            value = self.argument(argument, &Type::Any, dot)?;
            if value.value.is_true() == (builtin == Builtin::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn charged(&self, result: Slot) -> std::result::Result<Slot, FunctionError> {
        self.charge_for(&result.value)?;
        Ok(result)
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
