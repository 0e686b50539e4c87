//! Literal numbers.

mod complex;
mod float;
mod integer;

use std::fmt;

use bstr::ByteSlice;

pub(crate) use float::parse_float;
pub(crate) use integer::{parse_signed, parse_unsigned};

use super::Number;
use super::quote::{Unquoted, unquote_character};
use crate::format::quote;
use crate::text::Str;
use crate::value::Value;

/// How a literal number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `1`, `0x1p-2`, `2i`.
    Plain,
    /// `'a'`.
    Character,
    /// `1+2i`.
    Complex,
}

/// A text is no number, or none that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    Syntax,
    Range,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "invalid syntax",
            Self::Range => "value out of range",
        })
    }
}

impl Number {
    /// Reads a literal of all the kinds that can hold its value. The error is Go's message.
    pub(crate) fn parse(text: &[u8], notation: Notation) -> Result<Self, Str> {
        let mut number = Self { text: text.into(), int: None, uint: None, float: None, complex: None, ideal: None };
        match notation {
            Notation::Character => number.set_character(character(text)?),
            Notation::Complex => number.set_complex(complex::parse(text)?),
            Notation::Plain => match text.strip_suffix(b"i").map(parse_float) {
                Some(Ok(imaginary)) => number.set_complex((0.0, imaginary)),
                _ => number.set_plain(text)?,
            },
        }
        number.ideal = number.find_ideal(notation);
        Ok(number)
    }

    fn set_character(&mut self, character: u32) {
        self.int = Some(character.into());
        self.uint = Some(character.into());
        self.float = Some(character.into());
    }

    /// It is of other kinds too if the imaginary part is zero.
    fn set_complex(&mut self, (real, imaginary): (f64, f64)) {
        self.complex = Some((real, imaginary));
        if imaginary == 0.0 {
            self.set_float(real);
        }
    }

    fn set_float(&mut self, float: f64) {
        const INT_END: f64 = 9_223_372_036_854_775_808.0;
        const UINT_END: f64 = 18_446_744_073_709_551_616.0;
        self.float = Some(float);
        if float.trunc() == float {
            self.int = (-INT_END..INT_END).contains(&float).then_some(float as i64);
            self.uint = (0.0..UINT_END).contains(&float).then_some(float as u64);
        }
    }

    fn set_plain(&mut self, text: &[u8]) -> Result<(), Str> {
        self.int = parse_signed(text, 0).ok();
        self.uint = parse_unsigned(text, 0).ok();
        if self.int == Some(0) {
            // `-0` too, though no other number with a sign is unsigned.
            self.uint = Some(0);
        }
        self.float = self.int.map(|int| int as f64).or(self.uint.map(|uint| uint as f64));
        if self.float.is_some() {
            return Ok(());
        }
        let float = parse_float(text).map_err(|_| format!("illegal number syntax: {}", quote(text)))?;
        if !is_written_as_float(text) {
            return Err(format!("integer overflow: {}", quote(text)).into());
        }
        self.set_float(float);
        Ok(())
    }

    /// As in Go, `-0x1e` is a float, for its `e`, while `0x1e` is none.
    fn find_ideal(&self, notation: Notation) -> Option<Value> {
        let is_hexadecimal_integer = self.text.len() > 2
            && (self.text.starts_with(b"0x") || self.text.starts_with(b"0X"))
            && self.text.find_byteset(b"pP").is_none();
        match (self.complex, self.float, self.int) {
            (Some((real, imaginary)), ..) => Some(Value::Complex(real, imaginary)),
            (None, Some(float), _)
                if !is_hexadecimal_integer && notation == Notation::Plain && is_written_as_float(&self.text) =>
            {
                Some(Value::float(float))
            }
            (.., Some(int)) => Some(Value::int(int)),
            _ => None,
        }
    }
}

fn character(literal: &[u8]) -> Result<u32, Str> {
    let text = literal.get(1..).unwrap_or_default();
    let (character, tail) = unquote_character(text, b'\'').map_err(|error| error.to_string())?;
    if tail != b"'" {
        return Err([b"malformed character constant: ", literal].concat().into());
    }
    Ok(match character {
        Unquoted::Byte(byte) => byte.into(),
        Unquoted::Character(character) => character.into(),
    })
}

fn is_written_as_float(text: &[u8]) -> bool {
    text.find_byteset(b".eEpP").is_some()
}

/// Each underscore stands between two digits, or between a prefix and a digit.
fn underscores_separate_digits(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    let (digits, prefixed, hexadecimal) = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] => (digits, true, true),
        [b'0', b'b' | b'B' | b'o' | b'O', digits @ ..] => (digits, true, false),
        digits => (digits, false, false),
    };
    let is_digit = |byte: u8| byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit();
    let mut before = if prefixed { Some(b'0') } else { None };
    for (at, &byte) in digits.iter().enumerate() {
        let between = before.is_some_and(is_digit) && digits.get(at + 1).copied().is_some_and(is_digit);
        if byte == b'_' && !between {
            return false;
        }
        before = Some(byte);
    }
    true
}

#[cfg(test)]
mod tests;
