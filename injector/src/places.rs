//! Where things stand in a YAML text, for whoever has to mend them.

mod quoted;

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::json_name::lower_camel;
use crate::yaml;

/// A place in a text: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The line.
    pub(crate) line: usize,
    /// The column.
    pub(crate) column: usize,
}

/// Where a text is in another one, which may itself be in a third: the innermost first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shift {
    steps: Vec<Step>,
}

/// Where a text is in another one.
#[derive(Clone, Debug)]
enum Step {
    /// So many lines down, and so many columns to the right in every line.
    Lines { lines: usize, columns: usize },
    /// Each character of each line at a place of its own.
    Characters(Arc<Vec<Vec<Position>>>),
}

/// The mappings, lists and scalars of a YAML text, with their places.
#[derive(Debug)]
pub(crate) struct Outline {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Mapping(Vec<(Spanned<String>, Spanned<Node>)>),
    List(Vec<Spanned<Node>>),
    Scalar(String),
    Other,
}

impl Shift {
    fn lines(lines: usize, columns: usize) -> Self {
        Self { steps: vec![Step::Lines { lines, columns }] }
    }

    /// The place in the outer text of what is at `position` in the inner one.
    pub(crate) fn of(&self, position: Position) -> Position {
        self.steps.iter().fold(position, |position, step| step.of(position))
    }

    /// Of a text that begins on line `line` of another.
    pub(crate) fn to_line(line: usize) -> Self {
        Self::lines(line.saturating_sub(1), 0)
    }

    /// Of a text that is so far into one that is itself in another.
    #[must_use]
    pub(crate) fn within(mut self, outer: &Self) -> Self {
        self.steps.extend(outer.steps.iter().cloned());
        self
    }
}

impl Step {
    fn of(&self, position: Position) -> Position {
        let Position { line, column } = position;
        match self {
            Self::Lines { lines, columns } => Position { line: line + lines, column: column + columns },
            Self::Characters(places) => {
                let line = places.get(line - 1).or(places.last());
                let place = line.and_then(|line| line.get(column - 1).or(line.last()));
                place.copied().unwrap_or(position)
            }
        }
    }
}

impl Outline {
    /// Reads a text with one document; `None` when it is no YAML, and then there is nothing to point at.
    pub(crate) fn read(text: &str) -> Option<Self> {
        yaml::read_config(text).ok().map(|root| Self { root })
    }

    /// The keys of the topmost mapping, with their places.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, Position)> {
        let entries: &[_] = if let Node::Mapping(entries) = &self.root { entries } else { &[] };
        entries.iter().map(|(key, _)| (key.value.as_str(), position(key)))
    }

    /// The place of what a path names, as `defaultConfig.statusPort` or `spec.containers[0]`: of the key, or of the list's
    /// element. Where the path goes further than the text, it is the place of the last that is there; and `None` when
    /// nothing is. Names of fields may be written in both of the ways that protobuf allows.
    pub(crate) fn locate(&self, path: &str) -> Option<Position> {
        self.walk(path).map(|found| found.position)
    }

    /// Where the text of the scalar that the path names is in `text`, which is what was read; `None` where that cannot be
    /// told, as with folded lines.
    pub(crate) fn shift(&self, path: &str, text: &str) -> Option<Shift> {
        match self.walk(path)? {
            Found { node: Node::Scalar(value), value: place, rest: 0, .. } => shift(text, place, value),
            _ => None,
        }
    }

    fn walk<'a>(&'a self, path: &str) -> Option<Found<'a>> {
        let (mut rest, mut node, mut last) = (path, &self.root, None);
        while !rest.is_empty() {
            let Some((found, length)) = step(node, rest) else { break };
            node = found.node;
            rest = rest[length..].trim_start_matches('.');
            last = Some(Found { rest: rest.len(), ..found });
        }
        last
    }
}

struct Found<'a> {
    /// Of the key, or of the element.
    position: Position,
    /// Of the value.
    value: Position,
    node: &'a Node,
    /// How much of the path leads further than the text.
    rest: usize,
}

/// One key or index of a path, and its length. A key may have dots in it, so the longest that is there is meant.
fn step<'a>(node: &'a Node, path: &str) -> Option<(Found<'a>, usize)> {
    match node {
        Node::Mapping(entries) => {
            let bracketed = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let length_of = |key: &str| match bracketed {
                Some((name, _)) => (name == key).then_some(name.len() + 2),
                None => {
                    let name = if path.starts_with(key) { key.to_owned() } else { lower_camel(key) };
                    let rest = path.strip_prefix(&name)?;
                    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(name.len())
                }
            };
            let fitting = entries.iter().filter_map(|(key, value)| Some((length_of(&key.value)?, key, value)));
            let (length, key, value) = fitting.max_by_key(|(length, ..)| *length)?;
            let (position, place) = (position(key), position(value));
            Some((Found { position, value: place, node: &value.value, rest: 0 }, length))
        }
        Node::List(items) => {
            let (index, _) = path.strip_prefix('[')?.split_once(']')?;
            let item = items.get(index.parse::<usize>().ok()?)?;
            let place = position(item);
            Some((Found { position: place, value: place, node: &item.value, rest: 0 }, index.len() + 2))
        }
        Node::Scalar(_) | Node::Other => None,
    }
}

fn position<T>(spanned: &Spanned<T>) -> Position {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    Position { line: number(spanned.referenced.line()), column: number(spanned.referenced.column()) }
}

/// How far `value`, a scalar at `place`, is into `text`.
fn shift(text: &str, place: Position, value: &str) -> Option<Shift> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.get(place.line - 1)?;
    if !value.contains('\n') {
        let before = first.char_indices().nth(place.column - 1).map_or(first.len(), |(index, _)| index);
        let rest = &first[before..];
        let quote = usize::from(rest.starts_with(['"', '\'']));
        if !value.is_empty() && rest[quote..].starts_with(value) {
            return Some(Shift::lines(place.line - 1, place.column - 1 + quote));
        }
    }
    // A block scalar begins on the line after its indicator. Its place is that of its first text, and may be further down.
    let empty = value.lines().take_while(|line| line.trim().is_empty()).count();
    let first = place.line.saturating_sub(1 + empty);
    let block = (first..=place.line).rev().find_map(|above| block(lines.get(above..)?, value, above));
    let quoted = || Some(Shift { steps: vec![Step::Characters(Arc::new(quoted::characters(text, place, value)?))] });
    block.or_else(quoted)
}

fn block(lines: &[&str], value: &str, above: usize) -> Option<Shift> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let (outer, inner) = lines.iter().zip(value.lines()).find(|(_, inner)| !inner.trim().is_empty())?;
    let columns = indent(outer).checked_sub(indent(inner))?;
    let is_same = |(outer, inner): (&&str, &str)| inner.is_empty() || outer.get(columns..) == Some(inner);
    let is_there = value.lines().count() <= lines.len() && lines.iter().zip(value.lines()).all(is_same);
    is_there.then(|| Shift::lines(above, columns))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Mapping(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "policy: enabled\ntemplates:\n  one: |\n    a\n      b\n\n    c\n  two: 'x {{ y }}'\n  \
        three: \"a\\nb\"\n  folded: >\n    a\n    b\nlist:\n- {a.b: 1, trust_domain: x}\n- two\n";

    fn at(path: &str) -> Option<(usize, usize)> {
        Outline::read(TEXT).unwrap().locate(path).map(|Position { line, column }| (line, column))
    }

    #[test]
    fn paths_lead_to_keys_and_elements() {
        assert_eq!(at("policy"), Some((1, 1)));
        assert_eq!(at("templates.two"), Some((8, 3)));
        assert_eq!(at("list[0].a.b"), Some((14, 4)));
        assert_eq!(at("list[0].trustDomain"), Some((14, 12)));
        assert_eq!(at("list[1]"), Some((15, 3)));
        assert_eq!(at("templates.four.x"), Some((2, 1)), "as far as it goes");
        assert_eq!(at("other"), None);
    }

    #[test]
    fn what_stands_in_a_scalar_is_found_in_the_text() {
        let outline = Outline::read(TEXT).unwrap();
        let place = |name: &str, line, column| {
            let shift = outline.shift(&format!("templates[{name}]"), TEXT);
            shift.map(|shift| shift.of(Position { line, column })).map(|Position { line, column }| (line, column))
        };
        assert_eq!(place("one", 1, 1), Some((4, 5)));
        assert_eq!(place("one", 2, 3), Some((5, 7)));
        assert_eq!(place("one", 4, 1), Some((7, 5)));
        assert_eq!(place("two", 1, 3), Some((8, 11)));
        assert_eq!(place("three", 2, 1), Some((9, 14)));
        assert_eq!(place("folded", 1, 1), None, "its lines are not those of the text");
        let text = "a:\n  b: |\n\n\n    x\n    y\n  c: |2-\n\n      z\n";
        let outline = Outline::read(text).unwrap();
        let place = |path, line| outline.shift(path, text).map(|shift| shift.of(Position { line, column: 1 }).line);
        assert_eq!((place("a.b", 1), place("a.b", 3), place("a.b", 4)), (Some(3), Some(5), Some(6)));
        assert_eq!((place("a.c", 1), place("a.c", 2)), (Some(8), Some(9)));
    }
}
