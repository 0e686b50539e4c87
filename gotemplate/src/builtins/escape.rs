//! `html`, `js` and `urlquery`.

use bstr::ByteSlice;

use crate::exec::{Seen, Slot};
use crate::format;
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::unicode;
use crate::value::Value;

pub(super) fn html(budget: &Budget, arguments: &[Seen<'_>]) -> Result<Vec<u8>, FunctionError> {
    let text = text(budget, arguments)?;
    budget.allocate(text.len())?;
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => escaped.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => escaped.extend_from_slice(b"&#34;"),
            b'\'' => escaped.extend_from_slice(b"&#39;"),
            b'&' => escaped.extend_from_slice(b"&amp;"),
            b'<' => escaped.extend_from_slice(b"&lt;"),
            b'>' => escaped.extend_from_slice(b"&gt;"),
            plain => escaped.push(plain),
        }
    }
    Ok(escaped)
}

pub(super) fn js(budget: &Budget, arguments: &[Seen<'_>]) -> Result<Vec<u8>, FunctionError> {
    let text = text(budget, arguments)?;
    budget.allocate(text.len())?;
    let mut escaped = Vec::with_capacity(text.len());
    for (start, end, character) in text.char_indices() {
        match character {
            '\\' => escaped.extend_from_slice(br"\\"),
            '\'' => escaped.extend_from_slice(br"\'"),
            '"' => escaped.extend_from_slice(b"\\\""),
            '<' | '>' | '&' | '=' | '\0'..'\u{20}' => {
                escaped.extend_from_slice(format!("\\u{:04X}", u32::from(character)).as_bytes());
            }
            printable if printable.is_ascii() || unicode::is_printable(printable) => {
                escaped.extend_from_slice(&text[start..end]);
            }
            other => escaped.extend_from_slice(format!("\\u{:04X}", u32::from(other)).as_bytes()),
        }
    }
    Ok(escaped)
}

pub(super) fn urlquery(budget: &Budget, arguments: &[Seen<'_>]) -> Result<Vec<u8>, FunctionError> {
    let text = text(budget, arguments)?;
    budget.allocate(text.len() * 3)?;
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(byte),
            b' ' => escaped.push(b'+'),
            other => escaped.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    Ok(escaped)
}

/// The arguments as they print. A single string stays as it is.
fn text(budget: &Budget, arguments: &[Seen<'_>]) -> Result<Vec<u8>, FunctionError> {
    let mut text = Vec::new();
    match arguments {
        [Seen { value: Value::String(only), .. }] => text.extend_from_slice(only.as_bytes()),
        _ => {
            let printable = |argument: &Seen<'_>| match Slot::of(argument.value.clone()).printable().value {
                Value::Nil => Value::from("<no value>"),
                value => value,
            };
            let values: Vec<_> = arguments.iter().map(printable).collect();
            format::print(&mut text, budget, &values.iter().collect::<Vec<_>>())?;
        }
    }
    Ok(text)
}
