//! Writing a document that has changed.

use std::cell::RefCell;

use serde_json::Value;
use yamledit::{Document, Limits};

use crate::mode::Mode;
use crate::yaml;

/// How documents are written that change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Only what changed is written, in the style of what is around it; the rest of the text stays.
    Kept,
    /// Anew, as Istio writes: in blocks, without comments but those in front.
    Canonical,
}

impl Form {
    /// The form in which results of this mode are known.
    pub fn of(mode: Mode) -> Self {
        if mode.is_istio() { Self::Canonical } else { Self::Kept }
    }
}

/// A text, and what is read in it.
pub(super) struct Written {
    pub(super) text: String,
    pub(super) value: Value,
}

/// The text of a document when it says `after` instead of `before`.
///
/// # Errors
/// A sentence, when there is no such text.
pub(super) fn write(document: &str, before: &Value, after: &Value, form: Form) -> Result<Written, String> {
    match form {
        Form::Kept => {
            // What is read has been held to limits; what is added is not much.
            let nodes = 2 * yaml::most_nodes(document);
            let limits = Limits { nodes, depth: yaml::MAX_DEPTH, ..Limits::default() };
            // What was read last is what the text came to.
            let last = RefCell::new(Value::Null);
            let read = |text: &str| yaml::read_manifest(text).inspect(|value| *last.borrow_mut() = value.clone());
            let text = yamledit::edit(document, before, after, &limits, read).map_err(|error| error.to_string())?;
            Ok(Written { text, value: last.into_inner() })
        }
        Form::Canonical => {
            let written = yaml::write(after).map_err(|error| error.to_string())?;
            let text = format!("{}{written}{}", head(document), end(document));
            Ok(Written { text, value: after.clone() })
        }
    }
}

/// Whether two equal values have their keys in the same order too.
pub(super) fn have_same_order(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs
                    .into_iter()
                    .all(|((key, one), (other_key, other))| key == other_key && have_same_order(one, other))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.iter().zip(other).all(|(one, other)| have_same_order(one, other))
        }
        _ => true,
    }
}

/// Whether a document, with or without a separator in front, is in JSON or begins as that does.
fn starts_as_json(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.strip_prefix("---").unwrap_or(text).trim_start().starts_with('{')
}

/// What the documents of a stream need between them when they are put behind each other again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Separators {
    /// Whether what was there last is YAML in another form than JSON.
    was_blocks: bool,
}

impl Separators {
    /// The separator in front of what became of a document: JSON objects need none between them, unless one of them is no
    /// JSON any more.
    pub fn before(&mut self, document: &Document<'_>, text: &str) -> &'static str {
        let is_blocks = !starts_as_json(text);
        let is_needed = document.follows_json && (is_blocks || self.was_blocks);
        self.was_blocks = is_blocks;
        if is_needed { "---\n" } else { "" }
    }
}

/// What goes in front of a document that is written anew: its own separator, comments and blank lines; or a separator,
/// where it began on the separator's line.
fn head(text: &str) -> &str {
    let length = text.split_inclusive('\n').take_while(|line| says_nothing(line)).map(str::len).sum();
    match &text[..length] {
        "" if is_marker(text, "---") => "---\n",
        lines => lines,
    }
}

/// The mark of the end, behind which the next document may stand without one of its own.
fn end(text: &str) -> &'static str {
    let mut lines = text.lines().skip_while(|line| says_nothing(line));
    if lines.any(|line| is_marker(line, "...")) { "...\n" } else { "" }
}

fn is_marker(text: &str, marker: &str) -> bool {
    text.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn says_nothing(line: &str) -> bool {
    let rest = if is_marker(line, "---") { &line[3..] } else { line };
    let rest = rest.trim_start_matches('\u{feff}').trim();
    // A line that starts with `%` is a directive, as in `%YAML 1.2`; nothing in a Kubernetes object can start so.
    rest.is_empty() || rest.starts_with('#') || line.starts_with('%') || rest == "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_on_its_separators_line_still_gets_a_separator() {
        let heads = ["a: 1\n", "--- {b: 1}\n", "--- !!map\nc: 1\n", "--- # d\nd: 1\n", "# e\n\n%YAML 1.2\n---\ne: 1\n"];
        let expected = ["", "---\n", "---\n", "--- # d\n", "# e\n\n%YAML 1.2\n---\n"];
        assert_eq!(heads.map(head), expected);
    }

    #[test]
    fn the_mark_of_the_end_stays() {
        assert_eq!(["a: 1\n...\n", "...\na: 1\n", "a: 1\n...b\n"].map(end), ["...\n", "", ""]);
    }
}
