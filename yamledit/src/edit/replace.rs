//! Writing a value anew in the place of a node.

use std::borrow::Cow;

use granit_parser::ScalarStyle;
use serde_json::Value;

use super::plan::{Anchored, Cannot, Planner};
use super::rows::Rows;
use crate::print::{Printer, literal};
use crate::scalar::{Context, Quote, is_literal, string};
use crate::style::{Flow, Style};
use crate::text::{column, line_end, skip_blanks, skip_bom};
use crate::tree::{Entry, Item, Kind, Layout, NodeId, Tree};

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    kind: SlotKind,
    /// Offset after the indicator that the value stands behind, if there is one.
    after: Option<usize>,
    /// Column of the rows that it is in.
    column: usize,
    /// The collection in brackets that it is in.
    pub(super) flow: Option<Flow<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotKind {
    Root,
    Entry,
    /// With the columns from the dash to the value.
    Item(usize),
}

/// A value as text: what stands behind the indicator, and the lines after that, which begin with a line break.
#[derive(Debug, Default)]
struct Rendered {
    head: String,
    body: String,
}

impl<'a> Slot<'a> {
    pub(super) fn root(tree: &Tree<'_>, root: NodeId) -> Self {
        // Comments may stand between the marker and a root that begins below it.
        let after = tree.marker_end.filter(|marker| line_end(tree.text, *marker) >= tree.start(root));
        Self { kind: SlotKind::Root, after, column: 0, flow: None }
    }

    pub(super) fn item(item: &Item, rows: &Rows<'a, '_>, tree: &Tree<'_>) -> Self {
        let (text, after) = (tree.text, item.at + 1);
        let column = if rows.flow.is_some() { 0 } else { column(text, item.at) };
        let first = skip_blanks(text, after);
        let dash = if first == tree.start(item.node) && first > after { first - item.at } else { rows.dash };
        Self { kind: SlotKind::Item(dash), after: Some(after), column, flow: rows.flow }
    }

    pub(super) fn entry(entry: &Entry, rows: &Rows<'a, '_>, text: &str) -> Self {
        let column = if rows.flow.is_some() { 0 } else { column(text, entry.at) };
        Self { kind: SlotKind::Entry, after: entry.colon.map(|colon| colon + 1), column, flow: rows.flow }
    }
}

impl Slot<'_> {
    /// Blanks between the indicator and the value.
    fn gap(&self) -> usize {
        match self.kind {
            SlotKind::Item(dash) => dash.saturating_sub(1).max(1),
            SlotKind::Root | SlotKind::Entry => 1,
        }
    }
}

impl<'a, 'v> Planner<'_, 'a, 'v> {
    /// Writes a value in the place of a node. An anchor of the node stays.
    pub(super) fn replace(&mut self, slot: &Slot<'a>, id: NodeId, new: &'v Value) -> Result<(), Cannot> {
        let anchor = self.tree.anchor(id);
        self.put(slot, id, new, anchor.map(Cow::Borrowed))
    }

    /// Writes a value with an anchor in the place of a node.
    pub(super) fn replace_anchored(
        &mut self,
        slot: &Slot<'a>,
        id: NodeId,
        new: &'v Value,
        name: String,
    ) -> Result<(), Cannot> {
        self.put(slot, id, new, Some(name.into()))
    }

    /// Writes the document where there is none yet.
    pub(super) fn fill(&mut self, new: &'v Value) {
        let (text, end) = (self.text, self.text.len());
        let mut printer = Printer::new(self.style);
        if skip_bom(text, 0) < end && !text.ends_with(['\n', '\r']) {
            printer.new_line(0);
        }
        printer.root(new);
        printer.new_line(0);
        self.change(end..end, printer.out);
    }

    fn put(&mut self, slot: &Slot<'a>, id: NodeId, new: &'v Value, anchor: Option<Cow<'a, str>>) -> Result<(), Cannot> {
        let is_root = slot.kind == SlotKind::Root;
        if slot.after.is_none() && !is_root {
            return Err(Cannot);
        }
        let prefix = self.properties(id, new, anchor.as_deref());
        if let Some(name) = anchor {
            self.anchors.push((name, Anchored::Value(new)));
        }
        let (start, end) = (self.tree.start(id), self.tree.end(id));
        if let Some(flow) = &slot.flow {
            let mut printer = Printer::new(self.style_at(start));
            self.flow_value(&mut printer, id, new, flow, start);
            let text = format!("{prefix}{}", printer.out);
            match &self.text[start..] {
                _ if !self.tree.is_absent(id) => self.change(start..end, text),
                rest if rest.starts_with(' ') => self.change(start + 1..start + 1, text),
                _ => self.change(start..start, format!(" {text}")),
            }
            return Ok(());
        }
        let rendered = self.rendered(slot, id, new, !prefix.is_empty());
        match slot.after {
            None => self.change(start..end, format!("{prefix}{}{}", rendered.head, rendered.body)),
            Some(after) => self.put_behind(after, slot.gap(), id, &prefix, rendered),
        }
        Ok(())
    }

    /// What stands before a value that is written anew: its anchor, and the tag of a collection that stays one.
    fn properties(&self, id: NodeId, new: &Value, anchor: Option<&str>) -> String {
        let node = self.tree.node(id);
        let stays = matches!(
            (&node.kind, new),
            (Kind::Sequence { .. }, Value::Array(_)) | (Kind::Mapping { .. }, Value::Object(_))
        );
        match &node.properties {
            Some(properties) if stays && !self.text[properties.clone()].contains(['\n', '\r']) => {
                format!("{} ", &self.text[properties.clone()])
            }
            _ => anchor.map(|name| format!("&{name} ")).unwrap_or_default(),
        }
    }

    /// Puts a value behind an indicator; a comment on the line stays there.
    fn put_behind(&mut self, after: usize, blanks: usize, id: NodeId, prefix: &str, rendered: Rendered) {
        let (start, end) = (self.tree.start(id), self.tree.end(id));
        let line = line_end(self.text, after);
        let first = skip_blanks(self.text, after);
        let blanks = " ".repeat(blanks);
        let gap = if first == start && first > after { &self.text[after..first] } else { &blanks };
        let head = match format!("{prefix}{}", rendered.head).trim_end_matches(' ') {
            "" => String::new(),
            head => format!("{gap}{head}"),
        };
        if self.is_below(after, id) {
            self.change(after..self.head_end(after, id), head);
            self.change(line..end.max(line), rendered.body);
        } else {
            self.change(after..end, head);
            let line = line_end(self.text, end);
            if !rendered.body.is_empty() {
                self.change(line..line, rendered.body);
            }
        }
    }

    /// Whether a node stands below the line of its indicator, but for its properties or header.
    fn is_below(&self, after: usize, id: NodeId) -> bool {
        let node = self.tree.node(id);
        self.tree.is_block_scalar(id) || node.span.start > line_end(self.text, after)
    }

    /// The end of what belongs to a node on the line of its indicator.
    fn head_end(&self, after: usize, id: NodeId) -> usize {
        let node = self.tree.node(id);
        let line = line_end(self.text, after);
        if self.tree.is_block_scalar(id) && node.span.start <= line {
            let header = &self.text[node.span.start..line];
            return node.span.start + header.find([' ', '\t']).unwrap_or(header.len());
        }
        node.properties.as_ref().map_or(after, |properties| properties.end).min(line)
    }

    fn rendered(&self, slot: &Slot<'a>, id: NodeId, new: &Value, is_anchored: bool) -> Rendered {
        let mut printer = Printer::new(self.style_of(slot, id));
        if self.stays_flow(id, new) {
            let start = self.tree.start(id);
            self.flow_value(&mut printer, id, new, &Flow::of(self.tree, id), start);
            return Rendered { head: printer.out, body: String::new() };
        }
        match new {
            Value::Object(map) if !map.is_empty() => {
                let column = slot.column + self.style.width;
                self.block(slot, id, is_anchored, column, |printer, column| printer.mapping(map, column))
            }
            Value::Array(items) if !items.is_empty() => {
                let column = slot.column + self.style.offset;
                self.block(slot, id, is_anchored, column, |printer, column| printer.sequence(items, column))
            }
            Value::String(text) => self.text(slot, id, text),
            other => {
                printer.root(other);
                Rendered { head: printer.out, body: String::new() }
            }
        }
    }

    /// How the document is written where the first new line of a value comes.
    fn style_of(&self, slot: &Slot<'_>, id: NodeId) -> Style<'a> {
        let after = slot.after.filter(|after| self.is_below(*after, id));
        self.style_at(after.unwrap_or_else(|| self.tree.end(id)))
    }

    /// A collection in brackets with something between them is replaced by another one.
    fn stays_flow(&self, id: NodeId, new: &Value) -> bool {
        let node = self.tree.node(id);
        let is_same_kind = matches!(
            (&node.kind, new),
            (Kind::Sequence { layout: Layout::Flow, .. }, Value::Array(_))
                | (Kind::Mapping { layout: Layout::Flow, .. }, Value::Object(_))
        );
        is_same_kind && (!self.tree.is_empty(id) || self.tree.root == Some(id))
    }

    fn block(
        &self,
        slot: &Slot<'a>,
        id: NodeId,
        is_anchored: bool,
        column: usize,
        print: impl FnOnce(&mut Printer<'a>, usize),
    ) -> Rendered {
        let mut printer = Printer::new(self.style_of(slot, id));
        let column = match slot.kind {
            SlotKind::Root => 0,
            SlotKind::Entry => column,
            SlotKind::Item(dash) => slot.column + dash,
        };
        let is_compact = matches!(slot.kind, SlotKind::Item(_)) && !is_anchored && !self.has_comment(slot, id);
        let is_in_place = slot.after.is_none() && !is_anchored;
        if is_compact || is_in_place {
            print(&mut printer, column);
            return Rendered { head: printer.out, body: String::new() };
        }
        printer.new_line(column);
        print(&mut printer, column);
        Rendered { head: String::new(), body: printer.out }
    }

    /// Whether a comment stands on the line where the value begins, or on the one where it ends.
    fn has_comment(&self, slot: &Slot<'_>, id: NodeId) -> bool {
        let after = slot.after.unwrap_or_default();
        let end = if self.is_below(after, id) { self.head_end(after, id) } else { self.tree.end(id) };
        self.text.as_bytes().get(skip_blanks(self.text, end)) == Some(&b'#')
    }

    /// A string: written as the one was that it replaces, if it can be.
    fn text(&self, slot: &Slot<'_>, id: NodeId, text: &str) -> Rendered {
        let wanted = self.quote(id);
        let width = match slot.kind {
            SlotKind::Root | SlotKind::Entry => self.style.width,
            SlotKind::Item(dash) => dash,
        };
        let is_quoted = self.tree.is_quoted(id);
        let may_be_indented = slot.kind != SlotKind::Root || !text.trim_start_matches('\n').starts_with(' ');
        if self.style.literals && !is_quoted && is_literal(text) && (1..=9).contains(&width) && may_be_indented {
            let (head, body) = literal(text, slot.column, width, self.style_of(slot, id).eol);
            return Rendered { head, body };
        }
        Rendered { head: string(text, wanted, self.style.quote, Context::Block), body: String::new() }
    }

    fn quote(&self, id: NodeId) -> Quote {
        match &self.tree.node(id).kind {
            Kind::Scalar { style: ScalarStyle::SingleQuoted, .. } => Quote::Single,
            Kind::Scalar { style: ScalarStyle::DoubleQuoted, .. } => Quote::Double,
            Kind::Scalar { .. } if !self.tree.is_absent(id) => Quote::Plain,
            _ => self.style.wanted,
        }
    }

    /// A value within brackets: a string is quoted as the one was that it replaces.
    fn flow_value(&self, printer: &mut Printer<'a>, id: NodeId, new: &Value, flow: &Flow<'_>, start: usize) {
        match new {
            Value::String(text) => {
                printer.out.push_str(&string(text, self.quote(id), self.style.quote, flow.context));
            }
            other => printer.flow(other, &flow.nested(), self.outer(flow, start)),
        }
    }
}
