//! Pipelines, commands and their words.

use super::call::Arguments;
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
        let Some((first, words)) = command.operands.split_first() else {
            return Ok(Slot::default());
        };
        let arguments = Arguments { dot, words, last };
        if arguments.len() == 0
            && let Some(slot) = seen::of_word(first, dot, &self.variables, self.missing_key()).map(Seen::to_slot)
        {
            self.place = Place::Operand(first);
            return Ok(slot);
        }
        match &first.term {
            Term::Field(names) => {
                self.place = Place::Operand(first);
                self.fields(first, names, dot, arguments)
            }
            Term::Chain { base, fields } => self.chain(first, base, fields, arguments),
            Term::Function(named) => {
                self.place = Place::Operand(first);
                self.call(&named.function, None, &named.name, Place::Command(command), arguments)
            }
            Term::Pipeline(pipeline) => {
                self.takes_no_arguments(first, &arguments)?;
                self.nested(|execution| execution.pipeline(execution.syntax().pipeline(*pipeline), dot))
            }
            Term::Variable { symbol, fields } => self.variable_fields(first, *symbol, fields, arguments),
            literal => {
                self.place = Place::Operand(first);
                self.takes_no_arguments(first, &arguments)?;
                match literal {
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
        arguments: Arguments<'t, '_>,
    ) -> Result<Slot> {
        self.place = Place::Operand(chain);
        if matches!(base.term, Term::Nil) {
            let chain = self.syntax().describe(self.place);
            return Err(self.fail(format!("indirection through explicit nil in {chain}")));
        }
        let receiver = self.argument(base, &Type::Any, arguments.dot)?;
        self.fields(chain, fields, &receiver, arguments)
    }

    /// `$x`, or `$x.a.b` with arguments for the last.
    pub(super) fn variable_fields(
        &mut self,
        place: &'t Operand,
        symbol: Symbol,
        fields: &'t [Str],
        arguments: Arguments<'t, '_>,
    ) -> Result<Slot> {
        self.place = Place::Operand(place);
        let Some(value) = self.variables.get(symbol).cloned() else {
            return Err(self.undefined(symbol));
        };
        if fields.is_empty() {
            self.takes_no_arguments(place, &arguments)?;
            return Ok(value);
        }
        self.fields(place, fields, &value, arguments)
    }

    /// `.a.b.c` of a value. Only the last can be a method with arguments.
    pub(super) fn fields(
        &mut self,
        place: &'t Operand,
        names: &'t [Str],
        receiver: &Slot,
        arguments: Arguments<'t, '_>,
    ) -> Result<Slot> {
        let Some((final_name, names)) = names.split_last() else {
            return Ok(receiver.clone());
        };
        let Some((first, names)) = names.split_first() else {
            return self.field(place, final_name, receiver, arguments);
        };
        let mut value = self.field(place, first, receiver, Arguments::none(arguments.dot))?;
        for name in names {
            value = self.field(place, name, &value, Arguments::none(arguments.dot))?;
        }
        self.field(place, final_name, &value, arguments)
    }

    fn takes_no_arguments(&self, first: &'t Operand, arguments: &Arguments<'_, '_>) -> Result<()> {
        if arguments.len() == 0 {
            return Ok(());
        }
        let first = self.syntax().describe(Place::Operand(first));
        Err(self.fail(format!("can't give argument to non-function {first}")))
    }
}
