//! Values that hold no others: booleans, numbers and texts.

use super::quote::{can_backquote, escape, quote_character};
use super::{Printer, Result, format_float};
use crate::types::FloatKind;
use crate::unicode;
use crate::value::Value;

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// An integer of either kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Integer {
    Signed(i64),
    Unsigned(u64),
}

impl Printer<'_> {
    /// Appends a value that holds no others; false when the verb is not for it.
    pub(super) fn scalar(&mut self, value: &Value, verb: char) -> Result<bool> {
        Ok(match value {
            Value::Bool(value) => self.boolean(*value, verb),
            Value::Int(value, _) => self.integer(Integer::Signed(*value), verb),
            Value::Uint(value, _) => self.integer(Integer::Unsigned(*value), verb),
            Value::Float(value, kind) => self.float(*value, *kind, verb),
            Value::Complex(real, imaginary) => self.complex(*real, *imaginary, verb),
            Value::String(text) => self.text(text.as_bytes(), verb)?,
            _ => false,
        })
    }

    fn boolean(&mut self, value: bool, verb: char) -> bool {
        let is_right = matches!(verb, 't' | 'v');
        if is_right {
            self.padded(if value { b"true" } else { b"false" });
        }
        is_right
    }

    pub(super) fn integer(&mut self, value: Integer, verb: char) -> bool {
        let bits = match value {
            Integer::Signed(value) => value.cast_unsigned(),
            Integer::Unsigned(value) => value,
        };
        match verb {
            'v' if self.specification.sharp_value && matches!(value, Integer::Unsigned(_)) => {
                self.hexadecimal(bits, true);
            }
            'v' | 'd' => self.digits(value, 10, verb),
            'b' => self.digits(value, 2, verb),
            'o' | 'O' => self.digits(value, 8, verb),
            'x' | 'X' => self.digits(value, 16, verb),
            'c' => {
                let character = character(bits);
                self.padded(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'q' => {
                let mut quoted = Vec::new();
                quote_character(&mut quoted, character(bits), self.specification.plus);
                self.padded(&quoted);
            }
            'U' => self.code_point(bits),
            _ => return false,
        }
        true
    }

    /// Appends `0x1f`, or without the `0x`.
    pub(super) fn hexadecimal(&mut self, value: u64, with_prefix: bool) {
        let sharp = std::mem::replace(&mut self.specification.sharp, with_prefix);
        self.digits(Integer::Unsigned(value), 16, 'v');
        self.specification.sharp = sharp;
    }

    fn digits(&mut self, value: Integer, base: u64, verb: char) {
        let specification = self.specification;
        let (magnitude, is_negative) = match value {
            Integer::Signed(value) => (value.unsigned_abs(), value < 0),
            Integer::Unsigned(value) => (value, false),
        };
        let has_sign = is_negative || specification.plus || specification.space;
        let least = match (specification.precision, specification.width) {
            // No digits at all are wanted of zero.
            (Some(0), width) if magnitude == 0 => {
                let zero = std::mem::take(&mut self.specification.zero);
                self.padding(width.unwrap_or_default());
                self.specification.zero = zero;
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if specification.zero && !specification.minus => {
                width.saturating_sub(usize::from(has_sign))
            }
            (None, _) => 0,
        };
        // From the last digit to the first.
        let mut reversed = Vec::with_capacity(least.max(20) + 3);
        let digits = if verb == 'X' { UPPER } else { LOWER };
        let mut rest = magnitude;
        while reversed.is_empty() || rest > 0 {
            reversed.push(digits[(rest % base) as usize]);
            rest /= base;
        }
        reversed.resize(reversed.len().max(least), b'0');
        if specification.sharp {
            match base {
                2 => reversed.extend_from_slice(b"b0"),
                8 if reversed.last() != Some(&b'0') => reversed.push(b'0'),
                16 => reversed.extend_from_slice(if verb == 'X' { b"X0" } else { b"x0" }),
                _ => {}
            }
        }
        if verb == 'O' {
            reversed.extend_from_slice(b"o0");
        }
        match (is_negative, specification.plus, specification.space) {
            (true, ..) => reversed.push(b'-'),
            (_, true, _) => reversed.push(b'+'),
            (.., true) => reversed.push(b' '),
            _ => {}
        }
        reversed.reverse();
        self.padded_with_spaces(&reversed);
    }

    /// Appends `U+0041`, and with `#` the character too.
    fn code_point(&mut self, value: u64) {
        let least = self.specification.precision.unwrap_or_default().max(4);
        let mut text = format!("U+{value:0least$X}").into_bytes();
        let shown = u32::try_from(value).ok().and_then(char::from_u32).filter(|shown| unicode::is_printable(*shown));
        if let (true, Some(shown)) = (self.specification.sharp, shown) {
            text.extend_from_slice(format!(" '{shown}'").as_bytes());
        }
        self.padded_with_spaces(&text);
    }

    fn float(&mut self, value: f64, kind: FloatKind, verb: char) -> bool {
        let (form, precision) = match verb {
            'v' => ('g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => (verb, None),
            'f' | 'e' | 'E' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return false,
        };
        self.float_in_form(value, kind, form, self.specification.precision.or(precision));
        true
    }

    fn float_in_form(&mut self, value: f64, kind: FloatKind, form: char, precision: Option<usize>) {
        let specification = self.specification;
        let mut text = vec![b'+'];
        format_float(&mut text, value, form, precision, kind);
        if matches!(text.get(1), Some(b'-' | b'+')) {
            text.remove(0);
        }
        if specification.space && text[0] == b'+' && !specification.plus {
            text[0] = b' ';
        }
        if !value.is_finite() {
            // Infinity always has its sign.
            let has_sign = value.is_infinite() || specification.space || specification.plus;
            return self.padded_with_spaces(&text[usize::from(!has_sign)..]);
        }
        if specification.sharp && form != 'b' {
            with_point(&mut text, form, precision);
        }
        if !specification.plus && text[0] == b'+' {
            return self.padded(&text[1..]);
        }
        match specification.width {
            Some(width) if specification.zero && !specification.minus && width > text.len() => {
                self.push(&text[..1]);
                self.padding(width - text.len());
                self.push(&text[1..]);
            }
            _ => self.padded(&text),
        }
    }

    fn complex(&mut self, real: f64, imaginary: f64, verb: char) -> bool {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return false;
        }
        self.push(b"(");
        self.float(real, FloatKind::Float64, verb);
        let plus = std::mem::replace(&mut self.specification.plus, true);
        self.float(imaginary, FloatKind::Float64, verb);
        self.specification.plus = plus;
        self.push(b"i)");
        true
    }

    pub(super) fn text(&mut self, text: &[u8], verb: char) -> Result<bool> {
        match verb {
            'v' if self.specification.sharp_value => self.quoted(text)?,
            'v' | 's' => {
                let text = self.truncated(text);
                self.padded(text);
            }
            'q' => self.quoted(text)?,
            'x' => self.bytes_in_hexadecimal(text, LOWER, b"0x")?,
            'X' => self.bytes_in_hexadecimal(text, UPPER, b"0X")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn quoted(&mut self, text: &[u8]) -> Result<()> {
        let text = self.truncated(text);
        if self.specification.sharp && can_backquote(text) {
            self.padded(&[b"`", text, b"`"].concat());
            return Ok(());
        }
        self.budget.allocate(text.len())?;
        let mut quoted = vec![b'"'];
        escape(&mut quoted, text, self.specification.plus);
        quoted.push(b'"');
        self.padded(&quoted);
        Ok(())
    }

    /// As many characters as the precision allows.
    fn truncated<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(mut left) = self.specification.precision else { return text };
        let mut end = 0;
        while let Some((_, width)) = unicode::decode(&text[end..]) {
            if left == 0 {
                break;
            }
            left -= 1;
            end += width;
        }
        &text[..end]
    }

    fn bytes_in_hexadecimal(&mut self, bytes: &[u8], digits: &[u8; 16], prefix: &[u8]) -> Result<()> {
        let specification = self.specification;
        let bytes = &bytes[..specification.precision.unwrap_or(usize::MAX).min(bytes.len())];
        if bytes.is_empty() {
            self.padding(specification.width.unwrap_or_default());
            return Ok(());
        }
        self.budget.allocate(bytes.len())?;
        let mut text = Vec::with_capacity(bytes.len() * 2 + 2);
        for (position, byte) in bytes.iter().enumerate() {
            if specification.space && position > 0 {
                text.push(b' ');
            }
            if specification.sharp && (specification.space || position == 0) {
                text.extend_from_slice(prefix);
            }
            text.extend([digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
        }
        self.padded(&text);
        Ok(())
    }
}

/// The alternate form of a float: always with a point, and the zeros that `g` leaves out.
fn with_point(text: &mut Vec<u8>, form: char, precision: Option<usize>) {
    let mut wanted = match form {
        'g' | 'G' | 'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let is_exponent = |byte: &u8| match byte {
        b'p' | b'P' => true,
        b'e' | b'E' => form != 'x' && form != 'X',
        _ => false,
    };
    let end = text.iter().position(is_exponent).unwrap_or(text.len());
    let exponent = text.split_off(end);
    let mut significant = false;
    for byte in &text[1..] {
        significant |= !matches!(byte, b'0' | b'.');
        if significant && *byte != b'.' {
            wanted = wanted.saturating_sub(1);
        }
    }
    if !text.contains(&b'.') {
        if text.len() == 2 && text[1] == b'0' {
            wanted = wanted.saturating_sub(1);
        }
        text.push(b'.');
    }
    text.resize(text.len() + wanted, b'0');
    text.extend_from_slice(&exponent);
}

/// The character of that number; U+FFFD where there is none.
fn character(number: u64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
