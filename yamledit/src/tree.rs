//! A document as a tree of nodes that know where in the text they stand.

mod build;

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::error::Error;
use crate::limits::Limits;

/// Index of a node in its tree.
pub(crate) type NodeId = usize;

/// A document; every offset is one in its text, in bytes.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    pub(crate) text: &'a str,
    pub(crate) nodes: Vec<Node<'a>>,
    /// `None` where there is nothing, not even a `---`.
    pub(crate) root: Option<NodeId>,
    /// Offset after the `---`, where there is one.
    pub(crate) marker_end: Option<usize>,
    /// Aliases, in the order of the text, each with what it stands for.
    pub(crate) aliases: Vec<(NodeId, NodeId)>,
}

/// A scalar, an alias or a collection.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind<'a>,
    /// Anchor and tag, with what is between them.
    pub(crate) properties: Option<Range<usize>>,
    /// Name of the anchor, without `&`.
    pub(crate) anchor: Option<Range<usize>>,
    /// The node without properties and without the line break behind it. A block scalar begins at its `|` or `>`; an
    /// empty node lies after its indicator or properties.
    pub(crate) span: Range<usize>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Scalar { value: Cow<'a, str>, style: ScalarStyle },
    Alias { target: NodeId },
    Sequence { layout: Layout, items: Vec<Item> },
    Mapping { layout: Layout, entries: Vec<Entry> },
}

/// How a collection is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Block,
    Flow,
    /// A mapping of one entry in a flow sequence, without braces: `[a: b]`.
    Pair,
}

/// An item of a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// Where it begins: at its `-`, or in flow at the node.
    pub(crate) at: usize,
    pub(crate) node: NodeId,
}

/// An entry of a mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Where it begins: at its key, or at the `?` before that.
    pub(crate) at: usize,
    pub(crate) key: NodeId,
    pub(crate) colon: Option<usize>,
    pub(crate) value: NodeId,
}

impl<'a> Tree<'a> {
    /// Reads the one document in `text`.
    ///
    /// # Errors
    /// When it is not YAML, more than one document, or beyond the limits.
    pub(crate) fn parse(text: &'a str, limits: &Limits) -> Result<Self, Error> {
        build::tree(text, limits)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node<'a> {
        &self.nodes[id]
    }

    /// Where the node begins, with its properties.
    pub(crate) fn start(&self, id: NodeId) -> usize {
        let node = self.node(id);
        node.properties.as_ref().map_or(node.span.start, |properties| properties.start.min(node.span.start))
    }

    pub(crate) fn end(&self, id: NodeId) -> usize {
        self.node(id).span.end
    }

    /// The text of a key: of a scalar, or of the scalar that an alias stands for.
    pub(crate) fn key_text(&self, id: NodeId) -> Option<&str> {
        match &self.node(id).kind {
            Kind::Scalar { value, .. } => Some(value),
            Kind::Alias { target } => match &self.node(*target).kind {
                Kind::Scalar { value, .. } => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The name of the anchor, if the node has one.
    pub(crate) fn anchor(&self, id: NodeId) -> Option<&'a str> {
        self.node(id).anchor.clone().map(|range| &self.text[range])
    }

    /// Whether the node is a scalar in quotes.
    pub(crate) fn is_quoted(&self, id: NodeId) -> bool {
        matches!(&self.node(id).kind, Kind::Scalar { style: ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted, .. })
    }

    /// Whether the node is a scalar with a header.
    pub(crate) fn is_block_scalar(&self, id: NodeId) -> bool {
        matches!(&self.node(id).kind, Kind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. })
    }

    /// Whether the node is a collection with nothing in it.
    pub(crate) fn is_empty(&self, id: NodeId) -> bool {
        match &self.node(id).kind {
            Kind::Sequence { items, .. } => items.is_empty(),
            Kind::Mapping { entries, .. } => entries.is_empty(),
            _ => false,
        }
    }

    /// Whether nothing is written where the node is.
    pub(crate) fn is_absent(&self, id: NodeId) -> bool {
        let node = self.node(id);
        node.span.is_empty() && node.properties.is_none()
    }
}

#[cfg(test)]
mod tests;
