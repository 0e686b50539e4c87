//! What changed in a document, as `diff -u` and `git diff` write it.

use std::fmt::Write;
use std::time::Duration;

use similar::{ChangeTag, DiffOp, TextDiff};

use crate::cli::printable;

/// Looking for the shortest difference of large documents takes long; after this any will do.
const PATIENCE: Duration = Duration::from_secs(2);

/// The differences of a document, from these lines of the old file and of the new one on, from 1. Empty if there are none.
pub(super) fn hunks(old: &str, new: &str, old_line: usize, new_line: usize, coloured: bool) -> String {
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let paint = Paint { coloured };
    let mut text = String::new();
    for hunk in difference.unified_diff().iter_hunks() {
        let (old_range, new_range) = ranges(hunk.ops());
        let header = format!("@@ -{} +{} @@", place(old_range, old_line), place(new_range, new_line));
        paint.line(&mut text, CYAN, &header);
        for change in hunk.iter_changes() {
            let (sign, colour) = match change.tag() {
                ChangeTag::Equal => (' ', ""),
                ChangeTag::Delete => ('-', RED),
                ChangeTag::Insert => ('+', GREEN),
            };
            let line = change.value();
            let shown = line.strip_suffix('\n').unwrap_or(line);
            paint.line(&mut text, colour, &format!("{sign}{shown}"));
            if !line.ends_with('\n') {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// The lines that say which file the differences are of.
pub(super) fn header(name: &str, coloured: bool) -> String {
    let paint = Paint { coloured };
    let (old, new) = if name.starts_with('/') { ("", "") } else { ("a/", "b/") };
    let mut text = String::new();
    let name = printable(name);
    paint.line(&mut text, BOLD, &format!("--- {old}{name}"));
    paint.line(&mut text, BOLD, &format!("+++ {new}{name}"));
    text
}

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[m";

struct Paint {
    coloured: bool,
}

impl Paint {
    /// A patch is exact; what is coloured is for a terminal, which a file must not steer.
    fn line(&self, text: &mut String, colour: &str, line: &str) {
        // Writing to a string does not fail.
        let _ = match (self.coloured, colour) {
            (false, _) => writeln!(text, "{line}"),
            (true, "") => writeln!(text, "{}", printable(line)),
            (true, colour) => writeln!(text, "{colour}{}{PLAIN}", printable(line)),
        };
    }
}

type Lines = std::ops::Range<usize>;

fn ranges(operations: &[DiffOp]) -> (Lines, Lines) {
    match (operations.first(), operations.last()) {
        (Some(first), Some(last)) => {
            let (old, new) = (first.old_range().start..last.old_range().end, first.new_range());
            (old, new.start..last.new_range().end)
        }
        _ => (0..0, 0..0),
    }
}

/// A range without lines stands behind the line before it.
fn place(range: Lines, first_line: usize) -> String {
    match range.len() {
        0 => format!("{},0", (range.start + first_line).saturating_sub(1)),
        1 => format!("{}", range.start + first_line),
        length => format!("{},{length}", range.start + first_line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_count_from_the_lines_of_their_files() {
        let text = hunks("---\na: 1\nb: 2\n", "---\na: 1\nc: 3\nb: 2\n", 10, 20, false);
        assert_eq!(text, "@@ -10,3 +20,4 @@\n ---\n a: 1\n+c: 3\n b: 2\n");
        assert_eq!(hunks("a\n", "a\n", 1, 1, false), "");
    }

    #[test]
    fn a_last_line_without_end_is_marked() {
        let text = hunks("a", "b", 1, 1, false);
        assert_eq!(text, "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n");
    }

    #[test]
    fn colours_are_for_terminals_and_no_text_is() {
        let text = hunks("a\u{1b}[2J\n", "b\n", 1, 1, true);
        assert_eq!(text, "\x1b[36m@@ -1 +1 @@\x1b[m\n\x1b[31m-a?[2J\x1b[m\n\x1b[32m+b\x1b[m\n");
        assert_eq!(header("a.yaml", false), "--- a/a.yaml\n+++ b/a.yaml\n");
        assert_eq!(header("/tmp/a.yaml", false), "--- /tmp/a.yaml\n+++ /tmp/a.yaml\n");
    }
}
