//! Entries and items that stay, go and come, within brackets.

use super::plan::{Cannot, Planner};
use super::rows::{Added, Rows};
use crate::print::Printer;
use crate::style::Flow;
use crate::text::indentation;
use crate::tree::{Kind, Layout};

impl<'a> Planner<'_, 'a, '_> {
    pub(super) fn flow_rows(
        &mut self,
        rows: &Rows<'_, '_>,
        flow: &Flow<'_>,
        mut walk: impl FnMut(&mut Self, usize) -> Result<(), Cannot>,
    ) -> Result<(), Cannot> {
        let goes = rows.rows.iter().any(|row| !row.stays);
        let is_pair = matches!(self.tree.node(rows.collection).kind, Kind::Mapping { layout: Layout::Pair, .. });
        if is_pair && (goes || !rows.added.is_empty()) {
            return Err(Cannot);
        }
        let first = rows.rows[0].at;
        for added in rows.added_after(None) {
            let text = self.flow_printed(added, flow, first) + &self.separator(rows, flow, 0);
            self.change(first..first, text);
        }
        let leading = rows.leading();
        if leading > 0 {
            self.change(first..rows.rows[leading].at, "");
        }
        for (index, row) in rows.rows.iter().enumerate() {
            if row.stays {
                walk(self, index)?;
                for added in rows.added_after(Some(index)) {
                    let text = self.separator(rows, flow, index) + &self.flow_printed(added, flow, row.at);
                    self.change(row.end..row.end, text);
                }
            } else if index >= leading {
                self.change(rows.rows[index - 1].end..row.end, "");
            }
        }
        Ok(())
    }

    fn flow_printed(&self, added: &Added<'_>, flow: &Flow<'_>, beside: usize) -> String {
        let mut printer = Printer::new(self.style);
        printer.flow_entry(added.key, added.value, &flow.nested(), self.outer(flow, beside));
        printer.out
    }

    /// The indentation of the line, where it matters. A line may be as long as the document.
    pub(super) fn outer(&self, flow: &Flow<'_>, at: usize) -> &'a str {
        if flow.lines.is_some() { indentation(self.text, at) } else { "" }
    }

    /// The comma beside this row, and what stands around it there.
    fn separator(&self, rows: &Rows<'_, '_>, flow: &Flow<'_>, index: usize) -> String {
        let text = self.text;
        let span = &self.tree.node(rows.collection).span;
        let left = index.min(rows.rows.len().saturating_sub(2));
        let (gap, right) = match rows.rows.get(left + 1) {
            Some(right) => (&text[rows.rows[left].end..right.at], right.at),
            None => (&text[span.start + 1..rows.rows[0].at], rows.rows[0].at),
        };
        if gap.contains(['\n', '\r']) {
            format!(",{}{}", self.style.eol, indentation(text, right))
        } else if rows.rows.len() > 1 && gap.starts_with(',') {
            gap.to_owned()
        } else {
            flow.comma.to_owned()
        }
    }
}
