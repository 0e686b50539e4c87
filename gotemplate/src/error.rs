//! What goes wrong with a template.

mod execute;

pub use execute::ExecError;

use std::error::Error;
use std::fmt;

use crate::text::Str;

/// A text is no template. Displayed as Go does: `template: NAME:LINE: MESSAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    template: Str,
    line: u32,
    column: u32,
    message: Str,
}

impl ParseError {
    pub(crate) fn new(template: Str, line: u32, column: u32, message: Str) -> Self {
        Self { template, line, column, message }
    }

    /// Name under which the text was parsed.
    pub fn template(&self) -> &Str {
        &self.template
    }

    /// Line of the token at which parsing stopped, from 1. Line ends in custom delimiters do not count, as in Go.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Where in its line that token begins: in bytes, from 1. Go does not tell.
    pub fn column(&self) -> u32 {
        self.column
    }

    /// What is wrong, in Go's words. It may quote bytes of the text that are not UTF-8.
    pub fn message(&self) -> &Str {
        &self.message
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}: {}", self.template, self.line, self.message)
    }
}

impl Error for ParseError {}
