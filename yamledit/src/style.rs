//! How a document is written, as far as what is added to it should look the same.

use std::collections::BTreeMap;

use granit_parser::ScalarStyle;
use memchr::{memchr_iter, memmem};

use crate::scalar::{Context, Quote};
use crate::text::{after_break, column, indentation, line_end, skip_blanks, skip_gap};
use crate::tree::{Kind, Layout, NodeId, Tree};

/// How blocks are written, by what most of the document does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style<'a> {
    /// The line break: that of the first line.
    pub(crate) eol: &'a str,
    /// Whether other lines have other line breaks.
    pub(crate) is_mixed: bool,
    /// Columns from a mapping to one that is its value.
    pub(crate) width: usize,
    /// Columns from a mapping to the dashes of a sequence that is its value.
    pub(crate) offset: usize,
    /// Columns from a dash to what stands behind it.
    pub(crate) dash: usize,
    /// How strings are written that could be plain.
    pub(crate) wanted: Quote,
    /// How keys are written that could be plain: those of blocks, and those within brackets.
    pub(crate) keys: [Quote; 2],
    /// How strings are written that cannot.
    pub(crate) quote: Quote,
    /// Whether multi-line strings are written as blocks.
    pub(crate) literals: bool,
}

impl Default for Style<'_> {
    fn default() -> Self {
        let (wanted, quote) = (Quote::Plain, Quote::Double);
        Self {
            eol: "\n",
            is_mixed: false,
            width: 2,
            offset: 0,
            dash: 2,
            wanted,
            keys: [wanted; 2],
            quote,
            literals: true,
        }
    }
}

/// How a flow collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow<'a> {
    /// What one level adds to the indentation, where every item has a line of its own.
    pub(crate) lines: Option<&'a str>,
    pub(crate) comma: &'a str,
    pub(crate) colon: &'a str,
    /// What stands within the brackets of a collection on one line.
    pub(crate) padding: &'a str,
    pub(crate) context: Context,
}

impl Default for Flow<'_> {
    fn default() -> Self {
        Self { lines: None, comma: ", ", colon: ": ", padding: "", context: Context::Flow }
    }
}

impl<'a> Style<'a> {
    pub(crate) fn of(tree: &Tree<'a>) -> Self {
        let text = tree.text;
        let end = line_end(text, 0);
        let mut style = Self { eol: &text[end..after_break(text, end)], ..Self::default() };
        if style.eol.is_empty() {
            style.eol = "\n";
        }
        style.is_mixed = has_other_breaks(text, style.eol);
        let mut votes = Votes::default();
        for id in 0..tree.nodes.len() {
            votes.count(tree, id);
        }
        style.width = most(&votes.widths).unwrap_or(style.width);
        style.offset = most(&votes.offsets).unwrap_or(style.offset);
        style.dash = most(&votes.dashes).unwrap_or(style.dash);
        if votes.single > votes.double {
            style.quote = Quote::Single;
        }
        if votes.unneeded > votes.plain {
            style.wanted = style.quote;
        }
        style.keys = votes.keys.map(|[plain, single, double]| match single.max(double) {
            quoted if quoted <= plain => Quote::Plain,
            quoted if quoted == double => Quote::Double,
            _ => Quote::Single,
        });
        style
    }
}

#[derive(Default)]
struct Votes {
    widths: BTreeMap<usize, usize>,
    offsets: BTreeMap<usize, usize>,
    dashes: BTreeMap<usize, usize>,
    single: usize,
    double: usize,
    /// Keys of blocks and keys within brackets: plain, in single quotes and in double ones.
    keys: [[usize; 3]; 2],
    /// Strings in quotes that needed none, and those that have none.
    unneeded: usize,
    plain: usize,
}

impl Votes {
    fn count(&mut self, tree: &Tree<'_>, id: NodeId) {
        match &tree.node(id).kind {
            Kind::Mapping { layout, entries } => {
                let own = (*layout == Layout::Block).then(|| column(tree.text, tree.node(id).span.start));
                for entry in entries {
                    self.key(tree, entry.key, own.is_none());
                    self.scalar(tree, entry.value);
                    if let Some(own) = own {
                        self.child(tree, entry.value, own);
                    }
                }
            }
            Kind::Sequence { layout, items } => {
                for item in items {
                    self.scalar(tree, item.node);
                    let first = skip_blanks(tree.text, item.at + 1);
                    let is_beside = first == tree.start(item.node) && !tree.is_absent(item.node);
                    if *layout == Layout::Block && is_beside {
                        *self.dashes.entry(first - item.at).or_default() += 1;
                    }
                }
            }
            _ => {}
        }
    }

    fn child(&mut self, tree: &Tree<'_>, child: NodeId, own: usize) {
        let node = tree.node(child);
        let votes = match &node.kind {
            Kind::Mapping { layout: Layout::Block, .. } => &mut self.widths,
            Kind::Sequence { layout: Layout::Block, .. } => &mut self.offsets,
            _ => return,
        };
        let column = column(tree.text, node.span.start);
        *votes.entry(column.saturating_sub(own)).or_default() += 1;
    }

    fn key(&mut self, tree: &Tree<'_>, id: NodeId, is_flow: bool) {
        let style = match &tree.node(id).kind {
            Kind::Scalar { style: ScalarStyle::Plain, .. } => 0,
            Kind::Scalar { style: ScalarStyle::SingleQuoted, .. } => 1,
            Kind::Scalar { style: ScalarStyle::DoubleQuoted, .. } => 2,
            _ => return,
        };
        self.keys[usize::from(is_flow)][style] += 1;
    }

    fn scalar(&mut self, tree: &Tree<'_>, id: NodeId) {
        let Kind::Scalar { value, style } = &tree.node(id).kind else { return };
        match style {
            ScalarStyle::SingleQuoted => self.single += 1,
            ScalarStyle::DoubleQuoted => self.double += 1,
            _ => {}
        }
        let plain = crate::scalar::string(value, Quote::Plain, Quote::Double, Context::Block) == *value;
        match style {
            ScalarStyle::Plain if plain => self.plain += 1,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if plain => self.unneeded += 1,
            _ => {}
        }
    }
}

/// Whether a line ends otherwise than with this line break.
fn has_other_breaks(text: &str, eol: &str) -> bool {
    let count = |byte| memchr_iter(byte, text.as_bytes()).count();
    let (feeds, returns) = (count(b'\n'), count(b'\r'));
    match eol {
        "\n" => returns > 0,
        "\r" => feeds > 0,
        _ => feeds != returns || memmem::find_iter(text.as_bytes(), eol).count() != feeds,
    }
}

/// What was counted most often, the smallest of several.
fn most(votes: &BTreeMap<usize, usize>) -> Option<usize> {
    votes.iter().rev().max_by_key(|(_, count)| **count).map(|(value, _)| *value)
}

impl<'a> Flow<'a> {
    /// The style of a flow collection that is in no other one.
    pub(crate) fn of(tree: &Tree<'a>, id: NodeId) -> Self {
        let span = tree.node(id).span.clone();
        let text = &tree.text[span.clone()];
        let mut flow = Self::default();
        let is_only = tree.root == Some(id);
        if (!tree.is_empty(id) || is_only) && serde_json::from_str::<serde_json::Value>(text).is_ok() {
            flow.context = Context::Json;
        }
        // A node comes before those that are in it.
        for at in id..tree.nodes.len() {
            if tree.node(at).span.start > span.end || flow.spacing(tree, at) {
                break;
            }
        }
        flow
    }

    /// The style of a collection within this one. YAML has those within on one line, JSON does not.
    pub(crate) fn nested(&self) -> Self {
        if self.context == Context::Json { *self } else { Self { lines: None, ..*self } }
    }

    /// Takes the style from a collection that has something to show; whether that is all there is to know.
    fn spacing(&mut self, tree: &Tree<'a>, id: NodeId) -> bool {
        let text = tree.text;
        let span = &tree.node(id).span;
        let (first, second) = match &tree.node(id).kind {
            Kind::Mapping { layout: Layout::Flow, entries } => {
                if let Some(Some(colon)) = entries.first().map(|entry| entry.colon) {
                    let next = &text[colon + 1..];
                    let is_tight = self.context == Context::Json && !next.starts_with([' ', '\t', '\r', '\n']);
                    self.colon = if is_tight { ":" } else { ": " };
                    self.comma = if is_tight { "," } else { ", " };
                }
                (entries.first().map(|entry| (entry.at, entry.value)), entries.get(1).map(|entry| entry.at))
            }
            Kind::Sequence { layout: Layout::Flow, items } => {
                (items.first().map(|item| (item.at, item.node)), items.get(1).map(|item| item.at))
            }
            _ => return false,
        };
        let Some((start, node)) = first else { return false };
        let before = &text[span.start + 1..start];
        if before.contains(['\n', '\r']) {
            let (outer, inner) = (indentation(text, span.start), indentation(text, start));
            self.lines = Some(inner.strip_prefix(outer).unwrap_or(inner));
        } else {
            self.padding = before;
        }
        let Some(second) = second else { return false };
        let comma = skip_gap(text, tree.end(node));
        if self.lines.is_none() && text[comma..].starts_with(',') && !text[comma..second].contains(['\n', '\r']) {
            self.comma = &text[comma..second];
        }
        true
    }
}
