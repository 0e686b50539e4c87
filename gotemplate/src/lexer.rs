//! Cuts a template into tokens.
//!
//! The text need not be UTF-8: a byte that is part of no character is read as U+FFFD. Each byte is looked at a bounded
//! number of times, whatever the text.

mod action;
mod token;

use bstr::{ByteSlice, Finder};

pub(crate) use token::{Keyword, Token, TokenKind};

use crate::syntax::Position;
use token::Fault;

/// What stands around actions. An empty one is the default, `{{` or `}}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delimiters<'a> {
    pub(crate) left: &'a [u8],
    pub(crate) right: &'a [u8],
}

/// Which words are keywords only where no function has that name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopKeywords {
    pub(crate) breaks: bool,
    pub(crate) continues: bool,
}

/// Gives the tokens of a text, one by one. Comments are none.
pub(crate) struct Lexer<'a> {
    text: &'a [u8],
    left: Finder<'a>,
    right: &'a [u8],
    loop_keywords: LoopKeywords,
    /// Where the next token starts.
    start: usize,
    /// Line of `start`.
    line: u32,
    inside_action: bool,
    open_parentheses: usize,
}

const SPACES: &[u8] = b" \t\r\n";
const COMMENT_START: &[u8] = b"/*";
const COMMENT_END: &[u8] = b"*/";
/// A hyphen, and the space between it and what it marks.
const MARKER_LENGTH: usize = 2;

impl<'a> Lexer<'a> {
    /// The text must not be longer than a [`Position`] can tell.
    pub(crate) fn new(text: &'a [u8], delimiters: Delimiters<'a>, loop_keywords: LoopKeywords) -> Self {
        let or_default = |given: &'a [u8], default| if given.is_empty() { default } else { given };
        Self {
            text,
            left: Finder::new(or_default(delimiters.left, b"{{")),
            right: or_default(delimiters.right, b"}}"),
            loop_keywords,
            start: 0,
            line: 1,
            inside_action: false,
            open_parentheses: 0,
        }
    }

    /// Not to be called after it has given the last token.
    pub(crate) fn next(&mut self) -> Token {
        if self.inside_action { self.action() } else { self.text() }
    }

    /// Text up to the next left delimiter, or the delimiter if there is none.
    fn text(&mut self) -> Token {
        loop {
            let Some(length) = self.left.find(self.rest(self.start)) else {
                let kind = if self.start < self.text.len() { TokenKind::Text } else { TokenKind::EndOfText };
                return self.token(kind, self.text.len());
            };
            let delimiter = self.start + length;
            let inside = delimiter + self.left.needle().len();
            let mut end = delimiter;
            if begins_with_left_marker(self.rest(inside)) {
                end = self.start + self.span(self.start, delimiter).trim_end_with(is_space).len();
            }
            let text = (end > self.start).then(|| self.token(TokenKind::Text, end));
            self.skip(delimiter);
            if let Some(token) = text.or_else(|| self.left_delimiter(inside)) {
                return token;
            }
        }
    }

    /// None where a comment follows, which is skipped.
    fn left_delimiter(&mut self, inside: usize) -> Option<Token> {
        let trims = begins_with_left_marker(self.rest(inside));
        let content = if trims { inside + MARKER_LENGTH } else { inside };
        if self.rest(content).starts_with(COMMENT_START) {
            self.skip(content);
            return self.comment().err();
        }
        self.inside_action = true;
        self.open_parentheses = 0;
        let token = self.delimiter(TokenKind::LeftDelimiter, inside);
        self.skip(content);
        Some(token)
    }

    fn comment(&mut self) -> Result<(), Token> {
        let inside = self.start + COMMENT_START.len();
        let Some(length) = self.rest(inside).find(COMMENT_END) else {
            return Err(self.fault(Fault::UnclosedComment, inside));
        };
        let end = inside + length + COMMENT_END.len();
        match self.right_delimiter_at(end) {
            None => return Err(self.fault(Fault::CommentBeforeDelimiter, end)),
            Some(Trim::No) => self.skip(end + self.right.len()),
            Some(Trim::Yes) => {
                self.skip(end + MARKER_LENGTH + self.right.len());
                self.skip_spaces();
            }
        }
        Ok(())
    }

    fn right_delimiter(&mut self, trim: Trim) -> Token {
        if trim == Trim::Yes {
            self.skip(self.start + MARKER_LENGTH);
        }
        self.inside_action = false;
        let token = self.delimiter(TokenKind::RightDelimiter, self.start + self.right.len());
        if trim == Trim::Yes {
            self.skip_spaces();
        }
        token
    }

    /// Whether a right delimiter begins there, and what becomes of the spaces behind it.
    fn right_delimiter_at(&self, at: usize) -> Option<Trim> {
        let rest = self.rest(at);
        match rest {
            [space, b'-', marked @ ..] if SPACES.contains(space) && marked.starts_with(self.right) => Some(Trim::Yes),
            _ if rest.starts_with(self.right) => Some(Trim::No),
            _ => None,
        }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest(self.start);
        self.skip(self.start + rest.len() - rest.trim_start_with(is_space).len());
    }

    fn skip(&mut self, end: usize) {
        let lines = self.span(self.start, end).iter().filter(|&&byte| byte == b'\n').count();
        self.line = self.line.saturating_add(offset(lines));
        self.start = end;
    }

    fn token(&mut self, kind: TokenKind, end: usize) -> Token {
        let token = Token { kind, start: offset(self.start), end: offset(end), line: self.line };
        self.skip(end);
        token
    }

    /// As in Go, line ends in a delimiter do not count.
    fn delimiter(&mut self, kind: TokenKind, end: usize) -> Token {
        let token = Token { kind, start: offset(self.start), end: offset(end), line: self.line };
        self.start = end;
        token
    }

    fn fault(&mut self, fault: Fault, end: usize) -> Token {
        self.delimiter(TokenKind::Fault(fault), end)
    }

    fn span(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    fn rest(&self, start: usize) -> &'a [u8] {
        self.text.get(start..).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trim {
    Yes,
    No,
}

fn begins_with_left_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if SPACES.contains(space))
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Texts are refused that are too long for it.
fn offset(at: usize) -> Position {
    Position::try_from(at).unwrap_or(Position::MAX)
}

#[cfg(test)]
mod tests;
