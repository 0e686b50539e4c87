//! Reads the YAML that nearly all manifests are written in, ten times as fast as the parser does: mappings and lists in
//! blocks or brackets, scalars of one line, literal block scalars.
//!
//! What is written in any other form, right or wrong, is not for this reader: the parser reads it, and tells mistakes. So
//! this one gives up early, and has only one promise to keep: what it reads, the parser reads as the same.

mod inline;
mod literal;
mod scalar;

use memchr::memchr;
use serde_json::{Map, Value};

/// Deeper documents are rare, and the parser knows how deep is too deep.
const MAX_DEPTH: usize = 32;
/// YAML looks no further for the colon of a key.
const MAX_KEY_BYTES: usize = 1000;

/// What the only document in `text` says; none when the parser is to read it.
pub(super) fn read(text: &str, most_nodes: usize) -> Option<Value> {
    if !has_only_usual_characters(text) {
        return None;
    }
    let mut reader = Reader { text, next: 0, line: None, nodes: most_nodes };
    reader.advance()?;
    if reader.line.is_some_and(|line| line.indentation == 0 && is_marker(line.content)) {
        reader.advance()?;
    }
    let line = reader.line?;
    let value = if line.content.starts_with(['{', '[']) {
        reader.flow_over_lines(line.content, None, 0)?
    } else {
        reader.node(0)?
    };
    reader.line.is_none().then_some(value)
}

/// Reads line by line. None of its functions' results means: this is for the parser.
struct Reader<'a> {
    text: &'a str,
    /// Offset behind the line at hand.
    next: usize,
    /// The line at hand; none behind the last.
    line: Option<Line<'a>>,
    /// How many more nodes there may be.
    nodes: usize,
}

/// A line that says something.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Spaces in front.
    indentation: usize,
    /// What is behind them, without the line's end.
    content: &'a str,
}

impl<'a> Reader<'a> {
    /// Goes to the next line that is not blank and not a comment alone.
    fn advance(&mut self) -> Option<()> {
        self.line = None;
        while let Some(line) = self.raw_line() {
            let content = line.trim_start_matches(' ');
            match content.as_bytes().first() {
                None | Some(b'#') => {}
                Some(b'\t') => return None,
                Some(_) => {
                    self.line = Some(Line { indentation: line.len() - content.len(), content });
                    break;
                }
            }
        }
        Some(())
    }

    /// The next line, without its end; none at the end of the text.
    fn raw_line(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.next..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.next += (end + 1).min(rest.len());
        let line = &rest[..end];
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// The mapping or list whose first line is at hand.
    fn node(&mut self, depth: usize) -> Option<Value> {
        let line = self.line?;
        if starts_item(line.content) {
            self.list(line.indentation, depth)
        } else {
            self.mapping(line.indentation, depth)
        }
    }

    fn mapping(&mut self, indentation: usize, depth: usize) -> Option<Value> {
        let mut mapping = Map::new();
        self.enter(depth)?;
        while let Some(line) = self.at(indentation)? {
            if starts_item(line.content) {
                break;
            }
            let (key, rest) = inline::key(line.content)?;
            let value = match content_of(rest)? {
                "" => {
                    self.advance()?;
                    let is_list_beside = |line: Line<'_>| line.indentation == indentation && starts_item(line.content);
                    match self.line {
                        Some(line) if line.indentation > indentation || is_list_beside(line) => self.node(depth + 1)?,
                        _ => Value::Null,
                    }
                }
                content => self.value(content, indentation, depth)?,
            };
            if mapping.insert(key.into_owned(), value).is_some() {
                return None;
            }
        }
        (!mapping.is_empty()).then_some(Value::Object(mapping))
    }

    fn list(&mut self, indentation: usize, depth: usize) -> Option<Value> {
        let mut list = Vec::new();
        self.enter(depth)?;
        while let Some(line) = self.at(indentation)? {
            if !starts_item(line.content) {
                break;
            }
            let item = match content_of(&line.content[1..])? {
                "" => {
                    self.advance()?;
                    match self.line {
                        Some(line) if line.indentation > indentation => self.node(depth + 1)?,
                        _ => Value::Null,
                    }
                }
                content if starts_item(content) || inline::key(content).is_some() => {
                    // It begins on this line, at the column where it is.
                    let inner = indentation + line.content.len() - content.len();
                    self.line = Some(Line { indentation: inner, content });
                    self.node(depth + 1)?
                }
                content => self.value(content, indentation, depth)?,
            };
            list.push(item);
        }
        Some(Value::Array(list))
    }

    /// The line at hand if it is of the block that is indented so far, and none if it is of an outer one.
    fn at(&self, indentation: usize) -> Option<Option<Line<'a>>> {
        match self.line {
            Some(line) if line.indentation > indentation => None,
            line => Some(line.filter(|line| line.indentation == indentation)),
        }
    }

    /// The value that begins and, but for a literal, ends on the line at hand. Goes behind it.
    fn value(&mut self, content: &str, indentation: usize, depth: usize) -> Option<Value> {
        self.count()?;
        if content.starts_with('|') {
            let text = self.literal(content, indentation)?;
            self.advance()?;
            return Some(Value::String(text));
        }
        if content.starts_with(['{', '[']) && inline::opened(content)? > 0 {
            return self.flow_over_lines(content, Some(indentation), depth);
        }
        let value = inline::value(content, depth + 1, &mut self.nodes)?;
        self.advance()?;
        Some(value)
    }

    /// The flow collection that begins with `content` and ends on a line further down. Goes behind it. Its lines have to be
    /// indented further than the block that it is in, if it is in one.
    fn flow_over_lines(&mut self, content: &str, indentation: Option<usize>, depth: usize) -> Option<Value> {
        let (mut text, mut open) = (content.to_owned(), inline::opened(content)?);
        while open > 0 {
            self.advance()?;
            // The last bracket may stand where the key does.
            let least = |line: &Line<'_>| line.indentation + usize::from(line.content.starts_with(['}', ']']));
            let line = self.line.filter(|line| indentation.is_none_or(|block| least(line) > block))?;
            if line.indentation == 0 && line.content.starts_with(['-', '.', '%']) {
                return None;
            }
            open += inline::opened(line.content)?;
            // A blank is what the end of a line is here.
            text.push(' ');
            text.push_str(line.content.trim_end_matches(' '));
        }
        // A bracket in a comment would have been counted.
        if text.contains('#') {
            return None;
        }
        let value = inline::value(&text, depth + 1, &mut self.nodes)?;
        self.advance()?;
        Some(value)
    }

    fn enter(&mut self, depth: usize) -> Option<()> {
        if depth < MAX_DEPTH { self.count() } else { None }
    }

    fn count(&mut self) -> Option<()> {
        self.nodes = self.nodes.checked_sub(1)?;
        Some(())
    }
}

/// What is behind the blanks of `rest`, which is behind a `:` or a `-`; nothing when it is a comment.
fn content_of(rest: &str) -> Option<&str> {
    let content = rest.trim_start_matches(' ');
    match content.as_bytes().first() {
        Some(b'#') if content.len() < rest.len() => Some(""),
        Some(b'#' | b'\t') => None,
        _ => Some(content),
    }
}

fn starts_item(content: &str) -> bool {
    matches!(content.as_bytes(), [b'-'] | [b'-', b' ', ..])
}

/// Whether the line begins a document and says nothing else.
fn is_marker(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let comment = rest.trim_start_matches(' ');
        comment.is_empty() || (comment.len() < rest.len() && comment.starts_with('#'))
    })
}

/// Whether there is no character that YAML does not allow, or takes for the end of a line.
fn has_only_usual_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_usual = |byte: &u8| (b' '..0x7f).contains(byte) || matches!(byte, b'\n' | b'\t');
    if bytes.iter().all(is_usual) {
        return true;
    }
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let allowed = match character {
            '\r' => characters.peek() == Some(&'\n'),
            '\n' | '\t' | ' '..='~' => true,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => false,
            other => other >= '\u{a0}',
        };
        if !allowed {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests;
