//! Pipelines, commands and their words.

use super::seen::{self, Seen};
use super::{Execution, Result, Slot};
use crate::syntax::{Command, Operand, Pipeline, Place, Symbol, Term};
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

impl<'t> Execution<'t, '_> {
    /// The value of a pipeline. Variables that it declares stay until the block ends.
    pub(super) fn pipeline(&mut self, pipeline: &'t Pipeline, dot: &Slot) -> Result<Slot> {
        self.place = Place::Pipeline(pipeline);
        if let ([command], []) = (pipeline.commands.as_slice(), pipeline.variables.as_slice()) {
            return Ok(self.command(command, dot, None)?.unboxed());
        }
        let mut last = None;
        for command in &pipeline.commands {
            last = Some(self.command(command, dot, last.take())?.unboxed());
        }
        let value = last.unwrap_or_default();
        for variable in &pipeline.variables {
            match pipeline.assigns {
                true => self.assign(variable.symbol, value.clone())?,
                false => self.variables.declare(variable.symbol, value.clone()),
            }
        }
        Ok(value)
    }

    /// The value of a command, whose last argument is that of the command before it in the pipeline.
    fn command(&mut self, command: &'t Command, dot: &Slot, last: Option<Slot>) -> Result<Slot> {
        let Some((first, arguments)) = command.operands.split_first() else {
            return Ok(Slot::default());
        };
        if arguments.is_empty()
            && last.is_none()
            && let Some(slot) = seen::of_word(first, dot, &self.variables, self.missing_key()).map(Seen::to_slot)
        {
            self.place = Place::Operand(first);
            return Ok(slot);
        }
        match &first.term {
            Term::Field(names) => {
                self.place = Place::Operand(first);
                self.fields(first, names, dot, dot, arguments, last)
            }
            Term::Chain { base, fields } => self.chain(first, base, fields, dot, arguments, last),
            Term::Function(named) => {
                self.place = Place::Operand(first);
                self.call(&named.function, None, &named.name, Place::Command(command), dot, arguments, last)
            }
            Term::Pipeline(pipeline) => {
                self.takes_no_arguments(first, arguments, last.as_ref())?;
                self.nested(|execution| execution.pipeline(execution.syntax().pipeline(*pipeline), dot))
            }
            Term::Variable { symbol, fields } => self.variable_fields(first, *symbol, fields, dot, arguments, last),
            literal => {
                self.place = Place::Operand(first);
                self.takes_no_arguments(first, arguments, last.as_ref())?;
                match literal {
                    Term::Dot => Ok(dot.clone()),
                    Term::Nil => Err(self.fail("nil is not a command")),
                    literal => self.literal(literal),
                }
            }
        }
    }

    /// The value of a literal where no type is wanted.
    pub(super) fn literal(&mut self, literal: &'t Term) -> Result<Slot> {
        Ok(Slot::of(match literal {
            Term::Bool(value) => Value::Bool(*value),
            Term::String { value, .. } => value.clone(),
            Term::Number(number) => match &number.ideal {
                Some(value) => value.clone(),
                None => return Err(self.fail(format!("{} overflows int", number.text))),
            },
            _ => Value::Nil,
        }))
    }

    /// `(pipeline).a.b`
    pub(super) fn chain(
        &mut self,
        chain: &'t Operand,
        base: &'t Operand,
        fields: &'t [Str],
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        self.place = Place::Operand(chain);
        if matches!(base.term, Term::Nil) {
            let chain = self.syntax().describe(self.place);
            return Err(self.fail(format!("indirection through explicit nil in {chain}")));
        }
        let receiver = self.argument(base, &Type::Any, dot)?;
        self.fields(chain, fields, &receiver, dot, arguments, last)
    }

    /// `$x`, or `$x.a.b` with arguments for the last.
    pub(super) fn variable_fields(
        &mut self,
        place: &'t Operand,
        symbol: Symbol,
        fields: &'t [Str],
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        self.place = Place::Operand(place);
        let Some(value) = self.variables.get(symbol).cloned() else {
            return Err(self.undefined(symbol));
        };
        if fields.is_empty() {
            self.takes_no_arguments(place, arguments, last.as_ref())?;
            return Ok(value);
        }
        self.fields(place, fields, &value, dot, arguments, last)
    }

    /// `.a.b.c` of a value. Only the last can be a method with arguments.
    pub(super) fn fields(
        &mut self,
        place: &'t Operand,
        names: &'t [Str],
        receiver: &Slot,
        dot: &Slot,
        arguments: &'t [Operand],
        last: Option<Slot>,
    ) -> Result<Slot> {
        let Some((final_name, names)) = names.split_last() else {
            return Ok(receiver.clone());
        };
        let Some((first, names)) = names.split_first() else {
            return self.field(place, final_name, receiver, dot, arguments, last);
        };
        let mut value = self.field(place, first, receiver, dot, &[], None)?;
        for name in names {
            value = self.field(place, name, &value, dot, &[], None)?;
        }
        self.field(place, final_name, &value, dot, arguments, last)
    }

    fn takes_no_arguments(&self, first: &'t Operand, arguments: &[Operand], last: Option<&Slot>) -> Result<()> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        let first = self.syntax().describe(Place::Operand(first));
        Err(self.fail(format!("can't give argument to non-function {first}")))
    }
}
