//! The tokens as the parser sees them, with some to look ahead, and what it says of those that do not fit.

use bstr::ByteSlice;

use super::Parser;
use crate::error::ParseError;
use crate::lexer::{Token, TokenKind};
use crate::text::Str;

impl<'a> Parser<'a> {
    pub(super) fn next(&mut self) -> Token {
        match self.pending.pop() {
            Some(token) => token,
            None => self.read(),
        }
    }

    fn read(&mut self) -> Token {
        let token = self.lexer.next();
        self.scope.latest = Some(token);
        token
    }

    pub(super) fn put_back(&mut self, token: Token) {
        self.pending.push(token);
    }

    pub(super) fn peek(&mut self) -> Token {
        if let Some(token) = self.pending.last() {
            return *token;
        }
        let token = self.read();
        self.put_back(token);
        token
    }

    /// The next token that is not space.
    pub(super) fn next_word(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    pub(super) fn peek_word(&mut self) -> Token {
        loop {
            let token = self.peek();
            if token.kind != TokenKind::Space {
                return token;
            }
            self.pending.pop();
        }
    }

    pub(super) fn expect_right_delimiter(&mut self, context: &str) -> Result<(), ParseError> {
        let token = self.next_word();
        match token.kind {
            TokenKind::RightDelimiter => Ok(()),
            _ => Err(self.unexpected(token, context)),
        }
    }

    pub(super) fn text_of(&self, token: Token) -> &'a [u8] {
        self.span(token.start, token.end)
    }

    pub(super) fn unexpected(&self, token: Token, context: &str) -> ParseError {
        let description = token.describe(self.text_of(token));
        if !matches!(token.kind, TokenKind::Fault(_)) {
            return self.error(&format!("unexpected {description} in {context}"));
        }
        let Some(line) = self.scope.action_line.filter(|&line| line != token.line) else {
            return self.error(&description);
        };
        let what = if description.ends_with(" action") { "" } else { " in action" };
        // The name need not be UTF-8.
        let mut message = format!("{description}{what} started at ").into_bytes();
        message.extend_from_slice(self.syntax.name.as_bytes());
        message.extend_from_slice(format!(":{line}").as_bytes());
        self.error_of(message.into())
    }

    /// At the last token that was read, which may be behind the one that is at fault: so does Go.
    pub(super) fn error(&self, message: &str) -> ParseError {
        self.error_of(message.into())
    }

    pub(super) fn error_of(&self, message: Str) -> ParseError {
        let (line, start) = self.scope.latest.map_or((1, 0), |token| (token.line, token.start));
        let before = self.span(0, start);
        let line_start = before.rfind_byte(b'\n').map_or(0, |at| at + 1);
        let column = super::index(before.len() - line_start + 1);
        ParseError::new(self.syntax.name.clone(), line, column, message)
    }
}
