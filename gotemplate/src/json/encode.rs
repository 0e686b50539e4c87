//! Values as JSON.

use data_encoding::BASE64;

use super::fields::fields;
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::named::Json;
use crate::stack;
use crate::types::{FloatKind, Kind, Type, UintKind};
use crate::value::{Key, List, Map, Struct, Value};

/// How JSON is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// On one line, with `<`, `>` and `&` as `\u003c` and so on: `json.Marshal`
    Compact,
    /// As [`Style::Compact`], but each item on a line of its own, two spaces deeper: `json.MarshalIndent`
    Indented,
    /// On one line, with `<`, `>` and `&` as they are
    Raw,
}

/// Writes a value as JSON: the keys of maps sorted, bytes that are not UTF-8 as `\ufffd`, a `[]uint8` as base64.
///
/// # Errors
/// For what JSON has no words for: functions, complex numbers, maps with other keys than texts and integers, infinities
/// and NaN. The message is Go's: `json: unsupported value: NaN`. And for what the budget does not suffice for.
pub fn encode(value: &Value, budget: &Budget, style: Style) -> Result<Vec<u8>, FunctionError> {
    let mut encoder = Encoder { out: Vec::new(), charged: 0, depth: 0, budget, style };
    encoder.value(value)?;
    encoder.charge()?;
    Ok(encoder.out)
}

/// As deep as Go lays out with indents.
const DEEPEST_INDENT: usize = 10_000;

/// So much is written at most before it is charged.
const UNCHARGED: usize = 64 << 10;

struct Encoder<'a> {
    out: Vec<u8>,
    /// How much of the output is charged to the budget.
    charged: usize,
    /// Lists and objects around what is written.
    depth: usize,
    budget: &'a Budget,
    style: Style,
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value) -> Result<(), FunctionError> {
        self.budget.step()?;
        match value {
            Value::Nil => self.text("null"),
            Value::Bool(value) => self.text(if *value { "true" } else { "false" }),
            Value::Int(value, _) => self.text(&value.to_string()),
            Value::Uint(value, _) => self.text(&value.to_string()),
            Value::Float(value, kind) => return self.float(*value, *kind),
            Value::String(text) => return self.string(text.as_bytes()),
            Value::Complex(..) | Value::Function(_) => return Err(unsupported(value.type_of())),
            Value::List(list) => return stack::with_room(|| self.list(list)),
            Value::Map(map) => return stack::with_room(|| self.map(map)),
            Value::Struct(structure) => match &structure.struct_type().definition().json {
                Some(json) => return self.own_words(json, value, value.type_of()),
                None => return stack::with_room(|| self.structure(structure)),
            },
            Value::Pointer(pointer) => match pointer.target() {
                None => self.text("null"),
                Some(target) => match json_of(target) {
                    Some(json) => return self.own_words(&json, target, value.type_of()),
                    None => return stack::with_room(|| self.value(target)),
                },
            },
            Value::Named(named) => match (&named.named_type().definition().json, named.value().kind()) {
                (Some(json), _) => return self.own_words(json, value, value.type_of()),
                (None, Kind::Complex | Kind::Function) => return Err(unsupported(value.type_of())),
                (None, _) => return stack::with_room(|| self.value(named.value())),
            },
        }
        Ok(())
    }

    fn list(&mut self, list: &List) -> Result<(), FunctionError> {
        if list.is_nil() {
            self.text("null");
            return Ok(());
        }
        if list.element_type().kind() == Kind::Uint(UintKind::Uint8) {
            let bytes: Vec<u8> = list.iter().filter_map(byte).collect();
            self.budget.allocate(bytes.len())?;
            self.text("\"");
            self.text(&BASE64.encode(&bytes));
            self.text("\"");
            return self.charge();
        }
        self.begin(b'[')?;
        for (position, item) in list.iter().enumerate() {
            self.next(position);
            self.value(item)?;
        }
        self.end(b']', list.is_empty())
    }

    fn map(&mut self, map: &Map) -> Result<(), FunctionError> {
        if !matches!(map.key_type().kind(), Kind::String | Kind::Int(_) | Kind::Uint(_)) {
            return Err(unsupported(Some(map.map_type())));
        }
        if map.is_nil() {
            self.text("null");
            return Ok(());
        }
        self.budget.allocate_values(map.len())?;
        let mut entries: Vec<_> = map.entries().into_iter().map(|(key, value)| (key_text(key), value)).collect();
        // Numbers too are sorted as texts.
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.begin(b'{')?;
        for (position, (key, value)) in entries.iter().enumerate() {
            self.next(position);
            self.key(key)?;
            self.value(value)?;
        }
        self.end(b'}', entries.is_empty())
    }

    fn structure(&mut self, structure: &Struct) -> Result<(), FunctionError> {
        self.begin(b'{')?;
        let mut position = 0;
        for field in fields(structure.struct_type()) {
            let Some(value) = field.of(structure) else { continue };
            if field.omit_empty && is_empty(value) {
                continue;
            }
            self.next(position);
            position += 1;
            self.key(field.name.as_bytes())?;
            self.value(value)?;
        }
        self.end(b'}', position == 0)
    }

    /// What a value says of itself.
    fn own_words(&mut self, json: &Json, value: &Value, type_of: Option<Type>) -> Result<(), FunctionError> {
        let words = json(value).map_err(|error| match error.is_limit() {
            true => error,
            false => FunctionError::new(format!(
                "json: error calling MarshalJSON for type {}: {error}",
                type_of.map(|named| named.to_string()).unwrap_or_default()
            )),
        })?;
        self.words(&words)
    }

    fn words(&mut self, words: &serde_json::Value) -> Result<(), FunctionError> {
        self.budget.step()?;
        match words {
            serde_json::Value::String(text) => self.string(text.as_bytes())?,
            serde_json::Value::Array(items) => {
                self.begin(b'[')?;
                for (position, item) in items.iter().enumerate() {
                    self.next(position);
                    stack::with_room(|| self.words(item))?;
                }
                self.end(b']', items.is_empty())?;
            }
            serde_json::Value::Object(entries) => {
                self.begin(b'{')?;
                for (position, (key, value)) in entries.iter().enumerate() {
                    self.next(position);
                    self.key(key.as_bytes())?;
                    stack::with_room(|| self.words(value))?;
                }
                self.end(b'}', entries.is_empty())?;
            }
            plain => self.text(&plain.to_string()),
        }
        Ok(())
    }

    /// As short as it reads back as the same number; with an exponent from 1e21 on, and below 1e-6.
    fn float(&mut self, value: f64, kind: FloatKind) -> Result<(), FunctionError> {
        if !value.is_finite() {
            let name = if value.is_nan() { "NaN" } else { ["-Inf", "+Inf"][usize::from(value > 0.0)] };
            return Err(FunctionError::new(format!("json: unsupported value: {name}")));
        }
        let text = match kind {
            FloatKind::Float64 if value != 0.0 && !(1e-6..1e21).contains(&value.abs()) => format!("{value:e}"),
            FloatKind::Float64 => value.to_string(),
            FloatKind::Float32 => {
                let value = value as f32;
                let is_plain = value == 0.0 || (1e-6..1e21).contains(&value.abs());
                if is_plain { value.to_string() } else { format!("{value:e}") }
            }
        };
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => self.text(&format!("{digits}e+{exponent}")),
            _ => self.text(&text),
        }
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) -> Result<(), FunctionError> {
        self.out.push(b'"');
        for chunk in bytes.utf8_chunks() {
            let mut plain = 0;
            for (position, character) in chunk.valid().char_indices() {
                if let Some(escape) = self.escape(character) {
                    self.text(&chunk.valid()[plain..position]);
                    self.text(&escape);
                    plain = position + character.len_utf8();
                    self.charge_much()?;
                }
            }
            self.text(&chunk.valid()[plain..]);
            for _ in chunk.invalid() {
                self.text(r"\ufffd");
            }
            self.charge_much()?;
        }
        self.out.push(b'"');
        self.charge_much()
    }

    fn escape(&self, character: char) -> Option<String> {
        Some(match character {
            '"' => r#"\""#.to_owned(),
            '\\' => r"\\".to_owned(),
            '\u{8}' => r"\b".to_owned(),
            '\u{c}' => r"\f".to_owned(),
            '\n' => r"\n".to_owned(),
            '\r' => r"\r".to_owned(),
            '\t' => r"\t".to_owned(),
            '<' | '>' | '&' if self.style == Style::Raw => return None,
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(character)),
            _ => return None,
        })
    }

    fn key(&mut self, key: &[u8]) -> Result<(), FunctionError> {
        self.string(key)?;
        self.text(if self.style == Style::Indented { ": " } else { ":" });
        Ok(())
    }

    fn begin(&mut self, bracket: u8) -> Result<(), FunctionError> {
        self.depth += 1;
        if self.style == Style::Indented && self.depth > DEEPEST_INDENT {
            let bracket = char::from(bracket);
            return Err(FunctionError::new(format!("invalid character '{bracket}' exceeded max depth")));
        }
        self.out.push(bracket);
        Ok(())
    }

    /// What stands before an item.
    fn next(&mut self, position: usize) {
        if position > 0 {
            self.out.push(b',');
        }
        self.line(self.depth);
    }

    fn end(&mut self, bracket: u8, is_empty: bool) -> Result<(), FunctionError> {
        self.depth -= 1;
        if !is_empty {
            self.line(self.depth);
        }
        self.out.push(bracket);
        self.charge_much()
    }

    fn line(&mut self, depth: usize) {
        if self.style == Style::Indented {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 2 * depth, b' ');
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn charge_much(&mut self) -> Result<(), FunctionError> {
        if self.out.len() - self.charged < UNCHARGED { Ok(()) } else { self.charge() }
    }

    fn charge(&mut self) -> Result<(), FunctionError> {
        let uncharged = self.out.len() - self.charged;
        self.charged = self.out.len();
        self.budget.allocate(uncharged)
    }
}

fn json_of(value: &Value) -> Option<Json> {
    match value {
        Value::Struct(structure) => structure.struct_type().definition().json.clone(),
        Value::Named(named) => named.named_type().definition().json.clone(),
        _ => None,
    }
}

fn key_text(key: Key) -> Vec<u8> {
    match key {
        Key::String(text) => text.as_bytes().to_vec(),
        Key::Int(value, _) => value.to_string().into_bytes(),
        Key::Uint(value, _) => value.to_string().into_bytes(),
        Key::Named(_, key) => key_text(*key),
        Key::Bool(_) | Key::Float(..) => Vec::new(),
    }
}

fn byte(value: &Value) -> Option<u8> {
    match value.underlying() {
        Value::Uint(value, _) => u8::try_from(*value).ok(),
        _ => None,
    }
}

/// What `omitempty` leaves out.
fn is_empty(value: &Value) -> bool {
    match value.underlying() {
        Value::Complex(..) => false,
        value => !value.is_true(),
    }
}

fn unsupported(type_of: Option<Type>) -> FunctionError {
    let name = type_of.map(|type_of| type_of.to_string()).unwrap_or_default();
    FunctionError::new(format!("json: unsupported type: {name}"))
}
