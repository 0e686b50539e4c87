//! Values from JSON.

use bstr::ByteSlice;

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::stack;
use crate::text::Str;
use crate::value::{List, Map, Value};

/// Reads a value as `json.Unmarshal` does into an `any`: `float64`, `string`, `bool`, nil, `[]any` and `map[string]any`.
/// Of equal keys the last counts. What is not UTF-8 in a text, and half a surrogate pair, becomes U+FFFD.
///
/// # Errors
/// In Go's words: `invalid character 'x' looking for beginning of value`. And when the budget does not suffice.
pub fn decode(text: &[u8], budget: &Budget) -> Result<Value, FunctionError> {
    match decode_partly(text, budget)? {
        (value, None) => Ok(value),
        (_, Some(error)) => Err(error),
    }
}

/// As [`decode`], but numbers beyond the range of a `float64` are nil: those are an error beside the value.
pub(crate) fn decode_partly(text: &[u8], budget: &Budget) -> Result<(Value, Option<FunctionError>), FunctionError> {
    let mut decoder = Decoder { text, position: 0, depth: 0, out_of_range: None, budget };
    let value = decoder.value()?;
    decoder.skip_space();
    match decoder.peek() {
        None => Ok((value, decoder.out_of_range)),
        Some(_) => Err(decoder.unexpected("after top-level value")),
    }
}

/// As deep as Go follows lists and objects within each other.
const DEEPEST: usize = 10_000;

struct Decoder<'a> {
    text: &'a [u8],
    position: usize,
    depth: usize,
    out_of_range: Option<FunctionError>,
    budget: &'a Budget,
}

impl<'a> Decoder<'a> {
    fn value(&mut self) -> Result<Value, FunctionError> {
        self.budget.step()?;
        self.budget.allocate(size_of::<Value>())?;
        self.skip_space();
        let Some(first) = self.peek() else { return Err(end_of_input()) };
        match first {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::list),
            b'"' => self.string().map(Value::String),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Nil),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, FunctionError>) -> Result<Value, FunctionError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.unexpected("exceeded max depth"));
        }
        self.position += 1;
        let value = stack::with_room(|| read(self));
        self.depth -= 1;
        value
    }

    fn list(&mut self) -> Result<Value, FunctionError> {
        let mut items = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(List::any(items).into());
        }
        loop {
            items.push(self.value()?);
            match self.punctuation("after array element", b",]")? {
                b',' => {}
                _ => return Ok(List::any(items).into()),
            }
        }
    }

    fn object(&mut self) -> Result<Value, FunctionError> {
        let map = Map::any();
        self.skip_space();
        if self.take(b'}') {
            return Ok(map.into());
        }
        loop {
            self.skip_space();
            let key = match self.peek() {
                None => return Err(end_of_input()),
                Some(b'"') => self.string()?,
                Some(_) => return Err(self.unexpected("looking for beginning of object key string")),
            };
            self.punctuation("after object key", b":")?;
            let value = self.value()?;
            map.insert(key, value);
            match self.punctuation("after object key:value pair", b",}")? {
                b',' => {}
                _ => return Ok(map.into()),
            }
        }
    }

    /// Takes one of these characters, after any space.
    fn punctuation(&mut self, context: &str, wanted: &[u8]) -> Result<u8, FunctionError> {
        self.skip_space();
        match self.peek() {
            None => Err(end_of_input()),
            Some(byte) if wanted.contains(&byte) => {
                self.position += 1;
                Ok(byte)
            }
            Some(_) => Err(self.unexpected(context)),
        }
    }

    fn literal(&mut self, name: &str, value: Value) -> Result<Value, FunctionError> {
        for expected in name.bytes() {
            if !self.take(expected) {
                let expected = char::from(expected);
                return Err(self.unexpected(&format!("in literal {name} (expecting '{expected}')")));
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, FunctionError> {
        let start = self.position;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits("in numeric literal")?;
        }
        if self.take(b'.') {
            self.digits("after decimal point in numeric literal")?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits("in exponent of numeric literal")?;
        }
        let digits = self.text[start..self.position].to_str_lossy();
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::float(number)),
            _ => {
                let message = format!("json: cannot unmarshal number {digits} into Go value of type float64");
                self.out_of_range.get_or_insert_with(|| FunctionError::new(message));
                Ok(Value::Nil)
            }
        }
    }

    /// Takes one digit or more.
    fn digits(&mut self, context: &str) -> Result<(), FunctionError> {
        let rest = &self.text[self.position..];
        match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => Err(self.unexpected(context)),
            count => {
                self.position += count;
                Ok(())
            }
        }
    }

    fn string(&mut self) -> Result<Str, FunctionError> {
        self.position += 1;
        let mut out = Vec::new();
        loop {
            let rest = &self.text[self.position..];
            let plain = rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..=0x1f)).count();
            // Invalid bytes become three each.
            self.budget.allocate(plain.saturating_mul(if rest[..plain].is_utf8() { 1 } else { 3 }))?;
            for chunk in rest[..plain].utf8_chunks() {
                out.extend_from_slice(chunk.valid().as_bytes());
                out.extend(chunk.invalid().iter().flat_map(|_| "\u{fffd}".bytes()));
            }
            self.position += plain;
            match self.peek() {
                None => return Err(end_of_input()),
                Some(b'"') => break,
                Some(b'\\') => {
                    let character = self.escape()?;
                    self.budget.allocate(character.len_utf8())?;
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(_) => return Err(self.unexpected("in string literal")),
            }
        }
        self.position += 1;
        Ok(out.into())
    }

    fn escape(&mut self) -> Result<char, FunctionError> {
        self.position += 1;
        let character = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_unit().map(|unit| self.character(unit)),
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.position += 1;
        Ok(character)
    }

    /// The four digits after `u`.
    fn code_unit(&mut self) -> Result<u16, FunctionError> {
        self.position += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.unexpected("in \\u hexadecimal character escape"))?;
            unit = unit << 4 | digit as u16;
            self.position += 1;
        }
        Ok(unit)
    }

    /// The character of a code unit; of a pair, when the other half follows.
    fn character(&mut self, unit: u16) -> char {
        let start = self.position;
        if let Ok(character) = char::try_from(u32::from(unit)) {
            return character;
        }
        if self.take(b'\\') && self.peek() == Some(b'u') {
            let pair = self.code_unit().ok().map(|low| [unit, low]);
            if let Some(Ok(character)) = pair.and_then(|pair| char::decode_utf16(pair).next()) {
                return character;
            }
        }
        // What follows is read for itself, with its errors.
        self.position = start;
        char::REPLACEMENT_CHARACTER
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.position..];
        self.position += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// Go takes the end of the text for a space where a literal or a number breaks off.
    fn unexpected(&self, context: &str) -> FunctionError {
        let character = match self.peek().unwrap_or(b' ') {
            b'\'' => r"\'".to_owned(),
            b'\\' => r"\\".to_owned(),
            7 => r"\a".to_owned(),
            8 => r"\b".to_owned(),
            b'\t' => r"\t".to_owned(),
            b'\n' => r"\n".to_owned(),
            0xb => r"\v".to_owned(),
            0xc => r"\f".to_owned(),
            b'\r' => r"\r".to_owned(),
            byte @ (0..=0x1f | 0x7f) => format!("\\x{byte:02x}"),
            byte @ (0x80..=0xa0 | 0xad) => format!("\\u{byte:04x}"),
            byte => char::from(byte).to_string(),
        };
        FunctionError::new(format!("invalid character '{character}' {context}"))
    }
}

fn end_of_input() -> FunctionError {
    FunctionError::new("unexpected end of JSON input")
}
