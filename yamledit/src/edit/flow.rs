//! Entries and items that stay, go and come, within brackets.

use super::plan::{Cannot, Planner};
use super::rows::{Added, Rows};
use crate::print::Printer;
use crate::style::Flow;
use crate::text::{indentation, line_end, skip_blanks};
use crate::tree::{Kind, Layout};

/// What stands behind a row on its line.
#[derive(Clone, Copy, Debug)]
struct Rest {
    comma: Option<usize>,
    has_comment: bool,
    /// The end of the line.
    end: usize,
}

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
        let mut gone = None;
        for (index, row) in rows.rows.iter().enumerate().skip(leading) {
            if !row.stays {
                gone = gone.or(Some(index));
                continue;
            }
            if let Some(from) = gone.take() {
                self.flow_delete(rows, from, index - 1);
            }
            walk(self, index)?;
            self.flow_add(rows, flow, index);
        }
        if let Some(from) = gone {
            self.flow_delete(rows, from, rows.rows.len() - 1);
        }
        Ok(())
    }

    /// Adds what comes behind a row. A comment on the row's line stays there.
    fn flow_add(&mut self, rows: &Rows<'_, '_>, flow: &Flow<'_>, index: usize) {
        let row = rows.rows[index];
        let line = self.commented(row.end).filter(|line| line.comma.is_some() || index + 1 == rows.rows.len());
        let Some(line) = line else {
            for added in rows.added_after(Some(index)) {
                let text = self.separator(rows, flow, index) + &self.flow_printed(added, flow, row.at);
                self.change(row.end..row.end, text);
            }
            return;
        };
        let mut added = rows.added_after(Some(index)).peekable();
        if line.comma.is_none() && added.peek().is_some() {
            self.change(row.end..row.end, ",");
        }
        let indentation = indentation(self.text, row.at);
        while let Some(row_added) = added.next() {
            let comma = if line.comma.is_some() || added.peek().is_some() { "," } else { "" };
            let text = self.flow_printed(row_added, flow, row.at);
            let text = format!("{}{indentation}{text}{comma}", self.style_at(row.at).eol);
            self.change(line.end..line.end, text);
        }
    }

    /// Deletes rows that stand behind one that stays. A comment on the line of that one stays there.
    fn flow_delete(&mut self, rows: &Rows<'_, '_>, from: usize, to: usize) {
        let (before, last) = (rows.rows[from - 1], rows.rows[to]);
        let comment = self.commented(before.end).filter(|line| line.end < rows.rows[from].at);
        let Some(line) = comment else {
            self.change(before.end..last.end, "");
            return;
        };
        match self.rest(last.end) {
            // Its own comma goes with it.
            Some(own) if own.comma.is_some() => self.change(line.end..own.end, ""),
            own => {
                let is_last = to + 1 == rows.rows.len();
                let Some(comma) = line.comma.filter(|_| is_last) else {
                    self.change(before.end..last.end, "");
                    return;
                };
                self.change(comma..comma + 1, "");
                self.change(line.end..own.map_or(last.end, |own| own.end), "");
            }
        }
    }

    /// What stands on the line behind a row, if there is a comment.
    fn commented(&self, end: usize) -> Option<Rest> {
        self.rest(end).filter(|rest| rest.has_comment)
    }

    /// What stands on the line behind a row; `None` if it is more than a comma and a comment.
    fn rest(&self, end: usize) -> Option<Rest> {
        let bytes = self.text.as_bytes();
        let first = skip_blanks(self.text, end);
        let comma = (bytes.get(first) == Some(&b',')).then_some(first);
        let next = comma.map_or(first, |comma| skip_blanks(self.text, comma + 1));
        // The line is not looked through: it may be as long as the document.
        let (has_comment, is_end) = match bytes.get(next) {
            Some(b'#') => (next > end, false),
            found => (false, matches!(found, None | Some(b'\n' | b'\r'))),
        };
        (has_comment || is_end).then(|| Rest { comma, has_comment, end: line_end(self.text, next) })
    }

    fn flow_printed(&self, added: &Added<'_>, flow: &Flow<'_>, beside: usize) -> String {
        let mut printer = Printer::new(self.style_at(beside));
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
            format!(",{}{}", self.style_at(rows.rows[left].end).eol, indentation(text, right))
        } else if rows.rows.len() > 1 && gap.starts_with(',') {
            gap.to_owned()
        } else {
            flow.comma.to_owned()
        }
    }
}
