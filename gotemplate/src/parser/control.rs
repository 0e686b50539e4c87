//! Actions, and the blocks between them.

use std::fmt;

use super::Parser;
use crate::error::ParseError;
use crate::lexer::{Keyword, Token, TokenKind};
use crate::syntax::{BlockId, Branch, Node};

/// Text or an action.
pub(super) enum Item {
    Node(Node),
    Terminator(Terminator),
}

/// What ends a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminator {
    End,
    /// The keyword behind it, if that is `if` or `with`, is not yet read.
    Else,
}

impl fmt::Display for Terminator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        })
    }
}

/// A structure with a body that may not be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

impl Parser<'_> {
    /// All up to the end of the block.
    pub(super) fn items(&mut self) -> Result<(BlockId, Terminator), ParseError> {
        let mut nodes = Vec::new();
        while self.peek_word().kind != TokenKind::EndOfText {
            match self.item()? {
                Item::Node(node) => nodes.push(node),
                Item::Terminator(terminator) => return Ok((self.add_block(nodes), terminator)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    pub(super) fn item(&mut self) -> Result<Item, ParseError> {
        let token = self.next_word();
        match token.kind {
            TokenKind::Text => Ok(Item::Node(Node::Text { start: token.start, end: token.end })),
            TokenKind::LeftDelimiter => {
                self.scope.action_line = Some(token.line);
                let item = self.action();
                self.scope.action_line = None;
                item
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    /// What follows a left delimiter.
    fn action(&mut self) -> Result<Item, ParseError> {
        let first = self.next_word();
        let node = match first.kind {
            TokenKind::Keyword(Keyword::Block) => self.nested(Self::block)?,
            TokenKind::Keyword(Keyword::Break) => self.leave_iteration(first, "{{break}}")?,
            TokenKind::Keyword(Keyword::Continue) => self.leave_iteration(first, "{{continue}}")?,
            TokenKind::Keyword(Keyword::Else) => return self.else_action().map(Item::Terminator),
            TokenKind::Keyword(Keyword::End) => {
                self.expect_right_delimiter("end")?;
                return Ok(Item::Terminator(Terminator::End));
            }
            TokenKind::Keyword(Keyword::If) => self.control(Control::If)?,
            TokenKind::Keyword(Keyword::Range) => self.control(Control::Range)?,
            TokenKind::Keyword(Keyword::Template) => self.template()?,
            TokenKind::Keyword(Keyword::With) => self.control(Control::With)?,
            _ => {
                self.put_back(first);
                let pipeline = self.pipeline("command", TokenKind::RightDelimiter)?;
                Node::Action { position: first.start, pipeline }
            }
        };
        Ok(Item::Node(node))
    }

    fn leave_iteration(&mut self, keyword: Token, action: &str) -> Result<Node, ParseError> {
        self.expect_right_delimiter(action)?;
        if self.scope.range_depth == 0 {
            return Err(self.error(&format!("{action} outside {{{{range}}}}")));
        }
        let position = keyword.start;
        Ok(match keyword.kind {
            TokenKind::Keyword(Keyword::Break) => Node::Break { position },
            _ => Node::Continue { position },
        })
    }

    fn else_action(&mut self) -> Result<Terminator, ParseError> {
        if !matches!(self.peek_word().kind, TokenKind::Keyword(Keyword::If | Keyword::With)) {
            self.expect_right_delimiter("else")?;
        }
        Ok(Terminator::Else)
    }

    fn control(&mut self, control: Control) -> Result<Node, ParseError> {
        let branch = self.nested(|parser| parser.branch(control))?;
        Ok(match control {
            Control::If => Node::If(branch),
            Control::With => Node::With(branch),
            Control::Range => Node::Range(branch),
        })
    }

    fn branch(&mut self, control: Control) -> Result<Branch, ParseError> {
        let context = match control {
            Control::If => "if",
            Control::With => "with",
            Control::Range => "range",
        };
        let visible = self.scope.variable_count();
        let pipeline = self.pipeline(context, TokenKind::RightDelimiter)?;
        let loops = usize::from(control == Control::Range);
        self.scope.range_depth += loops;
        let (body, terminator) = self.items()?;
        self.scope.range_depth -= loops;
        let otherwise = match terminator {
            Terminator::End => None,
            Terminator::Else => Some(self.otherwise(control)?),
        };
        self.scope.forget_variables(visible);
        Ok(Branch { position: self.syntax.pipeline(pipeline).position, pipeline, body, otherwise })
    }

    /// The other block. An `{{else if}}` has no end of its own.
    fn otherwise(&mut self, control: Control) -> Result<BlockId, ParseError> {
        let next = self.peek().kind;
        let continues = match control {
            Control::If => next == TokenKind::Keyword(Keyword::If),
            Control::With => next == TokenKind::Keyword(Keyword::With),
            Control::Range => false,
        };
        if continues {
            self.next();
            let node = self.control(control)?;
            return Ok(self.add_block(vec![node]));
        }
        match self.items()? {
            (block, Terminator::End) => Ok(block),
            (_, terminator) => Err(self.error(&format!("expected end; found {terminator}"))),
        }
    }

    /// `{{block "name" pipeline}} … {{end}}`: defines a template and executes it there.
    fn block(&mut self) -> Result<Node, ParseError> {
        const CONTEXT: &str = "block clause";
        let token = self.next_word();
        let name = self.template_name(token, CONTEXT)?;
        let pipeline = self.pipeline(CONTEXT, TokenKind::RightDelimiter)?;
        let outer = std::mem::take(&mut self.scope);
        let (root, terminator) = self.items()?;
        if terminator != Terminator::End {
            self.scope = outer;
            return Err(self.error(&format!("unexpected {terminator} in {CONTEXT}")));
        }
        self.define(name.clone(), root)?;
        self.scope = outer;
        Ok(Node::Template { position: token.start, name, pipeline: Some(pipeline) })
    }

    fn template(&mut self) -> Result<Node, ParseError> {
        const CONTEXT: &str = "template clause";
        let token = self.next_word();
        let name = self.template_name(token, CONTEXT)?;
        let next = self.next_word();
        let pipeline = match next.kind {
            TokenKind::RightDelimiter => None,
            _ => {
                self.put_back(next);
                Some(self.pipeline(CONTEXT, TokenKind::RightDelimiter)?)
            }
        };
        Ok(Node::Template { position: token.start, name, pipeline })
    }
}
