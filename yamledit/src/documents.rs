//! Taking a stream apart into documents without losing a byte.

use std::iter::FusedIterator;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use crate::text::{after_break, line_end, skip_bom};

/// One document of a stream, with what stands before it: comments, directives, its `---`; and its `...` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The text. All documents of a stream together are the stream.
    pub text: &'a str,
    /// Offset of the text in the stream, in bytes.
    pub offset: usize,
    /// Line in the stream on which the text begins, from 1.
    pub line: usize,
    /// Whether it is behind a JSON object without a marker between them. Only JSON may take its place then.
    pub follows_json: bool,
}

/// Takes a stream apart at the lines that end a document or begin one, in one quick pass that parses no YAML.
///
/// That needs no parser: `---` or `...` at the start of a line, alone or with a blank behind it, always is a marker. YAML
/// allows such a line neither in a block scalar nor in a quoted one, and any text there is indented.
///
/// JSON objects that follow each other without a marker are documents too. They are parsed for that: what begins with a
/// brace and is no JSON, or is followed by something else, goes on to the next marker.
///
/// A stream without a byte has no document. What stands behind the last `...`, if it is only comments, belongs to the
/// last document. A text that is not YAML is taken apart all the same.
pub fn documents(stream: &str) -> Documents<'_> {
    let (start, end) = (Finder::new("---"), Finder::new("..."));
    Documents { stream, offset: 0, line: 1, start, end, next_start: 0, follows_json: false }
}

/// The documents of a stream, in order; see [`documents`].
#[derive(Clone, Debug)]
pub struct Documents<'a> {
    stream: &'a str,
    offset: usize,
    line: usize,
    start: Finder<'static>,
    end: Finder<'static>,
    /// Offset in the stream of a `---` that was found already; the end of the stream if there is none.
    next_start: usize,
    /// Whether what is left follows a JSON object.
    follows_json: bool,
}

impl<'a> Document<'a> {
    /// Whether there is nothing in it but markers, directives, comments and blank lines. Its value is null then.
    pub fn is_empty(&self) -> bool {
        content(self.text).is_none()
    }

    /// Line in the stream, from 1, of the first thing in it that is not a marker, directive, comment or blank line; its
    /// first line if there is none.
    pub fn first_line(&self) -> usize {
        self.line + content(self.text).map_or(0, |at| breaks(&self.text[..at]))
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        let rest = &self.stream[self.offset..];
        if rest.is_empty() {
            return None;
        }
        let (length, ends_json) = self.length(rest);
        let text = &rest[..length];
        let follows_json = std::mem::replace(&mut self.follows_json, ends_json);
        let document = Document { text, offset: self.offset, line: self.line, follows_json };
        self.offset += text.len();
        self.line += breaks(text);
        Some(document)
    }
}

impl FusedIterator for Documents<'_> {}

impl Documents<'_> {
    /// Bytes of the document at the start of `rest`, and whether it is a JSON object that is followed by another.
    fn length(&mut self, rest: &str) -> (usize, bool) {
        let Some(body) = body_start(rest) else { return (rest.len(), false) };
        json_end(rest, body).map_or_else(|| (self.length_to_marker(rest, body), false), |end| (end, true))
    }

    fn length_to_marker(&mut self, rest: &str, body: usize) -> usize {
        // Each part of the stream is searched once for either marker, however many there are of the other.
        if self.next_start <= self.offset + body {
            self.next_start = marker(rest, &self.start, body).map_or(self.stream.len(), |found| self.offset + found);
        }
        let start = self.next_start - self.offset;
        let Some(end) = marker(&rest[..start], &self.end, body) else { return start };
        let end = after_break(rest, line_end(rest, end));
        // Comments alone make no document.
        if body_start(&rest[end..]).is_some() { end } else { rest.len() }
    }
}

/// Where the JSON object ends that begins at `from` or on a line below, with the rest of its line, if another one follows.
fn json_end(text: &str, from: usize) -> Option<usize> {
    let start = skip_space(text, from);
    if !text[start..].starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    let end = start + values.byte_offset();
    let next = skip_space(text, end);
    let line = line_end(text, end);
    text[next..].starts_with('{').then(|| if next >= line { after_break(text, line) } else { end })
}

fn skip_space(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// Where the search for the end of a document begins: behind its own `---`, or at its first line with content.
fn body_start(text: &str) -> Option<usize> {
    let mut at = skip_bom(text, 0);
    while at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        if is_marker(line, "---") {
            return Some(end);
        }
        // A `...` without a document before it ends none.
        if !says_nothing(line) && !is_marker(line, "...") {
            return Some(at);
        }
        at = skip_bom(text, after_break(text, end));
    }
    None
}

/// Offset of the first line from `from` on that begins with this marker.
fn marker(text: &str, finder: &Finder<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = finder.find(&text.as_bytes()[at..]) {
        let start = at + found;
        let starts_line = start == 0 || matches!(text.as_bytes()[start - 1], b'\n' | b'\r');
        if starts_line && is_blank_or_end(&text[start + 3..]) {
            return Some(start);
        }
        // Another one can only be on another line.
        at = after_break(text, line_end(text, start));
    }
    None
}

/// Offset of the first thing that is not a marker, directive, comment or blank.
fn content(text: &str) -> Option<usize> {
    let mut at = skip_bom(text, 0);
    while at < text.len() {
        let end = line_end(text, at);
        let line = &text[at..end];
        let rest = if is_marker(line, "---") || is_marker(line, "...") { &line[3..] } else { line };
        if !says_nothing(rest) {
            return Some(end - rest.trim_start().len());
        }
        at = skip_bom(text, after_break(text, end));
    }
    None
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(is_blank_or_end)
}

fn is_blank_or_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])
}

/// Whether a line before a document is blank, a comment or a directive. Nothing in a document can start with `%`.
fn says_nothing(line: &str) -> bool {
    let rest = line.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with('#') || line.starts_with('%')
}

/// Line breaks in a text. A carriage return alone is one only to YAML, not to editors, and is not counted.
fn breaks(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

#[cfg(test)]
mod tests;
