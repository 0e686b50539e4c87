//! Editing the items of a sequence.

use serde_json::Value;

use super::difference::Step;
use super::plan::{Cannot, Planner};
use super::replace::Slot;
use super::rows::{Added, Row, Rows};
use crate::matching::pairs;
use crate::style::Flow;
use crate::text::skip_blanks;
use crate::tree::{Item, NodeId};

impl<'a, 'v> Planner<'_, 'a, 'v> {
    /// Items are paired with those of the new value; see [`pairs`].
    pub(super) fn sequence(
        &mut self,
        id: NodeId,
        items: &[Item],
        (old, new): (&'v [Value], &'v [Value]),
        flow: Option<Flow<'a>>,
    ) -> Result<(), Cannot> {
        if items.len() != old.len() {
            return Err(Cannot);
        }
        let pairs = pairs(old, new);
        if pairs.is_empty() {
            return Err(Cannot);
        }
        let mut rows: Vec<Row> =
            items.iter().map(|item| Row { at: item.at, end: self.tree.end(item.node), stays: false }).collect();
        let mut becomes = vec![None; items.len()];
        for (from, to) in &pairs {
            rows[*from].stays = true;
            becomes[*from] = Some(*to);
        }
        let mut added = Vec::new();
        let mut after = None;
        let mut paired = pairs.iter().peekable();
        for (index, value) in new.iter().enumerate() {
            if let Some((from, _)) = paired.next_if(|(_, to)| *to == index) {
                after = Some(*from);
            } else {
                added.push(Added { after, key: None, value });
            }
        }
        let rows = Rows { collection: id, rows, added, flow, dash: self.dash(items) };
        let slots: Vec<_> = items.iter().map(|item| Slot::item(item, &rows, self.tree)).collect();
        self.rows(&rows, |planner, row| {
            let Some(to) = becomes[row] else { return Ok(()) };
            let (item, slot) = (&items[row], &slots[row]);
            planner.within(Step::Index(to), |planner| planner.node(slot, item.node, &old[row], &new[to]))
        })
    }

    /// Columns from the dash to what stands behind it, as the first item with something there has it.
    fn dash(&self, items: &[Item]) -> usize {
        let columns = items.iter().find_map(|item| {
            let first = skip_blanks(self.text, item.at + 1);
            (first == self.tree.start(item.node) && !self.tree.is_absent(item.node)).then(|| first - item.at)
        });
        columns.unwrap_or(self.style.dash).max(2)
    }
}
