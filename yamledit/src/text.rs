//! Places in a text: lines, columns, comments, and what lies between two nodes.

use memchr::{memchr2, memrchr2};

/// So far a line break is looked for: a line may be as long as the document.
const NEAR: usize = 1 << 16;

const BOM: &str = "\u{feff}";

/// Offset of the start of the line that `at` is on. A byte order mark is not part of the line.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    let start = memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |found| found + 1);
    if start == 0 { skip_bom(text, 0).min(at) } else { start }
}

/// Offset of the end of the line that `at` is on, before its line break.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    memchr2(b'\n', b'\r', &text.as_bytes()[at..]).map_or(text.len(), |found| at + found)
}

/// Offset after the line break at `at`; `at` itself where there is none.
pub(crate) fn after_break(text: &str, at: usize) -> usize {
    match &text.as_bytes()[at..] {
        [b'\r', b'\n', ..] => at + 2,
        [b'\r' | b'\n', ..] => at + 1,
        _ => at,
    }
}

/// Offset before the line break that ends just before `at`; `None` where none does.
pub(crate) fn before_break(text: &str, at: usize) -> Option<usize> {
    match &text.as_bytes()[..at] {
        [.., b'\r', b'\n'] => Some(at - 2),
        [.., b'\r' | b'\n'] => Some(at - 1),
        _ => None,
    }
}

/// The line break of the line that `at` is on, or where that has none, of the line before it; `None` where neither is
/// near.
pub(crate) fn line_break(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    if let Some(found) = memchr2(b'\n', b'\r', &bytes[at..text.len().min(at + NEAR)]) {
        return Some(&text[at + found..after_break(text, at + found)]);
    }
    let from = at.saturating_sub(NEAR);
    let end = from + memrchr2(b'\n', b'\r', &bytes[from..at])? + 1;
    Some(&text[before_break(text, end)?..end])
}

/// Offset after the byte order mark at `at`, if there is one.
pub(crate) fn skip_bom(text: &str, at: usize) -> usize {
    if text[at..].starts_with(BOM) { at + BOM.len() } else { at }
}

/// Characters between the start of the line and `at`.
pub(crate) fn column(text: &str, at: usize) -> usize {
    text[line_start(text, at)..at].chars().count()
}

/// The blanks that the line of `at` begins with.
pub(crate) fn indentation(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..line_end(text, at)];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Whether nothing but blanks stands before `at` on its line.
pub(crate) fn starts_line(text: &str, at: usize) -> bool {
    text[line_start(text, at)..at].bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Offset of the first blank that is not, from `at` on, on the same line.
pub(crate) fn skip_blanks(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Offset of the first thing from `at` on that is not a blank, a line break or a comment.
pub(crate) fn skip_gap(text: &str, mut at: usize) -> usize {
    loop {
        let next = skip_blanks(text, at);
        let may_be_comment = next > at || next == 0 || matches!(text.as_bytes()[next - 1], b'\n' | b'\r' | b',');
        at = match text.as_bytes().get(next) {
            Some(b'#') if may_be_comment => line_end(text, next),
            Some(b'\n' | b'\r') => after_break(text, next),
            _ => return next,
        };
    }
}

/// What a line is that holds no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Nothing but blanks.
    Blank,
    /// A comment that begins in this column.
    Comment(usize),
    /// Anything else.
    Other,
}

/// What the line is that begins at `start`.
pub(crate) fn line_at(text: &str, start: usize) -> Line {
    let first = skip_blanks(text, start);
    match text.as_bytes().get(first) {
        None | Some(b'\n' | b'\r') => Line::Blank,
        Some(b'#') => Line::Comment(first - start),
        Some(_) => Line::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        let text = "a\nbc\r\nd\re";
        let lines: Vec<_> = [0, 2, 6, 8]
            .map(|at| (line_start(text, at), line_end(text, at), after_break(text, line_end(text, at))))
            .into();
        assert_eq!(lines, [(0, 1, 2), (2, 4, 6), (6, 7, 8), (8, 9, 9)]);
        assert_eq!([0, 2, 6, 8].map(|at| before_break(text, at)), [None, Some(1), Some(4), Some(7)]);
    }

    #[test]
    fn columns_count_characters_and_no_byte_order_mark() {
        let text = "\u{feff}éa: 1\n  b";
        assert_eq!(column(text, 5), 1);
        assert_eq!(column(text, text.len() - 1), 2);
        assert!(starts_line(text, 3) && !starts_line(text, 5));
    }

    #[test]
    fn a_gap_ends_where_something_stands() {
        let text = " # one\n\r\n\t# two\n  x";
        assert_eq!(skip_gap(text, 0), text.len() - 1);
        assert_eq!(skip_gap("a#b", 1), 1, "not a comment");
        assert_eq!(line_at(text, 0), Line::Comment(1));
    }
}
