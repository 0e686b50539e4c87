//! Anchors and aliases: a change in one use does not change the others.

use serde_json::Value;

use super::plan::{Anchored, Cannot, Planner};
use super::replace::Slot;
use crate::tree::{Kind, NodeId};

impl<'a, 'v> Planner<'_, 'a, 'v> {
    /// An alias stays where it stands for the wanted value; otherwise that is written in its place.
    pub(super) fn alias(
        &mut self,
        slot: &Slot<'a>,
        id: NodeId,
        target: NodeId,
        old: &'v Value,
        new: &'v Value,
    ) -> Result<(), Cannot> {
        let name = self.alias_name(id);
        if is_right_for(self.anchored(name), old, new) {
            return Ok(());
        }
        let renamed = self.renamed.iter().rev().find(|(of, _)| *of == target).map(|(_, name)| name.clone());
        if let Some(name) = renamed.filter(|name| is_right_for(self.anchored(name), old, new)) {
            self.change(self.tree.node(id).span.clone(), format!("*{name}"));
            return Ok(());
        }
        // What the anchor stood for is still wanted: the first of its uses becomes what the others stand for.
        let is_used_again = self.tree.aliases.iter().any(|(other, of)| *other > id && *of == target);
        if old != new || !is_used_again {
            return self.replace(slot, id, new);
        }
        let name = match self.anchored(name) {
            // Nothing else has it any more.
            None => name.to_owned(),
            Some(_) => self.new_name(name),
        };
        self.renamed.push((target, name.clone()));
        self.replace_anchored(slot, id, new, name)
    }

    /// A name of no anchor in the document.
    fn new_name(&self, name: &str) -> String {
        let is_taken = |name: &str| {
            let is_there = (0..self.tree.nodes.len()).any(|id| self.tree.anchor(id) == Some(name));
            is_there || self.renamed.iter().any(|(_, other)| other == name)
        };
        let mut number = 2;
        while is_taken(&format!("{name}{number}")) {
            number += 1;
        }
        format!("{name}{number}")
    }

    /// The name of an alias, without `*`.
    pub(super) fn alias_name(&self, id: NodeId) -> &'a str {
        &self.text[self.tree.node(id).span.clone()][1..]
    }

    /// What an anchor stands for now; `None` if there is no such anchor any more.
    pub(super) fn anchored(&self, name: &str) -> Option<Anchored<'v>> {
        self.anchors.iter().rev().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// Notes the anchors of a node that stays as it is, whose values are not known.
    pub(super) fn unchanged(&mut self, id: NodeId) {
        let mut left = vec![id];
        while let Some(id) = left.pop() {
            if let Some(name) = self.tree.anchor(id) {
                self.anchors.push((name.into(), Anchored::Unchanged));
            }
            match &self.tree.node(id).kind {
                Kind::Sequence { items, .. } => left.extend(items.iter().rev().map(|item| item.node)),
                Kind::Mapping { entries, .. } => {
                    left.extend(entries.iter().rev().flat_map(|entry| [entry.value, entry.key]));
                }
                _ => {}
            }
        }
    }
}

/// Whether an alias of this stands for the wanted value.
fn is_right_for(anchored: Option<Anchored<'_>>, old: &Value, new: &Value) -> bool {
    match anchored {
        Some(Anchored::Value(value)) => value == new,
        Some(Anchored::Unchanged) => old == new,
        None => false,
    }
}
