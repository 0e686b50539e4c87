//! Pipelines, commands and their operands.

use smallvec::SmallVec;

use super::{Parser, index};
use crate::error::ParseError;
use crate::format::quote;
use crate::lexer::{Keyword, Token, TokenKind};
use crate::stack;
use crate::syntax::number::Notation;
use crate::syntax::{Command, NamedFunction, Names, Number, Operand, Pipeline, PipelineId, Term, Variable};
use crate::text::Str;

impl Parser<'_> {
    /// Up to and with the token that ends it.
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Result<PipelineId, ParseError> {
        let position = self.peek_word().start;
        let (variables, assigns) = self.declarations(context)?;
        let mut commands = SmallVec::new();
        loop {
            let token = self.next_word();
            if token.kind == end {
                break;
            }
            if !token.kind.begins_operand() {
                return Err(self.unexpected(token, context));
            }
            self.put_back(token);
            commands.push(self.command()?);
        }
        if commands.is_empty() {
            return Err(self.error(&format!("missing value for {context}")));
        }
        if let Some(at) = commands.iter().skip(1).position(begins_with_value) {
            return Err(self.error(&format!("non executable command in pipeline stage {}", at + 2)));
        }
        self.syntax.pipelines.push(Pipeline { position, variables, assigns, commands });
        Ok(PipelineId(index(self.syntax.pipelines.len() - 1)))
    }

    /// The variables in front, and whether they are assigned. `{{range $a, $b}}` is `{{range $a := $b}}`, as in Go.
    fn declarations(&mut self, context: &str) -> Result<(Vec<Variable>, bool), ParseError> {
        let mut variables = Vec::new();
        loop {
            let variable = self.peek_word();
            if variable.kind != TokenKind::Variable {
                return Ok((variables, false));
            }
            self.next();
            let after = self.peek();
            let operator = self.peek_word();
            match operator.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.next();
                    variables.push(self.declare(variable));
                    return Ok((variables, operator.kind == TokenKind::Assign));
                }
                TokenKind::Punctuation if self.text_of(operator) == b"," => {
                    self.next();
                    variables.push(self.declare(variable));
                    if context != "range" || variables.len() > 1 {
                        return Err(self.error(&format!("too many declarations in {context}")));
                    }
                    let next = self.peek_word().kind;
                    if !matches!(next, TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParenthesis) {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ => {
                    if after.kind == TokenKind::Space {
                        self.put_back(after);
                    }
                    self.put_back(variable);
                    return Ok((variables, false));
                }
            }
        }
    }

    /// From here on it may be used, also where it is only assigned.
    fn declare(&mut self, token: Token) -> Variable {
        let symbol = self.symbol(self.text_of(token));
        self.scope.declare(symbol);
        Variable { symbol }
    }

    fn command(&mut self) -> Result<Command, ParseError> {
        let position = self.peek_word().start;
        let mut operands = SmallVec::new();
        loop {
            operands.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                TokenKind::Space => continue,
                TokenKind::RightDelimiter | TokenKind::RightParenthesis => self.put_back(token),
                TokenKind::Pipe => {}
                _ => return Err(self.unexpected(token, "operand")),
            }
            return Ok(Command { position, operands });
        }
    }

    fn operand(&mut self) -> Result<Option<Operand>, ParseError> {
        let Some(base) = self.term()? else { return Ok(None) };
        let position = self.peek().start;
        if self.peek().kind != TokenKind::Field {
            return Ok(Some(base));
        }
        let mut names = Names::new();
        while self.peek().kind == TokenKind::Field {
            let field = self.next();
            names.push(self.field_name(field));
        }
        let term = match base.term {
            Term::Field(first) => Term::Field(joined(first, names)),
            Term::Variable { symbol, fields } => Term::Variable { symbol, fields: joined(fields, names) },
            Term::Function(_) | Term::Pipeline(_) => {
                Term::Chain { base: Box::new(base), fields: names.into_boxed_slice() }
            }
            _ => {
                let shown = quote(&self.syntax.operand_text(&base));
                return Err(self.error(&format!("unexpected . after term {shown}")));
            }
        };
        Ok(Some(Operand { position, term }))
    }

    fn term(&mut self) -> Result<Option<Operand>, ParseError> {
        let token = self.next_word();
        let mut position = token.start;
        let term = match token.kind {
            TokenKind::Identifier => self.function(token)?,
            TokenKind::Dot => Term::Dot,
            TokenKind::Keyword(Keyword::Nil) => Term::Nil,
            TokenKind::Variable => self.variable(token)?,
            TokenKind::Field => Term::Field(Names::from([self.field_name(token)])),
            TokenKind::Bool => Term::Bool(self.text_of(token) == b"true"),
            TokenKind::Character => self.number(token, Notation::Character)?,
            TokenKind::Complex => self.number(token, Notation::Complex)?,
            TokenKind::Number => self.number(token, Notation::Plain)?,
            TokenKind::LeftParenthesis => {
                let pipeline = self.parenthesized()?;
                position = self.syntax.pipeline(pipeline).position;
                Term::Pipeline(pipeline)
            }
            TokenKind::String | TokenKind::RawString => {
                Term::String { value: self.unquoted(token)?.into(), end: token.end }
            }
            _ => {
                self.put_back(token);
                return Ok(None);
            }
        };
        Ok(Some(Operand { position, term }))
    }

    fn function(&self, token: Token) -> Result<Term, ParseError> {
        let name = self.text_of(token);
        let Some((name, function)) = self.functions.find(name) else {
            let why = self.functions.why_left_out(name);
            let why = why.map(|why| format!(": {why}, so only the caller can add it")).unwrap_or_default();
            return Err(self.error(&format!("function {} not defined{why}", quote(name))));
        };
        Ok(Term::Function(NamedFunction { name: name.clone(), function: function.clone() }))
    }

    fn variable(&self, token: Token) -> Result<Term, ParseError> {
        let name = self.text_of(token);
        match self.symbols.get(name) {
            Some(&symbol) if self.scope.sees(symbol) => Ok(Term::Variable { symbol, fields: Names::new() }),
            _ => Err(self.error(&format!("undefined variable {}", quote(name)))),
        }
    }

    fn number(&self, token: Token, notation: Notation) -> Result<Term, ParseError> {
        match Number::parse(self.text_of(token), notation) {
            Ok(number) => Ok(Term::Number(Box::new(number))),
            Err(message) => Err(self.error_of(message)),
        }
    }

    fn parenthesized(&mut self) -> Result<PipelineId, ParseError> {
        if self.scope.expression_depth >= self.limits.expression_depth {
            return Err(self.error("max expression depth exceeded"));
        }
        self.scope.expression_depth += 1;
        let pipeline = stack::with_room(|| self.pipeline("parenthesized pipeline", TokenKind::RightParenthesis));
        self.scope.expression_depth -= 1;
        pipeline
    }

    /// Without the period.
    fn field_name(&self, token: Token) -> Str {
        self.text_of(token).get(1..).unwrap_or_default().into()
    }
}

/// Only the first command of a pipeline may be a mere value.
fn begins_with_value(command: &Command) -> bool {
    matches!(
        command.operands.first().map(|operand| &operand.term),
        Some(Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(_) | Term::String { .. })
    )
}

fn joined(mut first: Names, more: Names) -> Names {
    first.extend(more);
    first
}
