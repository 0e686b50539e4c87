//! The original text of what was injected, where that cannot be told from the new text and what it says.
//!
//! An injection is undone from its record in the status annotation, which knows values, and not how they were written: a
//! port in quotes that is replaced by a number comes back without them, and the comment behind it not at all. What is
//! missing is put into a comment at the end of the object, where neither Kubernetes nor an API server sees it:
//!
//! ```text
//! # uninject: {"of":"0b9c5e1f2a3d4c5b","lines":[[11,1,"      port: \"http\"   # in the image\n"]]}
//! ```
//!
//! When the text that an uninjection comes to has this fingerprint, `[11,1,text]` puts `text` where its 12th line is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use similar::{DiffTag, TextDiff};

/// What the comment begins with.
const START: &str = "# uninject: ";
/// More than this is not worth a comment.
const MAX_BYTES: usize = 16 * 1024;

/// What makes the original text of the text that an uninjection comes to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Original {
    /// Fingerprint of the text that it is for.
    of: String,
    /// Lines, from 0: the first, how many there are, and what stands in their place.
    lines: Vec<(usize, usize, String)>,
}

impl Original {
    /// What makes `original` of `text`; none where that is more than a comment can hold.
    pub(super) fn of(text: &str, original: &str) -> Option<Self> {
        let difference = TextDiff::from_lines(text, original);
        let lines: Vec<&str> = original.split_inclusive('\n').collect();
        let changes = difference.ops().iter().filter(|change| change.tag() != DiffTag::Equal).map(|change| {
            let (old, new) = (change.old_range(), change.new_range());
            Some((old.start, old.len(), lines.get(new)?.concat()))
        });
        let lines: Vec<_> = changes.collect::<Option<_>>()?;
        let found = Self { of: fingerprint(text), lines };
        (found.applied_to(text).as_deref() == Some(original)).then_some(found)
    }

    /// The original; none when this is another text than the one it is for.
    pub(super) fn applied_to(&self, text: &str) -> Option<String> {
        if self.of != fingerprint(text) {
            return None;
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let (mut original, mut at) = (String::with_capacity(text.len()), 0);
        for (start, length, new) in &self.lines {
            original.extend(lines.get(at..*start)?.iter().copied());
            original.push_str(new);
            at = start.checked_add(*length)?;
        }
        original.extend(lines.get(at..)?.iter().copied());
        Some(original)
    }

    /// The text, whose last line has an end, with a comment behind it that says this; none where there can be no comment.
    pub(super) fn put_behind(&self, text: &str) -> Option<String> {
        let record = serde_json::to_string(self).ok()?;
        let is_printable = record
            .chars()
            .all(|character| !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}'));
        if record.len() > MAX_BYTES || !is_printable || is_json(text) || has_end_mark(text) {
            return None;
        }
        Some(format!("{text}{START}{record}{}", line_end(text)))
    }

    /// The text without such a comment, and what it says.
    pub(super) fn taken_from(text: &str) -> (String, Option<Self>) {
        let taken = memchr::memmem::rfind(text.as_bytes(), START.as_bytes()).and_then(|at| {
            let starts_line = text[..at].ends_with('\n');
            let line = text[at..].split_inclusive('\n').next().filter(|_| starts_line)?;
            let found = serde_json::from_str(line[START.len()..].trim_end()).ok()?;
            Some((format!("{}{}", &text[..at], &text[at + line.len()..]), Some(found)))
        });
        taken.unwrap_or_else(|| (text.to_owned(), None))
    }
}

/// The text with an end of its last line.
pub(super) fn with_line_end(text: &str) -> Cow<'_, str> {
    if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}{}", line_end(text))) }
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// What stands behind the mark would be part of the next document.
fn has_end_mark(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("..."))
}

/// JSON has no comments.
fn is_json(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n', '-']).starts_with(['{', '['])
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_comes_back_from_the_comment() {
        let (text, original) = ("a: 1\nb: http\nc: 2\n", "a: 1\n\nb: \"http\"   # it\nc: 2");
        let found = Original::of(text, original).unwrap();
        let commented = found.put_behind(&with_line_end("a: 1\nb: 80\nc: 2")).unwrap();
        let (bare, taken) = Original::taken_from(&commented);
        assert_eq!(bare, "a: 1\nb: 80\nc: 2\n");
        assert_eq!(taken.unwrap().applied_to(text).as_deref(), Some(original));
        assert_eq!(found.applied_to("a: 1\n"), None);
    }

    #[test]
    fn what_cannot_be_read_is_a_comment_like_others() {
        for text in ["a: 1\n# uninject: {\n", "a: \"# uninject: {}\"\n", "# uninject: {}\n", "a: 1 # uninject: {}\n"] {
            assert_eq!(Original::taken_from(text), (text.to_owned(), None));
        }
        let wild = Original { of: fingerprint("a\n"), lines: vec![(usize::MAX, usize::MAX, String::new())] };
        assert_eq!(wild.applied_to("a\n"), None);
        let backwards =
            Original { of: fingerprint("a\nb\n"), lines: vec![(1, 1, String::new()), (0, 1, String::new())] };
        assert_eq!(backwards.applied_to("a\nb\n"), None);
    }

    #[test]
    fn json_has_no_comments() {
        let found = Original::of("{\n}\n", "{ }\n").unwrap();
        assert_eq!(found.put_behind("{\n}\n"), None);
    }
}
