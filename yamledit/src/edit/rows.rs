//! Entries of a mapping or items of a sequence that stay, go and come, in blocks.
//!
//! A row is deleted with the line or lines that it stands on, with the comment lines right above it that begin in its
//! column, and with the comment lines behind it that are indented deeper. Comments at the head of the document belong to
//! no row. A row is added behind everything that would be deleted with the row before it, or in front of everything that
//! would be deleted with the first row: so that deleting it again gives the text back.

use serde_json::Value;

use super::plan::{Cannot, Planner};
use crate::print::Printer;
use crate::style::Flow;
use crate::text::{Line, after_break, before_break, column, line_at, line_end, line_start, skip_blanks, starts_line};
use crate::tree::NodeId;

/// The rows of a collection, and those to be added.
#[derive(Debug)]
pub(super) struct Rows<'a, 'v> {
    pub(super) collection: NodeId,
    /// In the order of the text; at least one of them stays.
    pub(super) rows: Vec<Row>,
    pub(super) added: Vec<Added<'v>>,
    /// How the collection is written, if not in block style.
    pub(super) flow: Option<Flow<'a>>,
    /// Columns from a dash to what stands behind it.
    pub(super) dash: usize,
}

/// An entry or an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) stays: bool,
}

/// An entry or an item to be added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added<'v> {
    /// Index of the row that it comes behind; `None` for in front of all.
    pub(super) after: Option<usize>,
    /// `None` for an item.
    pub(super) key: Option<&'v str>,
    pub(super) value: &'v Value,
}

impl<'v> Rows<'_, 'v> {
    pub(super) fn added_after(&self, row: Option<usize>) -> impl DoubleEndedIterator<Item = &Added<'v>> {
        self.added.iter().filter(move |added| added.after == row)
    }

    /// Rows at the front that go.
    pub(super) fn leading(&self) -> usize {
        self.rows.iter().take_while(|row| !row.stays).count()
    }
}

impl Planner<'_, '_, '_> {
    /// Plans additions and deletions; `walk` plans what changes within the row with that index.
    pub(super) fn rows(
        &mut self,
        rows: &Rows<'_, '_>,
        mut walk: impl FnMut(&mut Self, usize) -> Result<(), Cannot>,
    ) -> Result<(), Cannot> {
        if let Some(flow) = &rows.flow {
            return self.flow_rows(rows, flow, walk);
        }
        let column = column(self.text, rows.rows[0].at);
        let is_inline = !starts_line(self.text, rows.rows[0].at);
        self.add_in_front(rows, column, is_inline);
        // Where no line break stands before the first rows, they go with those behind them.
        let start = if is_inline { rows.rows[0].at } else { self.attached(rows, 0, column) };
        let at_once = if is_inline || before_break(self.text, start).is_none() { rows.leading() } else { 0 };
        if at_once > 0 {
            let next = after_break(self.text, self.extent(rows, at_once - 1, column));
            let next = if is_inline { skip_blanks(self.text, next) } else { next };
            self.change(start..next, "");
        }
        let mut behind = by_row(rows);
        for (index, row) in rows.rows.iter().enumerate() {
            if row.stays {
                walk(self, index)?;
                let end = self.extent(rows, index, column);
                for added in behind.remove(&index).unwrap_or_default() {
                    let text = self.printed(rows, added, end, true);
                    self.change(end..end, text);
                }
            } else if index >= at_once {
                self.delete(rows, index, column);
            }
        }
        Ok(())
    }

    fn add_in_front(&mut self, rows: &Rows<'_, '_>, column: usize, is_inline: bool) {
        let first = rows.rows[0].at;
        let start = self.attached(rows, 0, column);
        for added in rows.added_after(None) {
            let (at, text) = if is_inline {
                let text = self.printed(rows, added, first, false);
                (first, format!("{text}{}{}", self.style_at(first).eol, " ".repeat(column)))
            } else if let Some(before) = before_break(self.text, start) {
                (before, self.printed(rows, added, before, true))
            } else {
                let text = self.printed(rows, added, start, false);
                (start, format!("{}{text}{}", " ".repeat(column), self.style_at(start).eol))
            };
            self.change(at..at, text);
        }
    }

    /// A new row to be put at `at`, on a new line or on the one there.
    fn printed(&self, rows: &Rows<'_, '_>, added: &Added<'_>, at: usize, new_line: bool) -> String {
        let column = column(self.text, rows.rows[0].at);
        let mut printer = Printer::new(self.style_at(at));
        if new_line {
            printer.new_line(column);
        }
        match added.key {
            Some(key) => printer.entry(key, added.value, column),
            None => printer.item(added.value, column, rows.dash),
        }
        printer.out
    }

    fn delete(&mut self, rows: &Rows<'_, '_>, index: usize, column: usize) {
        let start = self.attached(rows, index, column);
        let end = self.extent(rows, index, column);
        let next = after_break(self.text, end);
        let before = before_break(self.text, start).unwrap_or(start);
        // Of the blank lines on both sides one is enough.
        let is_after_blank = line_at(self.text, line_start(self.text, before)) == Line::Blank;
        let is_before_blank = next > end && next < self.text.len() && line_at(self.text, next) == Line::Blank;
        let end = if is_after_blank && is_before_blank { line_end(self.text, next) } else { end };
        self.change(before..end, "");
    }

    /// Where the comment lines begin that belong to a row, or its own line if there are none.
    fn attached(&self, rows: &Rows<'_, '_>, index: usize, column: usize) -> usize {
        let mut start = line_start(self.text, rows.rows[index].at);
        let is_head = index == 0 && self.tree.root == Some(rows.collection);
        let floor = if index == 0 { 0 } else { rows.rows[index - 1].end };
        while let Some(before) = before_break(self.text, start).filter(|before| !is_head && *before >= floor) {
            let line = line_start(self.text, before);
            if line_at(self.text, line) != Line::Comment(column) || line < floor {
                break;
            }
            start = line;
        }
        start
    }

    /// The end of the last line that belongs to a row, before its line break.
    fn extent(&self, rows: &Rows<'_, '_>, index: usize, column: usize) -> usize {
        let mut extent = line_end(self.text, rows.rows[index].end);
        let mut line = after_break(self.text, extent);
        while line < self.text.len() {
            let end = line_end(self.text, line);
            match line_at(self.text, line) {
                Line::Blank => {}
                Line::Comment(at) if at > column => extent = end,
                Line::Comment(_) | Line::Other => break,
            }
            let next = after_break(self.text, end);
            if next == end {
                break;
            }
            line = next;
        }
        extent
    }
}

/// What is added, by the row that it comes behind.
fn by_row<'r, 'v>(rows: &'r Rows<'_, 'v>) -> std::collections::HashMap<usize, Vec<&'r Added<'v>>> {
    let mut by_row: std::collections::HashMap<usize, Vec<&Added<'v>>> = std::collections::HashMap::new();
    for added in &rows.added {
        if let Some(row) = added.after {
            by_row.entry(row).or_default().push(added);
        }
    }
    by_row
}
