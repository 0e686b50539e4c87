//! Booleans, numbers and texts.

use super::float::format_float;
use super::printer::{Flags, Printer, first_characters};
use super::quote::{push, quote_character};
use crate::function::FunctionError;
use crate::types::FloatKind;
use crate::unicode::is_printable;
use crate::value::Value;

/// An integer as a verb shows it: the bits are those of 64, a negative one's too.
#[derive(Clone, Copy)]
pub(super) struct Integer {
    pub(super) bits: u64,
    pub(super) is_signed: bool,
}

/// Why nothing was printed.
pub(super) enum Unprinted {
    /// The verb is not for such a value.
    BadVerb,
    Failed(FunctionError),
}

impl From<FunctionError> for Unprinted {
    fn from(error: FunctionError) -> Self {
        Self::Failed(error)
    }
}

impl Printer<'_> {
    /// Prints a value that is neither made of others nor a pointer or function.
    pub(super) fn scalar(&mut self, value: &Value, verb: char) -> Result<(), Unprinted> {
        match value {
            Value::Bool(value) => self.boolean(*value, verb),
            Value::Int(value, _) => self.integer(Integer { bits: value.cast_unsigned(), is_signed: true }, verb),
            Value::Uint(value, _) => self.integer(Integer { bits: *value, is_signed: false }, verb),
            Value::Float(value, kind) => self.float(*value, *kind, verb),
            Value::Complex(real, imaginary) => self.complex(*real, *imaginary, verb),
            Value::String(text) => self.string(text, verb),
            _ => Err(Unprinted::BadVerb),
        }
    }

    fn boolean(&mut self, value: bool, verb: char) -> Result<(), Unprinted> {
        match verb {
            't' | 'v' => Ok(self.padded(|out| out.extend_from_slice(if value { b"true" } else { b"false" }))?),
            _ => Err(Unprinted::BadVerb),
        }
    }

    fn integer(&mut self, value: Integer, verb: char) -> Result<(), Unprinted> {
        let character = u32::try_from(value.bits).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'v' if self.flags.go_syntax && !value.is_signed => self.hexadecimal(value.bits, true)?,
            'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => self.digits(value, verb)?,
            'c' => self.padded(|out| push(out, character))?,
            'q' => {
                let ascii = self.flags.plus;
                self.padded(|out| quote_character(out, character, ascii))?;
            }
            'U' => self.unicode(value.bits)?,
            _ => return Err(Unprinted::BadVerb),
        }
        Ok(())
    }

    /// Prints an integer to the base that the verb stands for.
    pub(super) fn digits(&mut self, value: Integer, verb: char) -> Result<(), FunctionError> {
        let flags = self.flags;
        let is_negative = value.is_signed && value.bits.cast_signed() < 0;
        let magnitude = if is_negative { value.bits.wrapping_neg() } else { value.bits };
        let sign = match (is_negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        // A precision turns zero padding off; one of 0 prints nothing for 0.
        let least = match (flags.precision, flags.width) {
            (Some(0), width) if magnitude == 0 => {
                return self.with_flags(Flags { zero: false, ..flags }, |this| this.padding(width.unwrap_or_default()));
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let mut space = [0; 64];
        let digits = to_base(&mut space, magnitude, verb);
        let zeros = least.saturating_sub(digits.len());
        let starts_with_zero = zeros > 0 || digits.first() == Some(&b'0');
        let prefix = match verb {
            'b' if flags.sharp => "0b",
            'x' if flags.sharp => "0x",
            'X' if flags.sharp => "0X",
            'o' if flags.sharp && !starts_with_zero => "0",
            'O' if flags.sharp && !starts_with_zero => "0o0",
            'O' => "0o",
            _ => "",
        };
        self.reserve(zeros)?;
        self.with_flags(Flags { zero: false, ..flags }, |this| {
            this.padded(|out| {
                out.extend_from_slice(sign.as_bytes());
                out.extend_from_slice(prefix.as_bytes());
                out.resize(out.len() + zeros, b'0');
                out.extend_from_slice(digits);
            })
        })
    }

    /// Prints a number such as `0x1f`, whatever the flag `#` says.
    pub(super) fn hexadecimal(&mut self, bits: u64, has_prefix: bool) -> Result<(), FunctionError> {
        self.with_flags(Flags { sharp: has_prefix, ..self.flags }, |this| {
            this.digits(Integer { bits, is_signed: false }, 'x')
        })
    }

    /// Prints a code point: `U+0078`, or `U+0078 'x'`.
    fn unicode(&mut self, bits: u64) -> Result<(), FunctionError> {
        let least = self.flags.precision.unwrap_or_default().max(4);
        let digits = format!("{bits:X}");
        let zeros = least.saturating_sub(digits.len());
        let shown =
            u32::try_from(bits).ok().and_then(char::from_u32).filter(|_| self.flags.sharp).filter(|c| is_printable(*c));
        self.reserve(zeros)?;
        self.with_flags(Flags { zero: false, ..self.flags }, |this| {
            this.padded(|out| {
                out.extend_from_slice(b"U+");
                out.resize(out.len() + zeros, b'0');
                out.extend_from_slice(digits.as_bytes());
                if let Some(character) = shown {
                    out.extend_from_slice(format!(" '{character}'").as_bytes());
                }
            })
        })
    }

    fn complex(&mut self, real: f64, imaginary: f64, verb: char) -> Result<(), Unprinted> {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return Err(Unprinted::BadVerb);
        }
        let flags = self.flags;
        self.text("(");
        self.float(real, FloatKind::Float64, verb)?;
        self.flags.plus = true;
        self.float(imaginary, FloatKind::Float64, verb)?;
        self.flags = flags;
        self.text("i)");
        Ok(())
    }

    fn float(&mut self, value: f64, kind: FloatKind, verb: char) -> Result<(), Unprinted> {
        let (verb, usual) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'e' | 'E' => (verb, Some(6)),
            'f' | 'F' => ('f', Some(6)),
            _ => return Err(Unprinted::BadVerb),
        };
        let flags = self.flags;
        let precision = flags.precision.or(usual);
        self.reserve(precision.unwrap_or_default())?;
        let mut number = Vec::new();
        format_float(&mut number, value, verb, precision, kind);
        let is_number = value.is_finite();
        let sign = match number.first() {
            Some(b'-') => "-",
            _ if flags.plus => "+",
            _ if flags.space => " ",
            Some(b'+') => "+",
            _ => "",
        };
        let mut digits = number.split_off(number.iter().take_while(|byte| matches!(byte, b'+' | b'-')).count());
        if is_number && flags.sharp && verb != 'b' {
            with_point(&mut digits, verb, precision);
        }
        let is_zero_padded = is_number && flags.zero && !flags.minus && !sign.is_empty();
        let zeros = match flags.width {
            // The sign stands before the zeros.
            Some(width) if is_zero_padded => width.saturating_sub(sign.len() + digits.len()),
            _ => 0,
        };
        self.reserve(zeros)?;
        self.with_flags(Flags { zero: flags.zero && is_number, ..flags }, |this| {
            this.padded(|out| {
                out.extend_from_slice(sign.as_bytes());
                out.resize(out.len() + zeros, b'0');
                out.extend_from_slice(&digits);
            })
        })?;
        Ok(())
    }

    pub(super) fn string(&mut self, text: &[u8], verb: char) -> Result<(), Unprinted> {
        match verb {
            'v' if self.flags.go_syntax => self.quoted(self.truncated(text))?,
            'v' | 's' => self.padded_bytes(self.truncated(text))?,
            'x' | 'X' => self.hexadecimal_bytes(text, verb == 'X')?,
            'q' => self.quoted(self.truncated(text))?,
            _ => return Err(Unprinted::BadVerb),
        }
        Ok(())
    }

    fn truncated<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        self.flags.precision.map_or(text, |precision| first_characters(text, precision))
    }

    /// Prints two digits for each byte; the precision counts bytes.
    fn hexadecimal_bytes(&mut self, text: &[u8], is_upper: bool) -> Result<(), FunctionError> {
        let flags = self.flags;
        let text = flags.precision.and_then(|precision| text.get(..precision)).unwrap_or(text);
        let prefix = match (flags.sharp, is_upper) {
            (true, false) => "0x",
            (true, true) => "0X",
            _ => "",
        };
        let separated = if flags.space { 1 + prefix.len() } else { 0 };
        self.reserve(text.len().saturating_mul(2 + separated))?;
        self.padded(|out| {
            for (position, byte) in text.iter().enumerate() {
                if position == 0 {
                    out.extend_from_slice(prefix.as_bytes());
                } else if flags.space {
                    out.push(b' ');
                    out.extend_from_slice(prefix.as_bytes());
                }
                let digits: &[u8; 16] = if is_upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
                out.push(digits[usize::from(byte >> 4)]);
                out.push(digits[usize::from(byte & 15)]);
            }
        })
    }

    pub(super) fn with_flags<T>(&mut self, flags: Flags, print: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.flags, flags);
        let result = print(self);
        self.flags = before;
        result
    }
}

/// The digits of a number to the base of a verb, at the end of `space`.
fn to_base(space: &mut [u8; 64], mut number: u64, verb: char) -> &[u8] {
    let (base, letters) = match verb {
        'b' => (2, b"0123456789abcdef"),
        'o' | 'O' => (8, b"0123456789abcdef"),
        'x' => (16, b"0123456789abcdef"),
        'X' => (16, b"0123456789ABCDEF"),
        _ => (10, b"0123456789abcdef"),
    };
    let mut start = space.len();
    for place in space.iter_mut().rev() {
        *place = letters[(number % base) as usize];
        start -= 1;
        number /= base;
        if number == 0 {
            break;
        }
    }
    &space[start..]
}

/// Adds the decimal point that `#` asks for, and for `g` and `x` the zeros that make up the precision.
fn with_point(number: &mut Vec<u8>, verb: char, precision: Option<usize>) {
    let is_hexadecimal = matches!(verb, 'x' | 'X');
    let exponent = match is_hexadecimal {
        true => number.iter().position(|byte| matches!(byte, b'p' | b'P')),
        false => number.iter().position(|byte| matches!(byte, b'e' | b'E')),
    };
    let tail = number.split_off(exponent.unwrap_or(number.len()));
    let wanted = if matches!(verb, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    // Go counts the letter of 0x among the digits.
    let counted = number.iter().filter(|byte| **byte != b'.').skip_while(|byte| **byte == b'0').count();
    let counted = if number == b"0" { 1 } else { counted };
    if !number.contains(&b'.') {
        number.push(b'.');
    }
    number.resize(number.len() + wanted.saturating_sub(counted), b'0');
    number.extend_from_slice(&tail);
}
