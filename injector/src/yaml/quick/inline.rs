//! Keys, scalars and flow collections that begin and end on one line.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::{Map, Value};

use super::{MAX_DEPTH, MAX_KEY_BYTES, scalar};

/// The key at the start of `content`, and what is behind its colon; none where a key is no simple word.
pub(super) fn key(content: &str) -> Option<(Cow<'_, str>, &str)> {
    let (key, rest) = match content.as_bytes().first()? {
        b'"' | b'\'' => quoted(content)?,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/' => {
            let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
            let end = content.bytes().position(|byte| !is_of_word(byte))?;
            (Cow::Borrowed(&content[..end]), &content[end..])
        }
        _ => return None,
    };
    let rest = rest.strip_prefix(':')?;
    // Whether a null may be a key, and which, is for the parser to say.
    let is_key = key != "null" && key.len() <= MAX_KEY_BYTES && (rest.is_empty() || rest.starts_with(' '));
    is_key.then_some((key, rest))
}

/// The scalar or flow collection that is all of `content`, but for a comment.
pub(super) fn value(content: &str, depth: usize, nodes: &mut usize) -> Option<Value> {
    match content.as_bytes().first()? {
        b'"' | b'\'' => {
            let (text, rest) = quoted(content)?;
            is_end(rest).then(|| Value::String(text.into_owned()))
        }
        b'{' | b'[' => {
            let (value, rest) = flow(content, depth, nodes)?;
            is_end(rest).then_some(value)
        }
        _ => plain(content),
    }
}

fn is_end(rest: &str) -> bool {
    let comment = rest.trim_start_matches(' ');
    comment.is_empty() || (comment.starts_with('#') && comment.len() < rest.len())
}

/// A scalar without quotes, up to the end of the line or a comment.
fn plain(content: &str) -> Option<Value> {
    let bytes = content.as_bytes();
    let mut end = bytes.len();
    let mut from = 0;
    while let Some(found) = memchr2(b':', b'#', &bytes[from..]) {
        let at = from + found;
        match bytes[at] {
            b'#' if at > 0 && bytes[at - 1] == b' ' => {
                end = at;
                break;
            }
            // It would be a key.
            b':' if bytes.get(at + 1).is_none_or(|next| *next == b' ') => return None,
            _ => from = at + 1,
        }
    }
    let text = content[..end].trim_end_matches(' ');
    if text.bytes().any(|byte| byte == b'\t') { None } else { scalar::resolve(text) }
}

/// The quoted scalar at the start of `content`, and what is behind it.
fn quoted(content: &str) -> Option<(Cow<'_, str>, &str)> {
    let mark = *content.as_bytes().first()?;
    let escape = if mark == b'"' { b'\\' } else { mark };
    let mut rest = &content[1..];
    let end = memchr2(mark, escape, rest.as_bytes())?;
    if rest.as_bytes()[end] == mark && (mark == b'"' || rest.as_bytes().get(end + 1) != Some(&mark)) {
        return Some((Cow::Borrowed(&rest[..end]), &rest[end + 1..]));
    }
    let mut text = String::new();
    loop {
        let at = memchr2(mark, escape, rest.as_bytes())?;
        text.push_str(&rest[..at]);
        let next = rest.as_bytes().get(at + 1);
        match (rest.as_bytes()[at], next) {
            (b'\'', Some(b'\'')) => text.push('\''),
            (b'\\', Some(b'n')) => text.push('\n'),
            (b'\\', Some(b't')) => text.push('\t'),
            (b'\\', Some(b'"')) => text.push('"'),
            (b'\\', Some(b'\\')) => text.push('\\'),
            (b'\\', _) => return None,
            _ => {
                return Some((Cow::Owned(text), &rest[at + 1..]));
            }
        }
        rest = &rest[at + 2..];
    }
}

/// The flow collection at the start of `content`, and what is behind it.
fn flow<'a>(content: &'a str, depth: usize, nodes: &mut usize) -> Option<(Value, &'a str)> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let is_mapping = content.starts_with('{');
    let close = if is_mapping { '}' } else { ']' };
    let (mut mapping, mut list) = (Map::new(), Vec::new());
    let mut rest = content[1..].trim_start_matches(' ');
    while !rest.starts_with(close) {
        *nodes = nodes.checked_sub(1)?;
        let name = if is_mapping {
            let (name, value) = key(rest)?;
            rest = value.trim_start_matches(' ');
            Some(name)
        } else {
            None
        };
        let (value, behind) = match rest.as_bytes().first()? {
            b'"' | b'\'' => quoted(rest).map(|(text, rest)| (Value::String(text.into_owned()), rest))?,
            b'{' | b'[' => flow(rest, depth + 1, nodes)?,
            _ => word(rest)?,
        };
        match name {
            Some(name) => {
                if mapping.insert(name.into_owned(), value).is_some() {
                    return None;
                }
            }
            None => list.push(value),
        }
        rest = behind.trim_start_matches(' ');
        match rest.strip_prefix(',') {
            Some(more) => {
                rest = more.trim_start_matches(' ');
                if rest.starts_with(close) {
                    return None;
                }
            }
            None if rest.starts_with(close) => {}
            None => return None,
        }
    }
    let value = if is_mapping { Value::Object(mapping) } else { Value::Array(list) };
    Some((value, &rest[1..]))
}

/// A scalar without quotes and blanks within a flow collection.
fn word(content: &str) -> Option<(Value, &str)> {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'=');
    let end = content.bytes().position(|byte| !is_of_word(byte))?;
    let rest = &content[end..];
    // What follows may still be part of it.
    let is_whole = end > 0 && rest.trim_start_matches(' ').starts_with([',', '}', ']']);
    if is_whole { Some((scalar::resolve(&content[..end])?, rest)) } else { None }
}
