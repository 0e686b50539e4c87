//! Keys, scalars and flow collections. They begin and end on one line, or on several that were put behind each other.

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
    let written = content.len() - rest.len();
    let is_key = key != "null" && written <= MAX_KEY_BYTES && (rest.is_empty() || rest.starts_with(' '));
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
        if is_mapping {
            let (name, behind) = flow_key(rest)?;
            let (value, behind) = element(behind.trim_start_matches(' '), depth, nodes)?;
            if mapping.insert(name.into_owned(), value).is_some() {
                return None;
            }
            rest = behind;
        } else {
            let (value, behind) = element(rest, depth, nodes)?;
            list.push(value);
            rest = behind;
        }
        rest = rest.trim_start_matches(' ');
        match rest.strip_prefix(',') {
            // There may be one behind the last.
            Some(more) => rest = more.trim_start_matches(' '),
            None if rest.starts_with(close) => {}
            None => return None,
        }
    }
    let value = if is_mapping { Value::Object(mapping) } else { Value::Array(list) };
    Some((value, &rest[1..]))
}

/// A key in a flow mapping. Behind one in quotes, as in JSON, the value may follow at once.
fn flow_key(content: &str) -> Option<(Cow<'_, str>, &str)> {
    match content.as_bytes().first()? {
        b'"' => {
            let (key, rest) = quoted(content)?;
            let rest = rest.strip_prefix(':')?;
            (content.len() - rest.len() <= MAX_KEY_BYTES).then_some((key, rest))
        }
        _ => key(content),
    }
}

fn element<'a>(content: &'a str, depth: usize, nodes: &mut usize) -> Option<(Value, &'a str)> {
    match content.as_bytes().first()? {
        b'"' | b'\'' => quoted(content).map(|(text, rest)| (Value::String(text.into_owned()), rest)),
        b'{' | b'[' => flow(content, depth + 1, nodes),
        _ => word(content),
    }
}

/// How many more brackets a line opens than it closes, outside of quotes; none where a quote does not end.
pub(super) fn opened(line: &str) -> Option<isize> {
    let (mut rest, mut open) = (line, 0);
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'{' | b'[' | b'}' | b']' | b'"' | b'\'')) {
        match rest.as_bytes()[at] {
            b'{' | b'[' => open += 1,
            b'}' | b']' => open -= 1,
            _ => {
                rest = quoted(&rest[at..])?.1;
                continue;
            }
        }
        rest = &rest[at + 1..];
    }
    Some(open)
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
