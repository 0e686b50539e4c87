//! Executing a template.

mod argument;
mod call;
mod evaluate;
mod field;
mod output;
mod seen;
mod slot;
mod variables;

use std::io::Write;

pub(crate) use seen::Seen;
pub(crate) use slot::Slot;

use crate::error::ExecError;
use crate::format::quote;
use crate::function::FunctionError;
use crate::limits::{Budget, Limits};
use crate::stack;
use crate::syntax::{BlockId, Branch, Node, Pipeline, PipelineId, Place, Symbol, Syntax};
use crate::template::{MissingKey, Template, Tree};
use crate::text::Str;
use crate::types::Kind;
use crate::value::Value;
use output::{Output, Refused};
use variables::Variables;

type Result<T> = std::result::Result<T, Box<ExecError>>;

/// Executes the template of that name in a set.
pub(crate) fn execute(
    template: &Template,
    tree: &Tree,
    data: &Value,
    writer: &mut dyn Write,
    limits: &Limits,
) -> Result<()> {
    let budget = Budget::new(*limits);
    let data = Slot::of(data.clone());
    let mut execution = Execution {
        template,
        tree,
        place: Place::Start,
        variables: Variables::new(data.clone()),
        depth: 0,
        output: Output::new(writer, limits.output),
        scratch: Vec::new(),
        budget,
    };
    let result = execution.block(tree.root, &data).map(drop);
    // What was written before an error is part of the result, as in Go.
    let flushed = execution.output.flush().map_err(|error| Box::new(ExecError::write(tree.name.clone(), error)));
    result.and(flushed)
}

/// The state of one execution.
struct Execution<'t, 'w> {
    template: &'t Template,
    /// The template that is being executed.
    tree: &'t Tree,
    /// What is being executed, for errors.
    place: Place<'t>,
    variables: Variables,
    depth: u32,
    output: Output<'w>,
    /// What is being printed.
    scratch: Vec<u8>,
    budget: Budget,
}

/// How a block ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Normal,
    Break,
    Continue,
}

impl<'t> Execution<'t, '_> {
    fn block(&mut self, block: BlockId, dot: &Slot) -> Result<Flow> {
        self.nested(|execution| {
            for node in execution.syntax().block(block) {
                match execution.node(node, dot)? {
                    Flow::Normal => {}
                    flow => return Ok(flow),
                }
            }
            Ok(Flow::Normal)
        })
    }

    fn node(&mut self, node: &'t Node, dot: &Slot) -> Result<Flow> {
        self.place = Place::Node(node);
        let passed = self.variables.take_passed();
        self.charge(|budget| budget.work(1 + passed))?;
        match node {
            Node::Text { start, end } => {
                let text = &self.syntax().text[*start as usize..*end as usize];
                self.write(text)?;
            }
            Node::Action { pipeline, .. } => {
                let pipeline = self.syntax().pipeline(*pipeline);
                if !self.print_seen(pipeline, dot)? {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.print(node, value)?;
                    }
                }
            }
            Node::If(branch) => return self.if_branch(branch, dot),
            Node::With(branch) => return self.with_branch(branch, dot),
            Node::Range(branch) => return self.range(branch, dot),
            Node::Template { name, pipeline, .. } => self.template(name, *pipeline, dot)?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::Normal)
    }

    fn if_branch(&mut self, branch: &'t Branch, dot: &Slot) -> Result<Flow> {
        let mark = self.variables.mark();
        let pipeline = self.syntax().pipeline(branch.pipeline);
        let flow = match (self.condition(pipeline, dot)?, branch.otherwise) {
            (true, _) => self.block(branch.body, dot)?,
            (false, Some(otherwise)) => self.block(otherwise, dot)?,
            (false, None) => Flow::Normal,
        };
        self.variables.forget(mark);
        Ok(flow)
    }

    fn condition(&mut self, pipeline: &'t Pipeline, dot: &Slot) -> Result<bool> {
        if let Some(word) = pipeline.only_word()
            && let Some(seen) = seen::of_word(word, dot, &self.variables, self.missing_key())
        {
            self.place = Place::Operand(word);
            return Ok(seen.value.is_true());
        }
        Ok(self.pipeline(pipeline, dot)?.value.is_true())
    }

    fn with_branch(&mut self, branch: &'t Branch, dot: &Slot) -> Result<Flow> {
        let mark = self.variables.mark();
        let value = self.pipeline(self.syntax().pipeline(branch.pipeline), dot)?;
        let flow = match (value.value.is_true(), branch.otherwise) {
            (true, _) => self.block(branch.body, &value)?,
            (false, Some(otherwise)) => self.block(otherwise, dot)?,
            (false, None) => Flow::Normal,
        };
        self.variables.forget(mark);
        Ok(flow)
    }

    fn range(&mut self, branch: &'t Branch, dot: &Slot) -> Result<Flow> {
        let mark = self.variables.mark();
        let over = self.pipeline(self.syntax().pipeline(branch.pipeline), dot)?;
        let ran = self.rounds(branch, over.pointed_to())?;
        let flow = match (ran, branch.otherwise) {
            (false, Some(otherwise)) => self.block(otherwise, dot)?,
            _ => Flow::Normal,
        };
        self.variables.forget(mark);
        // In Go a `break` between `else` and `end` ends this loop, which did not run, and not the one around it.
        Ok(if flow == Flow::Break { Flow::Normal } else { flow })
    }

    /// Executes the body for each element; whether there was one.
    fn rounds(&mut self, branch: &'t Branch, over: &Value) -> Result<bool> {
        match over.underlying() {
            Value::Int(end, _) => self.numbers(branch, over, (*end).max(0).unsigned_abs()),
            Value::Uint(end, _) => self.numbers(branch, over, *end),
            Value::List(list) => {
                let boxed = list.element_type().is_any();
                let elements = list.iter().enumerate().map(|(index, element)| {
                    let element = Slot { value: element.clone(), boxed, addressable: true };
                    (Slot::of(Value::int(index as i64)), element)
                });
                self.elements(branch, elements)
            }
            Value::Map(map) => {
                // The loop is over the entries as they are now: they are copied.
                self.charge(|budget| budget.allocate_values(map.len().saturating_mul(2)))?;
                let elements = map.entries().into_iter().map(|(key, value)| {
                    let key = Slot::typed(key.into_value(), map.key_type());
                    (key, Slot::typed(value, map.element_type()))
                });
                self.elements(branch, elements)
            }
            Value::Nil => Ok(false),
            _ => {
                let shown = self.show(over)?;
                Err(self.fail(format!("range can't iterate over {shown}")))
            }
        }
    }

    fn numbers(&mut self, branch: &'t Branch, over: &Value, end: u64) -> Result<bool> {
        if self.syntax().pipeline(branch.pipeline).variables.len() > 1 {
            let shown = self.show(over)?;
            return Err(self.fail(format!("can't use {shown} to iterate over more than one variable")));
        }
        let like = over.clone();
        self.elements(branch, (0..end).map(move |number| (Slot::default(), Slot::of(number_like(&like, number)))))
    }

    fn elements(&mut self, branch: &'t Branch, elements: impl Iterator<Item = (Slot, Slot)>) -> Result<bool> {
        let mut ran = false;
        let mark = self.variables.mark();
        for (index, element) in elements {
            ran = true;
            self.charge(Budget::iterate)?;
            self.set_range_variables(branch, index, &element)?;
            let flow = self.block(branch.body, &element)?;
            self.variables.forget(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    /// With one variable it is the element, with two the first is the index. Declared ones are on top of the stack.
    fn set_range_variables(&mut self, branch: &'t Branch, index: Slot, element: &Slot) -> Result<()> {
        let pipeline = self.syntax().pipeline(branch.pipeline);
        match pipeline.variables.as_slice() {
            [] => {}
            [only] if pipeline.assigns => self.assign(only.symbol, element.clone())?,
            [first, second] if pipeline.assigns => {
                self.assign(first.symbol, index)?;
                self.assign(second.symbol, element.clone())?;
            }
            variables => {
                if let Some(slot) = self.variables.latest_but(0) {
                    *slot = element.clone();
                }
                if variables.len() > 1
                    && let Some(slot) = self.variables.latest_but(1)
                {
                    *slot = index;
                }
            }
        }
        Ok(())
    }

    fn template(&mut self, name: &Str, pipeline: Option<PipelineId>, dot: &Slot) -> Result<()> {
        let Some(tree) = self.template.tree(name.as_bytes()) else {
            return Err(self.fail(format!("template {} not defined", quote(name.as_bytes()))));
        };
        let dot = match pipeline {
            Some(pipeline) => self.pipeline(self.syntax().pipeline(pipeline), dot)?,
            None => Slot::default(),
        };
        let caller = std::mem::replace(&mut self.tree, tree);
        let frame = self.variables.enter(dot.clone());
        self.block(tree.root, &dot)?;
        self.variables.leave(frame);
        self.tree = caller;
        Ok(())
    }

    /// Prints what can be printed without a clone: a scalar, if the action asks for nothing but that. Whether it was so.
    fn print_seen(&mut self, pipeline: &'t Pipeline, dot: &Slot) -> Result<bool> {
        let Some(word) = pipeline.only_word() else { return Ok(false) };
        let Some(seen) = seen::of_word(word, dot, &self.variables, self.missing_key()) else { return Ok(false) };
        let written = match seen.value {
            Value::String(text) => self.output.write(text.as_bytes()),
            value @ (Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(..)) => {
                self.scratch.clear();
                crate::format::value(&mut self.scratch, &self.budget, value).map_err(|error| self.raise(&error))?;
                self.output.write(&self.scratch)
            }
            _ => return Ok(false),
        };
        written.map(|()| true).map_err(|refused| self.refused(refused))
    }

    fn print(&mut self, node: &'t Node, slot: Slot) -> Result<()> {
        self.place = Place::Node(node);
        let slot = slot.printable();
        let mut text = Vec::new();
        match &slot.value {
            Value::String(text) => return self.write(text.as_bytes()),
            Value::Nil => return self.write(b"<no value>"),
            value if value.kind() == Kind::Function && !has_display(value) => {
                let action = self.syntax().describe(self.place);
                return Err(self.fail(format!("can't print {action} of type {}", slot.type_name())));
            }
            value => crate::format::value(&mut text, &self.budget, value).map_err(|error| self.raise(&error))?,
        }
        self.write(&text)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.output.write(bytes).map_err(|refused| self.refused(refused))
    }

    fn refused(&self, refused: Refused) -> Box<ExecError> {
        match refused {
            Refused::Limit(limit) => self.raise(&limit),
            Refused::Writer(error) => Box::new(ExecError::write(self.tree.name.clone(), error)),
        }
    }

    fn assign(&mut self, symbol: Symbol, value: Slot) -> Result<()> {
        match self.variables.get_mut(symbol) {
            Some(slot) => *slot = value,
            None => return Err(self.undefined(symbol)),
        }
        Ok(())
    }

    fn undefined(&self, symbol: Symbol) -> Box<ExecError> {
        self.fail(format!("undefined variable: {}", self.syntax().variable(symbol)))
    }

    /// One level deeper, with native stack enough for it.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let limit = self.budget.limits().depth;
        if self.depth >= limit {
            return Err(self.raise(&FunctionError::limit(format!("exceeded maximum template depth ({limit})"))));
        }
        self.depth += 1;
        let result = stack::with_room(|| inner(self));
        self.depth -= 1;
        result
    }

    fn charge(&self, charge: impl FnOnce(&Budget) -> std::result::Result<(), FunctionError>) -> Result<()> {
        charge(&self.budget).map_err(|error| self.raise(&error))
    }

    /// A value as `%v` prints it, for an error.
    fn show(&self, value: &Value) -> Result<Str> {
        let mut text = Vec::new();
        crate::format::value(&mut text, &self.budget, value).map_err(|error| self.raise(&error))?;
        Ok(text.into())
    }

    fn fail(&self, message: impl AsRef<str>) -> Box<ExecError> {
        Box::new(ExecError::at(self.tree, self.place, message.as_ref(), false))
    }

    /// The error of a function or of the budget, where the execution is.
    fn raise(&self, error: &FunctionError) -> Box<ExecError> {
        Box::new(ExecError::at(self.tree, self.place, error.message(), error.is_limit()))
    }

    fn syntax(&self) -> &'t Syntax {
        &self.tree.syntax
    }

    fn missing_key(&self) -> MissingKey {
        self.template.missing_key()
    }
}

fn has_display(value: &Value) -> bool {
    matches!(value, Value::Named(named) if named.named_type().definition().display.is_some())
}

/// A number of the type of `like`, which may have a name.
fn number_like(like: &Value, number: u64) -> Value {
    match like {
        Value::Named(named) => Value::named(named.named_type().clone(), number_like(named.value(), number)),
        Value::Uint(_, kind) => Value::Uint(number, *kind),
        value => match value.kind() {
            Kind::Int(kind) => Value::Int(number as i64, kind),
            _ => Value::int(number as i64),
        },
    }
}
