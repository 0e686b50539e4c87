//! Go's quoted strings, read: `strconv.Unquote` and `strconv.UnquoteChar`.

use std::fmt;

use crate::unicode;

/// `strconv.ErrSyntax`: a quoted string or character is not well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidSyntax;

impl fmt::Display for InvalidSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid syntax")
    }
}

/// What one character of a quoted string stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unquoted {
    /// Of `\xff` or `\377`.
    Byte(u8),
    Character(char),
}

/// What a literal in double quotes, single quotes or backquotes stands for.
///
/// Bytes that are not UTF-8 become U+FFFD in double quotes, and stay in backquotes, where carriage returns are dropped.
pub(crate) fn unquote(literal: &[u8]) -> Result<Vec<u8>, InvalidSyntax> {
    let [quote, rest @ ..] = literal else { return Err(InvalidSyntax) };
    match quote {
        b'`' => match rest.split_last() {
            Some((b'`', text)) if !text.contains(&b'`') => {
                Ok(text.iter().copied().filter(|&byte| byte != b'\r').collect())
            }
            _ => Err(InvalidSyntax),
        },
        b'"' | b'\'' => unquote_interpreted(rest, *quote),
        _ => Err(InvalidSyntax),
    }
}

fn unquote_interpreted(mut rest: &[u8], quote: u8) -> Result<Vec<u8>, InvalidSyntax> {
    let mut text = Vec::with_capacity(rest.len());
    loop {
        match rest {
            [only] if *only == quote => return Ok(text),
            [b'\n', ..] => return Err(InvalidSyntax),
            _ if quote == b'\'' && !text.is_empty() => return Err(InvalidSyntax),
            _ => {}
        }
        let (unquoted, tail) = unquote_character(rest, quote)?;
        match unquoted {
            Unquoted::Byte(byte) => text.push(byte),
            Unquoted::Character(character) => text.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = tail;
    }
}

/// The first character of what stands between quotes of that kind, and what follows it.
///
/// Only that quote may be escaped, and it must be.
pub(crate) fn unquote_character(text: &[u8], quote: u8) -> Result<(Unquoted, &[u8]), InvalidSyntax> {
    match text {
        [b'\\', escape, rest @ ..] => unescape(*escape, rest, quote),
        [b'\\'] => Err(InvalidSyntax),
        [first, ..] if *first == quote => Err(InvalidSyntax),
        _ => {
            let (character, width) = unicode::decode(text).ok_or(InvalidSyntax)?;
            Ok((Unquoted::Character(character), text.get(width..).unwrap_or_default()))
        }
    }
}

fn unescape(escape: u8, rest: &[u8], quote: u8) -> Result<(Unquoted, &[u8]), InvalidSyntax> {
    let character = match escape {
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0b',
        b'\\' => '\\',
        b'\'' | b'"' if escape == quote => char::from(escape),
        b'x' => return byte_of(rest, 2, 16, 0),
        b'0'..=b'7' => return byte_of(rest, 2, 8, u32::from(escape - b'0')),
        b'u' => return character_of(rest, 4),
        b'U' => return character_of(rest, 8),
        _ => return Err(InvalidSyntax),
    };
    Ok((Unquoted::Character(character), rest))
}

fn byte_of(rest: &[u8], length: usize, radix: u32, first: u32) -> Result<(Unquoted, &[u8]), InvalidSyntax> {
    let (code, tail) = digits(rest, length, radix, first)?;
    let byte = u8::try_from(code).map_err(|_| InvalidSyntax)?;
    Ok((Unquoted::Byte(byte), tail))
}

fn character_of(rest: &[u8], length: usize) -> Result<(Unquoted, &[u8]), InvalidSyntax> {
    let (code, tail) = digits(rest, length, 16, 0)?;
    let character = char::from_u32(code).ok_or(InvalidSyntax)?;
    Ok((Unquoted::Character(character), tail))
}

/// So many digits and no fewer, at most eight of them, behind a first one.
fn digits(rest: &[u8], length: usize, radix: u32, first: u32) -> Result<(u32, &[u8]), InvalidSyntax> {
    let (digits, tail) = rest.split_at_checked(length).ok_or(InvalidSyntax)?;
    let mut code = first;
    for &digit in digits {
        code = code * radix + char::from(digit).to_digit(radix).ok_or(InvalidSyntax)?;
    }
    Ok((code, tail))
}

#[cfg(test)]
mod tests;
