//! Which changes make a document say something else: a walk along the text and both values.

use std::borrow::Cow;

use serde_json::Value;

use super::Change;
use super::difference::{Path, Step};
use super::replace::Slot;
use crate::style::{Flow, Style};
use crate::text::line_break;
use crate::tree::{Kind, Layout, NodeId, Tree};

/// A change that this text does not allow in place. The block around it is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cannot;

/// What an anchor stands for, at the place that the walk has come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchored<'v> {
    Value(&'v Value),
    /// What it stood for all along, whatever that is.
    Unchanged,
}

/// The walk along the text and both values.
pub(super) struct Planner<'t, 'a, 'v> {
    pub(super) tree: &'t Tree<'a>,
    pub(super) text: &'a str,
    pub(super) style: Style<'a>,
    pub(super) changes: Vec<Change>,
    /// Anchors by name, later ones later.
    pub(super) anchors: Vec<(Cow<'a, str>, Anchored<'v>)>,
    /// Nodes with an anchor whose uses have another one now, and its name.
    pub(super) renamed: Vec<(NodeId, String)>,
    /// Where the walk is, in the new value.
    path: Path,
    /// What has to be written anew, although it could be edited or is right already.
    forced: &'t [Path],
    /// Where changes were made.
    touched: Vec<Path>,
}

impl<'t, 'a, 'v> Planner<'t, 'a, 'v> {
    pub(super) fn new(tree: &'t Tree<'a>, style: Style<'a>, forced: &'t [Path]) -> Self {
        Self {
            tree,
            text: tree.text,
            style,
            changes: Vec::new(),
            anchors: Vec::new(),
            renamed: Vec::new(),
            path: Vec::new(),
            forced,
            touched: Vec::new(),
        }
    }

    /// The changes, in the order in which they were planned, and where in the new value they are.
    pub(super) fn into_changes(self) -> (Vec<Change>, Vec<Path>) {
        (self.changes, self.touched)
    }

    /// Plans the changes of the whole document.
    pub(super) fn document(&mut self, old: &'v Value, new: &'v Value) {
        let Some(root) = self.tree.root else {
            return self.fill(new);
        };
        if self.node(&Slot::root(self.tree, root), root, old, new) == Err(Cannot) {
            // What is read then is not what it should be, and the whole document is written anew.
            self.changes.clear();
        }
    }

    /// Plans the changes of a node; where it cannot be edited, it is written anew.
    ///
    /// # Errors
    /// When it cannot be written anew by itself either.
    pub(super) fn node(&mut self, slot: &Slot<'a>, id: NodeId, old: &'v Value, new: &'v Value) -> Result<(), Cannot> {
        if self.forced.contains(&self.path) {
            return self.replace(slot, id, new);
        }
        let before = (self.changes.len(), self.anchors.len(), self.renamed.len());
        self.edited(slot, id, old, new).or_else(|Cannot| {
            self.changes.truncate(before.0);
            self.anchors.truncate(before.1);
            self.renamed.truncate(before.2);
            self.replace(slot, id, new)
        })
    }

    fn edited(&mut self, slot: &Slot<'a>, id: NodeId, old: &'v Value, new: &'v Value) -> Result<(), Cannot> {
        let tree = self.tree;
        if let Some(name) = tree.anchor(id) {
            self.anchors.push((name.into(), Anchored::Value(new)));
        }
        // What an alias stands for may have changed, however equal the values are.
        if old == new && tree.aliases.is_empty() && self.forced.is_empty() {
            return Ok(());
        }
        match (&tree.node(id).kind, old, new) {
            (Kind::Alias { target }, ..) => self.alias(slot, id, *target, old, new),
            (Kind::Sequence { layout, items }, Value::Array(old), Value::Array(new)) if !new.is_empty() => {
                let flow = slot.flow_within(tree, id, *layout);
                self.sequence(id, items, (old, new), flow)
            }
            (Kind::Mapping { layout, entries }, Value::Object(old), Value::Object(new)) if !new.is_empty() => {
                let flow = slot.flow_within(tree, id, *layout);
                self.mapping(id, entries, (old, new), flow)
            }
            _ if old == new => {
                self.unchanged(id);
                Ok(())
            }
            _ => Err(Cannot),
        }
    }

    /// Goes from a collection into what is at this step in its new value.
    pub(super) fn within(
        &mut self,
        step: Step,
        walk: impl FnOnce(&mut Self) -> Result<(), Cannot>,
    ) -> Result<(), Cannot> {
        self.path.push(step);
        let result = walk(self);
        self.path.pop();
        result
    }

    /// How the document is written, with the line breaks of this place: files may have both kinds.
    pub(super) fn style_at(&self, at: usize) -> Style<'a> {
        let eol = if self.style.is_mixed { line_break(self.text, at) } else { None };
        Style { eol: eol.unwrap_or(self.style.eol), ..self.style }
    }

    /// Plans a change.
    pub(super) fn change(&mut self, range: std::ops::Range<usize>, text: impl Into<String>) {
        self.changes.push(Change { range, text: text.into() });
        if self.touched.last() != Some(&self.path) {
            self.touched.push(self.path.clone());
        }
    }
}

impl<'a> Slot<'a> {
    /// The style of the flow collection, if the node is one.
    fn flow_within(&self, tree: &Tree<'a>, id: NodeId, layout: Layout) -> Option<Flow<'a>> {
        (layout != Layout::Block).then(|| self.flow.unwrap_or_else(|| Flow::of(tree, id)))
    }
}
