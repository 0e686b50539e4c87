//! Bytes as the runes that Go reads from them, and values as text.

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::syntax::number::{NumberError, parse_signed};
use crate::text::Str;
use crate::types::{Type, UintKind};
use crate::unicode::decode;
use crate::value::Value;

/// Makes a text of a text.
pub(super) type Change = fn(&[u8]) -> Vec<u8>;

/// The text that a function has made, charged to the budget.
pub(super) fn text(budget: &Budget, bytes: Vec<u8>) -> Result<Str, FunctionError> {
    budget.allocate(bytes.len())?;
    Ok(bytes.into())
}

/// A rune and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Rune {
    /// Offset of its first byte.
    pub(super) start: usize,
    /// The character; U+FFFD for a byte that is not part of valid UTF-8.
    pub(super) character: char,
    /// Bytes that it takes in the text: 1 for an invalid one.
    pub(super) width: usize,
}

/// The runes of a text, as Go's `range` over a string gives them.
pub(super) fn runes(bytes: &[u8]) -> impl Iterator<Item = Rune> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let (character, width) = decode(bytes.get(start..)?)?;
        let rune = Rune { start, character, width };
        start += width;
        Some(rune)
    })
}

/// The last rune and its width; none of an empty text.
pub(super) fn last_rune(bytes: &[u8]) -> Option<(char, usize)> {
    match bstr::decode_last_utf8(bytes) {
        (_, 0) => None,
        (Some(character), width) => Some((character, width)),
        (None, _) => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// Appends a character as UTF-8.
pub(super) fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Every rune replaced by what `mapping` gives for it. What is not UTF-8 becomes U+FFFD.
pub(super) fn map(bytes: &[u8], mut mapping: impl FnMut(char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for rune in runes(bytes) {
        push(&mut out, mapping(rune.character));
    }
    out
}

/// A value as text: a string and a `[]byte` are it already, any other is what `%v` prints.
pub(super) fn strval(budget: &Budget, value: &Value) -> Result<Str, FunctionError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::List(list) if *list.element_type() == Type::Uint(UintKind::Uint8) => {
            let bytes = list.iter().filter_map(|item| match item {
                Value::Uint(byte, _) => u8::try_from(*byte).ok(),
                _ => None,
            });
            text(budget, bytes.collect())
        }
        value => print(budget, value),
    }
}

/// What `%v` prints for a value.
pub(super) fn print(budget: &Budget, value: &Value) -> Result<Str, FunctionError> {
    let mut out = Vec::new();
    crate::format::value(&mut out, budget, value)?;
    Ok(out.into())
}
/// A decimal integer: 0 for what is none, and the nearest one for what is out of range.
pub(super) fn saturating(text: &[u8]) -> i64 {
    match parse_signed(text, 10) {
        Ok(value) => value,
        Err(NumberError::Range) if text.starts_with(b"-") => i64::MIN,
        Err(NumberError::Range) => i64::MAX,
        Err(NumberError::Syntax) => 0,
    }
}
