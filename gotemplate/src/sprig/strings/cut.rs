//! Parts of a text: cut to a length, or trimmed.

use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::sprig::text::{last_rune, runes, text};
use crate::text::Str;
use crate::unicode::decode;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("abbrev", |budget: &Budget, width: isize, text: Str| match usize::try_from(width) {
            Ok(width @ 4..) => self::text(budget, abbreviate(&text, 0, width)),
            _ => Ok(text),
        })
        .add("abbrevboth", |budget: &Budget, offset: isize, width: isize, text: Str| {
            match (usize::try_from(offset).unwrap_or(0), usize::try_from(width)) {
                (0, Ok(width @ 4..)) => self::text(budget, abbreviate(&text, 0, width)),
                (offset @ 1.., Ok(width @ 7..)) => self::text(budget, abbreviate(&text, offset, width)),
                _ => Ok(text),
            }
        })
        .add("trunc", |budget: &Budget, length: isize, text: Str| self::text(budget, truncate(&text, length).to_vec()))
        .add("substr", |budget: &Budget, start: isize, end: isize, text: Str| {
            self::text(budget, substring(&text, start, end)?.to_vec())
        })
        .add("trim", |budget: &Budget, text: Str| self::text(budget, trim(&text, char::is_whitespace).to_vec()))
        .add("trimSuffix", |budget: &Budget, suffix: Str, text: Str| {
            self::text(budget, text.strip_suffix(suffix.as_bytes()).unwrap_or(&text).to_vec())
        })
        .add("trimPrefix", |budget: &Budget, prefix: Str, text: Str| {
            self::text(budget, text.strip_prefix(prefix.as_bytes()).unwrap_or(&text).to_vec())
        });
    for name in ["trimAll", "trimall"] {
        functions.add(name, |budget: &Budget, set: Str, text: Str| {
            let mut set: Vec<char> = runes(&set).map(|rune| rune.character).collect();
            set.sort_unstable();
            self::text(budget, trim(&text, |character| set.binary_search(&character).is_ok()).to_vec())
        });
    }
}

/// At most `width` bytes of the text, from about `offset` on, with `...` where something is left out.
fn abbreviate(text: &[u8], offset: usize, width: usize) -> Vec<u8> {
    const DOTS: &[u8] = b"...";
    if text.len() <= width {
        return text.to_vec();
    }
    let shown = width.saturating_sub(DOTS.len());
    // No further than what fills the width to the end.
    let offset = offset.min(text.len() - shown);
    if offset <= 4 {
        return [text.get(..shown).unwrap_or_default(), DOTS].concat();
    }
    if offset + shown < text.len() {
        return [DOTS, &abbreviate(text.get(offset..).unwrap_or_default(), 0, shown)].concat();
    }
    [DOTS, text.get(text.len() - shown..).unwrap_or_default()].concat()
}

/// The first bytes; the last ones when the length is negative.
fn truncate(text: &[u8], length: isize) -> &[u8] {
    let kept = length.unsigned_abs();
    match text.len().checked_sub(kept) {
        Some(rest) if length < 0 => text.get(rest..).unwrap_or(text),
        _ if length < 0 => text,
        _ => text.get(..kept).unwrap_or(text),
    }
}

/// The bytes `start..end`: from the beginning when `start` is negative, to the end when `end` is negative or beyond it.
fn substring(text: &[u8], start: isize, end: isize) -> Result<&[u8], FunctionError> {
    let out_of_range =
        |bounds: String| FunctionError::new(format!("runtime error: slice bounds out of range [{bounds}"));
    let length = text.len();
    let Ok(from) = usize::try_from(start) else {
        let part = usize::try_from(end).ok().and_then(|end| text.get(..end));
        let with_length = if end < 0 { String::new() } else { format!(" with length {length}") };
        return part.ok_or_else(|| out_of_range(format!(":{end}]{with_length}")));
    };
    let to = usize::try_from(end).unwrap_or(length).min(length);
    text.get(from..to).ok_or_else(|| out_of_range(format!("{start}:{to}]")))
}

/// Without the runes at both ends for which `is_trimmed` holds.
fn trim(mut text: &[u8], is_trimmed: impl Fn(char) -> bool) -> &[u8] {
    while let Some((_, width)) = decode(text).filter(|&(character, _)| is_trimmed(character)) {
        text = text.get(width..).unwrap_or_default();
    }
    while let Some((_, width)) = last_rune(text).filter(|&(character, _)| is_trimmed(character)) {
        text = text.get(..text.len() - width).unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;

    use super::*;

    #[test]
    fn an_abbreviation_has_dots_where_something_is_missing() {
        let check = |offset, width, expected: &str| {
            assert_eq!(abbreviate(b"1234567890123456789", offset, width).as_bstr(), expected);
        };
        check(0, 5, "12...");
        check(4, 10, "1234567...");
        check(5, 10, "...6789...");
        check(15, 10, "...3456789");
        check(0, 19, "1234567890123456789");
    }

    #[test]
    fn a_negative_length_keeps_the_end() {
        for (length, expected) in [(2, "he"), (0, ""), (9, "hello"), (-2, "lo"), (-5, "hello"), (isize::MIN, "hello")] {
            assert_eq!(truncate(b"hello", length).as_bstr(), expected);
        }
    }

    #[test]
    fn bounds_out_of_range_are_errors() {
        let check = |start, end, expected: &str| match substring(b"abcdef", start, end) {
            Ok(part) => assert_eq!(part.as_bstr(), expected),
            Err(error) => assert_eq!(error.message(), format!("runtime error: slice bounds out of range {expected}")),
        };
        check(1, 3, "bc");
        check(-1, 2, "ab");
        check(2, -1, "cdef");
        check(2, 99, "cdef");
        check(-1, 99, "[:99] with length 6");
        check(-1, -7, "[:-7]");
        check(4, 2, "[4:2]");
        check(9, -1, "[9:6]");
    }

    #[test]
    fn runes_are_trimmed_at_both_ends() {
        assert_eq!(trim("\u{a0}\t a b \n\u{3000}".as_bytes(), char::is_whitespace), b"a b");
        assert_eq!(trim(b"\xa0a\x85", char::is_whitespace), b"\xa0a\x85");
        assert_eq!(trim(b"aaa", |character| character == 'a'), b"");
    }
}
