//! Why a text is no pattern.

use std::fmt;

use crate::text::Str;

/// A text is no pattern. It prints as Go's error.
#[derive(Debug)]
pub(in super::super) struct Error {
    kind: Kind,
    /// The part of the pattern that is wrong.
    part: Str,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidCharacterRange,
    InvalidEscape,
    InvalidNamedGroup,
    InvalidPerlOperator,
    InvalidRepeatOperator,
    InvalidRepeatSize,
    InvalidUtf8,
    MissingBracket,
    MissingParenthesis,
    MissingRepeatArgument,
    NestsTooDeeply,
    TooLarge,
    /// Go would take it: the limit is ours.
    TooManyRanges,
    TrailingBackslash,
    UnexpectedParenthesis,
}

impl Error {
    pub(super) fn new(kind: Kind, part: &[u8]) -> Self {
        Self { kind, part: part.into() }
    }

    /// Whether it is about a limit that Go does not have.
    pub(in super::super) fn is_limit(&self) -> bool {
        self.kind == Kind::TooManyRanges
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            Kind::InvalidCharacterRange => "invalid character class range",
            Kind::InvalidEscape => "invalid escape sequence",
            Kind::InvalidNamedGroup => "invalid named capture",
            Kind::InvalidPerlOperator => "invalid or unsupported Perl syntax",
            Kind::InvalidRepeatOperator => "invalid nested repetition operator",
            Kind::InvalidRepeatSize => "invalid repeat count",
            Kind::InvalidUtf8 => "invalid UTF-8",
            Kind::MissingBracket => "missing closing ]",
            Kind::MissingParenthesis => "missing closing )",
            Kind::MissingRepeatArgument => "missing argument to repetition operator",
            Kind::NestsTooDeeply => "expression nests too deeply",
            Kind::TooLarge | Kind::TooManyRanges => "expression too large",
            Kind::TrailingBackslash => "trailing backslash at end of expression",
            Kind::UnexpectedParenthesis => "unexpected )",
        };
        write!(f, "error parsing regexp: {what}: `{}`", self.part)
    }
}
