//! From the parser's events to a tree, with the places of the indicators that the events leave out.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, options};

use super::{Entry, Item, Kind, Layout, Node, NodeId, Tree};
use crate::error::Error;
use crate::limits::Limits;
use crate::text::{before_break, line_end, line_start, skip_gap, starts_line};

pub(super) fn tree<'a>(text: &'a str, limits: &Limits) -> Result<Tree<'a>, Error> {
    limits.check_text(text)?;
    let levels = limits.levels() + 1;
    let options = options! {
        emit_anchor_events: true,
        flow_nesting_limit: levels,
        block_nesting_limit: levels,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::new(text, limits);
    // The anchor of a node comes after it.
    let mut waiting: Option<Occurrence<'a>> = None;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        let range = span.byte_range().unwrap_or_default();
        if let (Event::Anchor(..), Some(node)) = (&event, &mut waiting) {
            node.anchor = Some(range);
            continue;
        }
        if let Some(node) = waiting.take() {
            builder.event(node)?;
        }
        waiting = Some(Occurrence { event, span, range, anchor: None });
    }
    if let Some(node) = waiting {
        builder.event(node)?;
    }
    Ok(builder.tree)
}

fn syntax(error: &ScanError) -> Error {
    Error::Syntax { line: error.marker().line(), message: error.info() }
}

/// An event and where it happens.
struct Occurrence<'a> {
    event: Event<'a>,
    span: Span,
    range: Range<usize>,
    /// The anchor of the node that begins, with its `&`.
    anchor: Option<Range<usize>>,
}

struct Builder<'a> {
    tree: Tree<'a>,
    limits: Limits,
    /// Collections that are open, the innermost last.
    open: Vec<Open>,
    /// Everything before this offset belongs to a node or indicator.
    cursor: usize,
    /// By the parser's number.
    anchors: HashMap<usize, NodeId>,
    /// Nodes in each node, itself included and aliases expanded.
    sizes: Vec<usize>,
}

struct Open {
    node: NodeId,
    /// The entry of a mapping whose value is yet to come.
    key: Option<(usize, NodeId)>,
}

/// Where a node hangs on the one that it is in.
enum Place {
    Root,
    Item { at: usize },
    Key { at: usize },
    Value { at: usize, key: NodeId, colon: Option<usize> },
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, limits: &Limits) -> Self {
        let tree = Tree { text, nodes: Vec::new(), root: None, marker_end: None, aliases: Vec::new() };
        Self { tree, limits: *limits, open: Vec::new(), cursor: 0, anchors: HashMap::new(), sizes: Vec::new() }
    }

    fn event(&mut self, occurrence: Occurrence<'a>) -> Result<(), Error> {
        match &occurrence.event {
            Event::DocumentStart(explicit, _) => {
                if self.tree.root.is_some() {
                    return Err(Error::SeveralDocuments { line: occurrence.span.start.line() });
                }
                self.cursor = occurrence.range.end;
                self.tree.marker_end = explicit.then_some(occurrence.range.end);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(&occurrence),
            Event::Scalar(..) | Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return self.node(occurrence);
            }
            _ => {}
        }
        Ok(())
    }

    fn node(&mut self, occurrence: Occurrence<'a>) -> Result<(), Error> {
        if self.tree.nodes.len() >= self.limits.nodes {
            return Err(self.limits.too_many_nodes());
        }
        let properties = properties(&occurrence);
        let is_empty = properties.is_none() && is_empty(&occurrence);
        let place = self.place(
            (!is_empty).then(|| properties.as_ref().map_or(occurrence.range.start, |properties| properties.start)),
        );
        if let Some(properties) = &properties {
            self.cursor = properties.end;
        }
        let id = self.tree.nodes.len();
        let (kind, span) = self.kind(&occurrence, id)?;
        self.cursor = self.cursor.max(span.end);
        if let Some(number) = occurrence.event.anchor_id() {
            self.anchors.insert(number, id);
        }
        let is_open = matches!(kind, Kind::Sequence { .. } | Kind::Mapping { .. });
        let size = if let Kind::Alias { target } = kind { self.sizes[target] } else { 1 };
        let anchor = occurrence.anchor.map(|anchor| anchor.start + 1..anchor.end);
        self.tree.nodes.push(Node { kind, properties, anchor, span });
        self.sizes.push(size);
        self.attach(&place, id);
        if !is_open {
            return self.count(id);
        }
        self.open.push(Open { node: id, key: None });
        if self.open.len() > self.limits.levels() { Err(self.limits.too_deep()) } else { Ok(()) }
    }

    /// What the node is, and where it stands. Of a collection only the start is known yet.
    fn kind(&mut self, occurrence: &Occurrence<'a>, id: NodeId) -> Result<(Kind<'a>, Range<usize>), Error> {
        let (text, range) = (self.tree.text, occurrence.range.clone());
        let layout = |style: StructureStyle| match style {
            StructureStyle::Block => Layout::Block,
            StructureStyle::Flow if text[range.start..].starts_with(['[', '{']) => Layout::Flow,
            StructureStyle::Flow => Layout::Pair,
        };
        let cursor = self.cursor;
        // A block begins with its first row.
        let opening = |layout| if layout == Layout::Flow { range.start..range.start + 1 } else { cursor..cursor };
        Ok(match &occurrence.event {
            Event::SequenceStart(style, ..) => {
                let layout = layout(*style);
                (Kind::Sequence { layout, items: Vec::new() }, opening(layout))
            }
            Event::MappingStart(style, ..) => {
                let layout = layout(*style);
                (Kind::Mapping { layout, entries: Vec::new() }, opening(layout))
            }
            Event::Alias(number) => {
                let target = self.anchors.get(number).copied().filter(|target| self.is_closed(*target));
                let line = occurrence.span.start.line();
                let message = || "an alias within what it stands for".to_owned();
                let target = target.ok_or_else(|| Error::Syntax { line, message: message() })?;
                self.tree.aliases.push((id, target));
                (Kind::Alias { target }, range)
            }
            Event::Scalar(value, style, ..) => {
                let span = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => block_scalar(text, self.cursor, occurrence),
                    _ if is_empty(occurrence) => self.cursor..self.cursor,
                    _ => range,
                };
                // What the parser calls a tilde is not written where there is nothing.
                let value = if span.is_empty() { "".into() } else { value.clone() };
                (Kind::Scalar { value, style: *style }, span)
            }
            _ => (Kind::Scalar { value: "".into(), style: ScalarStyle::Plain }, range),
        })
    }

    fn is_closed(&self, node: NodeId) -> bool {
        self.open.iter().all(|open| open.node != node)
    }

    /// Where the next node hangs; moves the cursor behind its indicators. `first` is where it begins, if it is not empty.
    fn place(&mut self, first: Option<usize>) -> Place {
        let text = self.tree.text;
        // An indicator stands before the node: a plain scalar may begin with the same character.
        let stands = |at: usize, indicator: u8| {
            text.as_bytes().get(at) == Some(&indicator) && first.is_none_or(|first| first > at)
        };
        let Some(open) = self.open.last_mut() else { return Place::Root };
        let mut at = skip_gap(text, self.cursor);
        let (is_sequence, is_flow) = match &self.tree.nodes[open.node].kind {
            Kind::Sequence { layout, .. } => (true, *layout == Layout::Flow),
            Kind::Mapping { layout, .. } => (false, *layout == Layout::Flow),
            _ => (false, false),
        };
        if let Some((entry, key)) = open.key.take() {
            let colon = stands(at, b':').then_some(at);
            self.cursor = colon.map_or(self.cursor, |colon| colon + 1);
            return Place::Value { at: entry, key, colon };
        }
        if is_flow && stands(at, b',') {
            at = skip_gap(text, at + 1);
        }
        self.cursor = at;
        if is_sequence {
            if !is_flow && stands(at, b'-') {
                self.cursor = at + 1;
            }
            return Place::Item { at };
        }
        if stands(at, b'?') {
            self.cursor = at + 1;
        }
        Place::Key { at }
    }

    fn attach(&mut self, place: &Place, node: NodeId) {
        let Some(open) = self.open.last_mut() else {
            self.tree.root = Some(node);
            return;
        };
        let parent = &mut self.tree.nodes[open.node];
        let first = match (&mut parent.kind, place) {
            (Kind::Sequence { layout, items }, Place::Item { at }) => {
                items.push(Item { at: *at, node });
                (*layout != Layout::Flow && items.len() == 1).then_some(*at)
            }
            (Kind::Mapping { layout, entries }, Place::Key { at }) => {
                open.key = Some((*at, node));
                (*layout != Layout::Flow && entries.is_empty()).then_some(*at)
            }
            (Kind::Mapping { entries, .. }, Place::Value { at, key, colon }) => {
                entries.push(Entry { at: *at, key: *key, colon: *colon, value: node });
                None
            }
            _ => None,
        };
        if let Some(first) = first {
            parent.span.start = first;
        }
    }

    fn close(&mut self, occurrence: &Occurrence<'a>) -> Result<(), Error> {
        let Some(Open { node, .. }) = self.open.pop() else { return Ok(()) };
        let (layout, last) = match &self.tree.nodes[node].kind {
            Kind::Sequence { layout, items } => (*layout, items.last().map(|item| item.node)),
            Kind::Mapping { layout, entries } => (*layout, entries.last().map(|entry| entry.value)),
            _ => return Ok(()),
        };
        let end = match last {
            Some(last) if layout != Layout::Flow => self.tree.end(last),
            _ => occurrence.range.end,
        };
        self.tree.nodes[node].span.end = end;
        self.cursor = self.cursor.max(end);
        self.count(node)
    }

    /// Adds the size of a finished node to that of what it is in.
    fn count(&mut self, node: NodeId) -> Result<(), Error> {
        let size = self.sizes[node];
        if let Some(open) = self.open.last() {
            self.sizes[open.node] = self.sizes[open.node].saturating_add(size);
        }
        if size > self.limits.nodes { Err(self.limits.too_many_nodes()) } else { Ok(()) }
    }
}

fn is_empty(occurrence: &Occurrence<'_>) -> bool {
    occurrence.range.is_empty() && matches!(occurrence.event, Event::Scalar(_, ScalarStyle::Plain, ..))
}

fn properties(occurrence: &Occurrence<'_>) -> Option<Range<usize>> {
    let tag = occurrence.span.tag_span().and_then(|span| span.byte_range());
    match (tag, occurrence.anchor.clone()) {
        (Some(tag), Some(anchor)) => Some(tag.start.min(anchor.start)..tag.end.max(anchor.end)),
        (tag, anchor) => tag.or(anchor),
    }
}

/// Columns that the lines of a block scalar are indented by: those before the one that begins first.
fn content_indent(lines: &str) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let with_text = lines.split(['\n', '\r']).filter(|line| !line.trim_matches(' ').is_empty());
    with_text.map(indent).min().unwrap_or_default()
}

/// From the header, which the event leaves out, to the last line that counts.
fn block_scalar(text: &str, cursor: usize, occurrence: &Occurrence<'_>) -> Range<usize> {
    let start = skip_gap(text, cursor);
    let header_end = text[start..].find([' ', '\t', '\r', '\n']).map_or(text.len(), |length| start + length);
    let keeps = text[start..header_end].contains('+');
    let header_line = line_end(text, header_end);
    // The event ends behind the indentation of what follows.
    let mut end = occurrence.range.end.max(header_line);
    if end < text.len() && starts_line(text, end) {
        end = line_start(text, end);
    }
    let indent = content_indent(&text[header_line..end.max(header_line)]);
    end = before_break(text, end).unwrap_or(end);
    while end > header_line {
        let line = line_start(text, end);
        // Blanks beyond the indentation are content.
        if keeps || end - line > indent || text[line..end].bytes().any(|byte| byte != b' ') {
            return start..end;
        }
        end = before_break(text, line).unwrap_or(line);
    }
    // Nothing but the header: a comment behind it is not part of the node.
    start..header_end
}
