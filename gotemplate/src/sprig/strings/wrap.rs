//! `wrap` and `wrapWith`: lines of limited length.

use bstr::ByteSlice;

use crate::function::FunctionError;
use crate::limits::Budget;

/// Whether a word longer than a line is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LongWords {
    Cut,
    Keep,
}

/// Breaks a text at spaces so that no line is longer than `width` bytes, with `newline` between the lines.
pub(super) fn wrap(
    budget: &Budget,
    text: &[u8],
    width: isize,
    newline: &[u8],
    long_words: LongWords,
) -> Result<Vec<u8>, FunctionError> {
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let mut out = Vec::new();
    let mut rest = text;
    while rest.len() > width {
        if let Some(after) = rest.strip_prefix(b" ") {
            rest = after;
            continue;
        }
        let (line, after) = first_line(rest, width, long_words);
        let Some(after) = after else {
            break;
        };
        budget.allocate(line.len() + newline.len())?;
        out.extend_from_slice(line);
        out.extend_from_slice(newline);
        rest = after;
    }
    budget.allocate(rest.len())?;
    out.extend_from_slice(rest);
    Ok(out)
}

/// The first line of a text that is longer than `width`, and what follows; nothing, when it cannot be broken.
fn first_line(text: &[u8], width: usize, long_words: LongWords) -> (&[u8], Option<&[u8]>) {
    let (within, beyond) = text.split_at(width);
    let space = match text.get(..=width).and_then(|line| line.rfind_byte(b' ')) {
        Some(space) => Some(space),
        None if long_words == LongWords::Cut => return (within, Some(beyond)),
        None => beyond.find_byte(b' ').map(|space| width + space),
    };
    match space.and_then(|space| Some((text.get(..space)?, text.get(space + 1..)?))) {
        Some((line, after)) => (line, Some(after)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_spaces() {
        let check = |text: &str, width, long_words, expected: &str| {
            let wrapped = wrap(&Budget::default(), text.as_bytes(), width, b"|", long_words).unwrap();
            assert_eq!(String::from_utf8(wrapped).unwrap(), expected);
        };
        check("one two  three", 5, LongWords::Keep, "one|two |three");
        check("a lengthyword b", 4, LongWords::Keep, "a|lengthyword|b");
        check("a lengthyword b", 4, LongWords::Cut, "a|leng|thyw|ord|b");
        check("ab", -3, LongWords::Cut, "a|b");
        check("   ab", 2, LongWords::Keep, "ab");
        check("abc", 2, LongWords::Keep, "abc");
    }
}
