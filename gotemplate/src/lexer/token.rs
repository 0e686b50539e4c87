//! The tokens of a template.

use std::fmt::Write as _;

use crate::format::quote;
use crate::syntax::Position;
use crate::unicode;

/// A piece of the text with a meaning of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: Position,
    pub(crate) end: Position,
    /// Line of its start, from 1.
    pub(crate) line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// What follows cannot be read. The last token.
    Fault(Fault),
    /// The last token.
    EndOfText,
    /// Outside of delimiters.
    Text,
    LeftDelimiter,
    RightDelimiter,
    /// A run of spaces, tabs and line ends between words.
    Space,
    /// `true` or `false`.
    Bool,
    /// `'a'`.
    Character,
    /// `1`, `0x1p-2`, `2i`.
    Number,
    /// `1+2i`.
    Complex,
    /// `"a"`.
    String,
    /// Between backquotes.
    RawString,
    /// `.`.
    Dot,
    /// `.name`.
    Field,
    /// `$` or `$name`.
    Variable,
    /// Any other name.
    Identifier,
    /// `=`.
    Assign,
    /// `:=`.
    Declare,
    /// `|`.
    Pipe,
    LeftParenthesis,
    RightParenthesis,
    /// Any other printable ASCII character.
    Punctuation,
    Keyword(Keyword),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

/// Why a token cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    UnclosedComment,
    CommentBeforeDelimiter,
    UnclosedAction,
    UnclosedParenthesis,
    UnexpectedParenthesis,
    ExpectedDeclare,
    UnterminatedCharacter,
    UnterminatedString,
    UnterminatedRawString,
    /// The token is what was read of the number.
    BadNumber,
    /// Right behind a name.
    BadCharacter(char),
    UnrecognizedCharacter(char),
}

impl Token {
    /// The token as error messages name it, given its text.
    pub(crate) fn describe(&self, text: &[u8]) -> String {
        match self.kind {
            TokenKind::EndOfText => "EOF".to_owned(),
            TokenKind::Fault(fault) => fault.message(text),
            TokenKind::Keyword(_) | TokenKind::Dot => format!("<{}>", String::from_utf8_lossy(text)),
            _ if text.len() > SHOWN => format!("{}...", quote(beginning(text))),
            _ => quote(text),
        }
    }
}

impl TokenKind {
    /// An operand may begin with it.
    pub(crate) fn begins_operand(self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::Character
                | Self::Number
                | Self::Complex
                | Self::String
                | Self::RawString
                | Self::Dot
                | Self::Field
                | Self::Variable
                | Self::Identifier
                | Self::LeftParenthesis
                | Self::Keyword(Keyword::Nil)
        )
    }
}

impl Keyword {
    pub(crate) fn named(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"nil" => Self::Nil,
            b"range" => Self::Range,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }
}

impl Fault {
    fn message(self, text: &[u8]) -> String {
        match self {
            Self::UnclosedComment => "unclosed comment".to_owned(),
            Self::CommentBeforeDelimiter => "comment ends before closing delimiter".to_owned(),
            Self::UnclosedAction => "unclosed action".to_owned(),
            Self::UnclosedParenthesis => "unclosed left paren".to_owned(),
            Self::UnexpectedParenthesis => "unexpected right paren".to_owned(),
            Self::ExpectedDeclare => "expected :=".to_owned(),
            Self::UnterminatedCharacter => "unterminated character constant".to_owned(),
            Self::UnterminatedString => "unterminated quoted string".to_owned(),
            Self::UnterminatedRawString => "unterminated raw quoted string".to_owned(),
            Self::BadNumber => format!("bad number syntax: {}", quote(text)),
            Self::BadCharacter(character) => format!("bad character {}", code_point(character)),
            Self::UnrecognizedCharacter(character) => {
                format!("unrecognized character in action: {}", code_point(character))
            }
        }
    }
}

/// A message quotes that many characters of a token that has more bytes than that.
const SHOWN: usize = 10;

fn beginning(text: &[u8]) -> &[u8] {
    let length = unicode::characters(text).take(SHOWN).count();
    let mut rest = text;
    for _ in 0..length {
        let width = unicode::decode(rest).map_or(0, |(_, width)| width);
        rest = rest.get(width..).unwrap_or_default();
    }
    text.strip_suffix(rest).unwrap_or(text)
}

/// `U+0041 'A'`: Go's `%#U`.
fn code_point(character: char) -> String {
    let mut shown = format!("U+{:04X}", u32::from(character));
    if unicode::is_printable(character) {
        let _ = write!(shown, " '{character}'");
    }
    shown
}
