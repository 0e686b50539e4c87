//! Editing the entries of a mapping, also of one that merges others.

use std::collections::{HashMap, HashSet};

use granit_parser::ScalarStyle;
use serde_json::{Map, Value};

use super::difference::Step;
use super::plan::{Anchored, Cannot, Planner};
use super::replace::Slot;
use super::rows::{Added, Row, Rows};
use crate::style::Flow;
use crate::tree::{Entry, Kind, NodeId};

const MERGE: &str = "<<";

/// The entries of a mapping by what they do for its value.
struct Keys<'t> {
    /// Of each entry; a merge has none.
    names: Vec<Option<&'t str>>,
    /// The entry that counts, of those with the same key.
    last: HashMap<&'t str, usize>,
}

/// What a mapping has from others.
enum Merged<'v> {
    /// The mappings, those that win first.
    From(Vec<&'v Map<String, Value>>),
    /// Something that is not looked into.
    Opaque,
}

impl<'v> Merged<'v> {
    /// The value of a key that the mapping does not have itself.
    fn get(&self, key: &str, old: &'v Map<String, Value>) -> Option<&'v Value> {
        match self {
            Self::From(maps) => maps.iter().find_map(|map| map.get(key)),
            Self::Opaque => old.get(key),
        }
    }
}

impl<'t, 'a, 'v> Planner<'t, 'a, 'v> {
    pub(super) fn mapping(
        &mut self,
        id: NodeId,
        entries: &'t [Entry],
        (old, new): (&'v Map<String, Value>, &'v Map<String, Value>),
        flow: Option<Flow<'a>>,
    ) -> Result<(), Cannot> {
        let keys = self.keys(entries, old)?;
        let merged = self.merged(entries, &keys);
        let (overridden, expands) = self.inherited(&keys, merged.as_ref(), old, new)?;
        let mut rows: Vec<Row> = Vec::with_capacity(entries.len());
        for (entry, name) in entries.iter().zip(&keys.names) {
            let stays = name.map_or(!expands, |name| {
                new.contains_key(name) && (expands || !is_merged_again(merged.as_ref(), name, old, new))
            });
            rows.push(Row { at: entry.at, end: self.tree.end(entry.value), stays });
        }
        if !rows.iter().any(|row| row.stays) {
            return Err(Cannot);
        }
        let mut added = Vec::new();
        // What is merged stays in front.
        let mut after =
            rows.iter().zip(&keys.names).take_while(|(row, name)| row.stays && name.is_none()).count().checked_sub(1);
        for (key, value) in new {
            match keys.last.get(key.as_str()) {
                Some(row) if rows[*row].stays => after = Some(*row),
                Some(_) => {}
                None if expands || merged.is_none() || overridden.contains(key.as_str()) => {
                    added.push(Added { after, key: Some(key), value });
                }
                None => {}
            }
        }
        let rows = Rows { collection: id, rows, added, flow, dash: 2 };
        let slots: Vec<_> = entries.iter().map(|entry| Slot::entry(entry, &rows, self.text)).collect();
        self.rows(&rows, |planner, row| {
            let entry = &entries[row];
            planner.unchanged(entry.key);
            let Some(name) = keys.names[row].filter(|name| keys.last[name] == row) else {
                planner.unchanged(entry.value);
                return Ok(());
            };
            let (old, new) = (&old[name], &new[name]);
            planner.within(Step::Key(name.to_owned()), |planner| planner.node(&slots[row], entry.value, old, new))
        })
    }

    /// # Errors
    /// When the entries are not those of the value.
    fn keys(&self, entries: &[Entry], old: &Map<String, Value>) -> Result<Keys<'t>, Cannot> {
        let tree = self.tree;
        let mut keys = Keys { names: Vec::new(), last: HashMap::new() };
        let mut merges = false;
        for (index, entry) in entries.iter().enumerate() {
            let name = tree.key_text(entry.key).ok_or(Cannot)?;
            let is_plain = matches!(&tree.node(entry.key).kind, Kind::Scalar { style: ScalarStyle::Plain, .. });
            if name == MERGE && is_plain && !old.contains_key(MERGE) {
                keys.names.push(None);
                merges = true;
            } else if old.contains_key(name) {
                keys.names.push(Some(name));
                keys.last.insert(name, index);
            } else {
                return Err(Cannot);
            }
        }
        if merges || keys.last.len() == old.len() { Ok(keys) } else { Err(Cannot) }
    }

    /// What the mapping has from others now; `None` if it merges nothing.
    fn merged(&self, entries: &[Entry], keys: &Keys<'_>) -> Option<Merged<'v>> {
        let mut merges = entries.iter().zip(&keys.names).filter(|(_, name)| name.is_none()).map(|(entry, _)| entry);
        let merge = merges.next()?;
        let sources = match &self.tree.node(merge.value).kind {
            Kind::Sequence { items, .. } => items.iter().map(|item| item.node).collect(),
            _ => vec![merge.value],
        };
        let maps: Option<Vec<_>> = sources
            .into_iter()
            .map(|source| match (&self.tree.node(source).kind, self.anchored_map(source)) {
                (Kind::Alias { .. }, Some(map)) => Some(map),
                _ => None,
            })
            .collect();
        Some(match maps {
            Some(maps) if merges.next().is_none() => Merged::From(maps),
            _ => Merged::Opaque,
        })
    }

    fn anchored_map(&self, alias: NodeId) -> Option<&'v Map<String, Value>> {
        if !matches!(&self.tree.node(alias).kind, Kind::Alias { .. }) {
            return None;
        }
        match self.anchored(self.alias_name(alias))? {
            Anchored::Value(value) => value.as_object(),
            Anchored::Unchanged => None,
        }
    }

    /// Which merged keys need an entry of their own, and whether all do, because one must go.
    fn inherited(
        &self,
        keys: &Keys<'_>,
        merged: Option<&Merged<'v>>,
        old: &'v Map<String, Value>,
        new: &'v Map<String, Value>,
    ) -> Result<(HashSet<&'v str>, bool), Cannot> {
        let mut overridden = HashSet::new();
        let Some(merged) = merged else { return Ok((overridden, false)) };
        let mut names: HashSet<&str> = old.keys().chain(new.keys()).map(String::as_str).collect();
        if let Merged::From(maps) = merged {
            names.extend(maps.iter().flat_map(|map| map.keys()).map(String::as_str));
        }
        let mut expands = false;
        for name in names {
            let is_own = keys.last.contains_key(name);
            let inherited = merged.get(name, old);
            match new.get_key_value(name) {
                // Whether another value would show instead cannot be known.
                None if is_own && matches!(merged, Merged::Opaque) => return Err(Cannot),
                None => expands |= inherited.is_some(),
                Some((key, value)) if !is_own && inherited != Some(value) => {
                    overridden.insert(key.as_str());
                }
                Some(_) => {}
            }
        }
        if expands && matches!(merged, Merged::Opaque) {
            return Err(Cannot);
        }
        Ok((overridden, expands))
    }
}

/// Whether an entry that changes is not needed any more, because what is merged says what it should say.
fn is_merged_again(
    merged: Option<&Merged<'_>>,
    name: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> bool {
    let Some(Merged::From(maps)) = merged else { return false };
    old.get(name) != new.get(name) && maps.iter().find_map(|map| map.get(name)) == new.get(name)
}
