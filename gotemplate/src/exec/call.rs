//! Calling functions and methods.

use smallvec::SmallVec;

use super::{Execution, Result, Seen, Slot, seen};
use crate::builtins::Builtin;
use crate::function::{Function, FunctionError, Signature};
use crate::syntax::{Operand, Place};
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// So many arguments are kept without an allocation.
type Few<T> = SmallVec<[T; 4]>;

/// What a function or method is called with.
pub(super) struct Arguments<'t, 'd> {
    pub(super) dot: &'d Slot,
    /// As the template writes them.
    pub(super) words: &'t [Operand],
    /// What comes from the command before in the pipeline.
    pub(super) last: Option<Slot>,
}

impl<'d> Arguments<'_, 'd> {
    /// None at all.
    pub(super) fn none(dot: &'d Slot) -> Self {
        Self { dot, words: &[], last: None }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len() + usize::from(self.last.is_some())
    }
}

impl<'t> Execution<'t, '_> {
    /// Calls a function, or a method with its receiver. `place` is where an error of the function is.
    pub(super) fn call(
        &mut self,
        function: &Function,
        receiver: Option<Value>,
        name: &Str,
        place: Place<'t>,
        arguments: Arguments<'t, '_>,
    ) -> Result<Slot> {
        let signature = function.signature();
        let required = signature.required().saturating_sub(usize::from(receiver.is_some()));
        let given = arguments.len();
        if signature.is_variadic && given < required {
            let given = arguments.words.len();
            return Err(self.fail(format!("wrong number of args for {name}: want at least {required} got {given}")));
        }
        if !signature.is_variadic && given != required {
            return Err(self.fail(format!("wrong number of args for {name}: want {required} got {given}")));
        }
        let result = match function.as_builtin() {
            Some(Builtin::And) => return self.and_or(Builtin::And, arguments),
            Some(Builtin::Or) => return self.and_or(Builtin::Or, arguments),
            Some(builtin) => self.builtin(builtin, signature, arguments)?,
            None => {
                let receiver = receiver.map(Slot::of);
                let slots = self.evaluated(receiver, signature, arguments)?;
                let values: Few<Value> = slots.into_iter().map(|slot| slot.value).collect();
                function.call(&self.budget, &values).map(|value| Slot::typed(value, &signature.result))
            }
        };
        result.and_then(|result| self.charged(result)).map_err(|error| {
            self.place = place;
            self.raise(&error.within(&format!("error calling {name}")))
        })
    }

    /// The arguments behind the receiver, each of the type that the function wants.
    fn evaluated(
        &mut self,
        receiver: Option<Slot>,
        signature: &Signature,
        arguments: Arguments<'t, '_>,
    ) -> Result<Few<Slot>> {
        let mut slots: Few<Slot> = receiver.into_iter().collect();
        for word in arguments.words {
            let wanted = signature.parameter(slots.len()).unwrap_or(&Type::Any);
            slots.push(self.argument(word, wanted, arguments.dot)?);
        }
        if let Some(last) = arguments.last {
            let wanted = signature.parameter(slots.len()).unwrap_or(&Type::Any);
            slots.push(self.checked(last, wanted)?);
        }
        Ok(slots)
    }

    fn builtin(
        &mut self,
        builtin: Builtin,
        signature: &Signature,
        arguments: Arguments<'t, '_>,
    ) -> Result<std::result::Result<Slot, FunctionError>> {
        let words = arguments.words;
        if builtin != Builtin::Call
            && let Some(result) = self.builtin_of_seen(builtin, signature, &arguments)
        {
            self.place = words.last().map_or(self.place, Place::Operand);
            return Ok(result);
        }
        let slots = self.evaluated(None, signature, arguments)?;
        let values: Few<Seen<'_>> = slots.iter().map(Seen::of).collect();
        Ok(match builtin {
            Builtin::Call => {
                let callee = || self.callee(words.first(), slots.first());
                crate::builtins::call(&self.budget, callee, &values)
            }
            _ => builtin.apply(&self.budget, &values),
        })
    }

    /// Calls it with its arguments where they are. None if one must be evaluated first, or is of the wrong type.
    fn builtin_of_seen(
        &self,
        builtin: Builtin,
        signature: &Signature,
        arguments: &Arguments<'t, '_>,
    ) -> Option<std::result::Result<Slot, FunctionError>> {
        let mut values: Few<Seen<'_>> = SmallVec::new();
        for word in arguments.words {
            values.push(seen::of_argument(word, arguments.dot, &self.variables, self.missing_key())?);
        }
        values.extend(arguments.last.as_ref().map(Seen::of));
        let fits = |(position, seen): (usize, &Seen<'_>)| match signature.parameter(position) {
            Some(Type::String) => matches!(seen.value, Value::String(_)),
            wanted => wanted.is_some_and(Type::is_any),
        };
        let fit = values.iter().enumerate().all(fits);
        fit.then(|| builtin.apply(&self.budget, &values))
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
    fn and_or(&mut self, builtin: Builtin, Arguments { dot, words, last }: Arguments<'t, '_>) -> Result<Slot> {
        let mut value = Slot::default();
        for (position, word) in words.iter().enumerate() {
            let is_final = position + 1 == words.len() && last.is_none();
            if let Some(seen) = seen::of_argument(word, dot, &self.variables, self.missing_key()) {
                if is_final || seen.value.is_true() == (builtin == Builtin::Or) {
                    let value = seen.to_slot();
                    self.place = Place::Operand(word);
                    return Ok(value);
                }
                continue;
            }
            value = self.argument(word, &Type::Any, dot)?;
            if value.value.is_true() == (builtin == Builtin::Or) {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// What a function gave, charged for as far as it made it anew.
    fn charged(&self, result: Slot) -> std::result::Result<Slot, FunctionError> {
        match &result.value {
            Value::String(text) => self.budget.allocate(text.as_bytes().len())?,
            Value::List(list) if list.is_unshared() => self.budget.allocate_values(list.len())?,
            Value::Map(map) if map.is_unshared() => self.budget.allocate_values(2 * map.len())?,
            _ => {}
        }
        Ok(result)
    }
}
