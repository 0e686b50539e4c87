//! The tokens between delimiters.

use super::token::Fault;
use super::{Keyword, Lexer, SPACES, Token, TokenKind, Trim, is_space};
use crate::unicode::{decode, is_digit, is_letter};

impl Lexer<'_> {
    pub(super) fn action(&mut self) -> Token {
        if let Some(trim) = self.right_delimiter_at(self.start) {
            if self.open_parentheses > 0 {
                return self.fault(Fault::UnclosedParenthesis, self.start);
            }
            return self.right_delimiter(trim);
        }
        let Some((character, width)) = decode(self.rest(self.start)) else {
            return self.fault(Fault::UnclosedAction, self.start);
        };
        let end = self.start + width;
        match character {
            _ if is_space(character) => self.space(),
            '=' => self.token(TokenKind::Assign, end),
            ':' if self.byte(end) == Some(b'=') => self.token(TokenKind::Declare, end + 1),
            ':' => self.fault(Fault::ExpectedDeclare, end),
            '|' => self.token(TokenKind::Pipe, end),
            '"' => self.quoted(b'"', TokenKind::String, Fault::UnterminatedString),
            '\'' => self.quoted(b'\'', TokenKind::Character, Fault::UnterminatedCharacter),
            '`' => self.raw_string(),
            '$' => self.name(TokenKind::Variable, TokenKind::Variable),
            '.' if self.byte(end).is_some_and(|next| !next.is_ascii_digit()) => {
                self.name(TokenKind::Field, TokenKind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            '(' => {
                self.open_parentheses += 1;
                self.token(TokenKind::LeftParenthesis, end)
            }
            ')' if self.open_parentheses == 0 => self.fault(Fault::UnexpectedParenthesis, end),
            ')' => {
                self.open_parentheses -= 1;
                self.token(TokenKind::RightParenthesis, end)
            }
            _ if is_alphanumeric(character) => self.word(),
            '!'..='~' => self.token(TokenKind::Punctuation, end),
            _ => self.fault(Fault::UnrecognizedCharacter(character), end),
        }
    }

    fn space(&mut self) -> Token {
        let run = self.rest(self.start).iter().take_while(|byte| SPACES.contains(byte)).count();
        let end = self.start + run;
        // The last of them may belong to the delimiter.
        let marks = self.right_delimiter_at(end - 1) == Some(Trim::Yes);
        self.token(TokenKind::Space, if marks { end - 1 } else { end })
    }

    fn word(&mut self) -> Token {
        let end = self.alphanumerics(self.start);
        if let Err(fault) = self.ends_word(end) {
            return self.fault(fault, end);
        }
        let kind = match self.span(self.start, end) {
            b"true" | b"false" => TokenKind::Bool,
            word => match Keyword::named(word) {
                Some(Keyword::Break) if !self.loop_keywords.breaks => TokenKind::Identifier,
                Some(Keyword::Continue) if !self.loop_keywords.continues => TokenKind::Identifier,
                Some(keyword) => TokenKind::Keyword(keyword),
                None => TokenKind::Identifier,
            },
        };
        self.token(kind, end)
    }

    /// A name behind a period or a dollar sign, or that sign alone.
    fn name(&mut self, named: TokenKind, alone: TokenKind) -> Token {
        let after_sign = self.start + 1;
        if self.ends_word(after_sign).is_ok() {
            return self.token(alone, after_sign);
        }
        let end = self.alphanumerics(after_sign);
        match self.ends_word(end) {
            Ok(()) => self.token(named, end),
            Err(fault) => self.fault(fault, end),
        }
    }

    fn alphanumerics(&self, mut end: usize) -> usize {
        while let Some((character, width)) = decode(self.rest(end))
            && is_alphanumeric(character)
        {
            end += width;
        }
        end
    }

    /// Whether what stands there may follow a name.
    fn ends_word(&self, at: usize) -> Result<(), Fault> {
        match decode(self.rest(at)) {
            None | Some((' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | '(' | ')', _)) => Ok(()),
            Some(_) if self.rest(at).starts_with(self.right) => Ok(()),
            Some((character, _)) => Err(Fault::BadCharacter(character)),
        }
    }

    fn quoted(&mut self, quote: u8, kind: TokenKind, unterminated: Fault) -> Token {
        let mut end = self.start + 1;
        loop {
            match self.byte(end) {
                Some(b'\\') if !matches!(self.byte(end + 1), None | Some(b'\n')) => end += 2,
                None | Some(b'\n' | b'\\') => return self.fault(unterminated, end),
                Some(byte) if byte == quote => return self.token(kind, end + 1),
                Some(_) => end += 1,
            }
        }
    }

    fn raw_string(&mut self) -> Token {
        let inside = self.start + 1;
        match self.rest(inside).iter().position(|&byte| byte == b'`') {
            Some(length) => self.token(TokenKind::RawString, inside + length + 1),
            None => self.fault(Fault::UnterminatedRawString, self.text.len()),
        }
    }

    fn number(&mut self) -> Token {
        let end = match self.real(self.start) {
            Ok(end) => end,
            Err(end) => return self.fault(Fault::BadNumber, end),
        };
        if !matches!(self.byte(end), Some(b'+' | b'-')) {
            return self.token(TokenKind::Number, end);
        }
        match self.real(end) {
            Ok(end) if self.byte(end - 1) == Some(b'i') => self.token(TokenKind::Complex, end),
            Ok(end) | Err(end) => self.fault(Fault::BadNumber, end),
        }
    }

    /// Where a number ends, which may be none: whoever takes its value finds that out. An error where a letter follows,
    /// with the end of that.
    fn real(&self, start: usize) -> Result<usize, usize> {
        let mut end = self.one_of(start, b"+-");
        let after_zero = if self.byte(end) == Some(b'0') { self.byte(end + 1) } else { None };
        let (prefix, digits, exponent): (usize, &[u8], &[u8]) = match after_zero {
            Some(b'x' | b'X') => (2, b"0123456789abcdefABCDEF_", b"pP"),
            Some(b'o' | b'O') => (2, b"01234567_", b""),
            Some(b'b' | b'B') => (2, b"01_", b""),
            _ => (0, b"0123456789_", b"eE"),
        };
        end += prefix;
        end = self.many_of(end, digits);
        if self.byte(end) == Some(b'.') {
            end = self.many_of(end + 1, digits);
        }
        let mantissa = end;
        end = self.one_of(end, exponent);
        if end > mantissa {
            end = self.many_of(self.one_of(end, b"+-"), b"0123456789_");
        }
        end = self.one_of(end, b"i");
        match decode(self.rest(end)) {
            Some((character, width)) if is_alphanumeric(character) => Err(end + width),
            _ => Ok(end),
        }
    }

    fn one_of(&self, at: usize, bytes: &[u8]) -> usize {
        if self.byte(at).is_some_and(|byte| bytes.contains(&byte)) { at + 1 } else { at }
    }

    fn many_of(&self, at: usize, bytes: &[u8]) -> usize {
        at + self.rest(at).iter().take_while(|byte| bytes.contains(byte)).count()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}
