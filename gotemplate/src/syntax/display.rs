//! Syntax as error messages show it: written anew, with Go's spacing, rather than as it is in the text.

use super::{BlockId, Branch, Command, Node, Operand, Pipeline, Syntax, Term};
use crate::format::quote;
use crate::stack;
use crate::text::Str;

impl Syntax {
    /// As `{{.x}}`, with the whole body where it has one.
    pub(crate) fn node_text(&self, node: &Node) -> Str {
        self.written(|writer| writer.node(node))
    }

    /// As `$x := .a | f`, without parentheses.
    pub(crate) fn pipeline_text(&self, pipeline: &Pipeline) -> Str {
        self.written(|writer| writer.pipeline(pipeline))
    }

    /// As `f .a "b"`.
    pub(crate) fn command_text(&self, command: &Command) -> Str {
        self.written(|writer| writer.command(command))
    }

    /// As `.a`. A pipeline is without its parentheses.
    pub(crate) fn operand_text(&self, operand: &Operand) -> Str {
        self.written(|writer| writer.operand(operand))
    }

    fn written(&self, write: impl FnOnce(&mut Writer<'_>)) -> Str {
        let mut writer = Writer { syntax: self, output: Vec::new() };
        write(&mut writer);
        writer.output.into()
    }
}

struct Writer<'a> {
    syntax: &'a Syntax,
    output: Vec<u8>,
}

impl Writer<'_> {
    fn push(&mut self, text: impl AsRef<[u8]>) {
        self.output.extend_from_slice(text.as_ref());
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text { start, end } => {
                self.push(self.syntax.span(*start, *end));
            }
            Node::Action { pipeline, .. } => {
                self.push("{{");
                self.pipeline(self.syntax.pipeline(*pipeline));
                self.push("}}");
            }
            Node::If(branch) => self.branch("if", branch),
            Node::With(branch) => self.branch("with", branch),
            Node::Range(branch) => self.branch("range", branch),
            Node::Template { name, pipeline, .. } => {
                self.push("{{template ");
                self.push(quote(name));
                if let Some(pipeline) = pipeline {
                    self.push(" ");
                    self.pipeline(self.syntax.pipeline(*pipeline));
                }
                self.push("}}");
            }
            Node::Break { .. } => self.push("{{break}}"),
            Node::Continue { .. } => self.push("{{continue}}"),
        }
    }

    fn branch(&mut self, keyword: &str, branch: &Branch) {
        self.push("{{");
        self.push(keyword);
        self.push(" ");
        self.pipeline(self.syntax.pipeline(branch.pipeline));
        self.push("}}");
        self.block(branch.body);
        if let Some(otherwise) = branch.otherwise {
            self.push("{{else}}");
            self.block(otherwise);
        }
        self.push("{{end}}");
    }

    fn block(&mut self, block: BlockId) {
        let nodes = self.syntax.block(block);
        stack::with_room(|| nodes.iter().for_each(|node| self.node(node)));
    }

    fn pipeline(&mut self, pipeline: &Pipeline) {
        for (at, variable) in pipeline.variables.iter().enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            self.push(self.syntax.variable(variable.symbol));
        }
        if !pipeline.variables.is_empty() {
            self.push(if pipeline.assigns { " = " } else { " := " });
        }
        for (at, command) in pipeline.commands.iter().enumerate() {
            self.push(if at > 0 { " | " } else { "" });
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for (at, operand) in command.operands.iter().enumerate() {
            self.push(if at > 0 { " " } else { "" });
            self.word(operand);
        }
    }

    /// An operand among others: a pipeline is in parentheses.
    fn word(&mut self, operand: &Operand) {
        match &operand.term {
            Term::Pipeline(pipeline) => {
                self.push("(");
                let pipeline = self.syntax.pipeline(*pipeline);
                stack::with_room(|| self.pipeline(pipeline));
                self.push(")");
            }
            _ => self.operand(operand),
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match &operand.term {
            Term::Bool(value) => self.push(if *value { "true" } else { "false" }),
            Term::Nil => self.push("nil"),
            Term::Dot => self.push("."),
            Term::Number(number) => self.push(&number.text),
            Term::String { end, .. } => self.push(self.syntax.span(operand.position, *end)),
            Term::Field(names) => self.fields(names),
            Term::Variable { symbol, fields } => {
                self.push(self.syntax.variable(*symbol));
                self.fields(fields);
            }
            Term::Function(function) => self.push(&function.name),
            Term::Chain { base, fields } => {
                self.word(base);
                self.fields(fields);
            }
            Term::Pipeline(pipeline) => self.pipeline(self.syntax.pipeline(*pipeline)),
        }
    }

    fn fields(&mut self, names: &[Str]) {
        for name in names {
            self.push(".");
            self.push(name);
        }
    }
}
