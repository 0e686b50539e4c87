//! What changed in a file, as `diff -u` and `git diff` write it: exact, so that `patch` and `git apply` take it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::time::Duration;

use similar::{DiffOp, TextDiff};

/// Looking for the shortest difference of large documents takes long; after this any will do.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lines around a change by which `patch` finds its place, whatever document they belong to.
const CONTEXT: usize = 3;

pub(super) const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[m";

/// The differences of a file, given its documents one by one.
pub(super) struct Difference {
    paint: Paint,
    /// Number of the next line of the old file, and of the new one, from 1.
    next: (usize, usize),
    /// The last lines, as long as no change is near.
    before: VecDeque<String>,
    hunk: Option<Hunk>,
    /// Old and new documents that end within a line: the next one begins in it.
    held: (String, String),
    text: String,
}

/// Changes that are near to each other.
struct Hunk {
    /// Lines at which it begins, in the old file and in the new one.
    start: (usize, usize),
    lines: Vec<(Sign, String)>,
    /// Lines at its end that are the same.
    same: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Same,
    Old,
    New,
}

impl Difference {
    pub(super) fn new(coloured: bool) -> Self {
        Self {
            paint: Paint { coloured },
            next: (1, 1),
            before: VecDeque::new(),
            hunk: None,
            held: (String::new(), String::new()),
            text: String::new(),
        }
    }

    /// Adds the next document, as it was and as it is.
    pub(super) fn document(&mut self, old: &str, new: &str) {
        let end_lines = |(old, new): (&str, &str)| old.ends_with('\n') && new.ends_with('\n');
        if self.held.0.is_empty() && self.held.1.is_empty() && end_lines((old, new)) {
            return self.lines(old, new);
        }
        self.held.0.push_str(old);
        self.held.1.push_str(new);
        if end_lines((&self.held.0, &self.held.1)) {
            let (old, new) = std::mem::take(&mut self.held);
            self.lines(&old, &new);
        }
    }

    /// What is known by now.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The rest, when there is no other document.
    pub(super) fn end(mut self) -> String {
        let (old, new) = std::mem::take(&mut self.held);
        self.lines(&old, &new);
        self.end_hunk();
        self.text
    }

    fn lines(&mut self, old: &str, new: &str) {
        if old == new {
            return self.same_lines(old);
        }
        // Other splitters end lines at a carriage return too, and patch does not.
        let (old, new): (Vec<_>, Vec<_>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
        let difference = TextDiff::configure().timeout(PATIENCE).diff_slices(&old, &new);
        for operation in difference.ops() {
            if let DiffOp::Equal { .. } = operation {
                old[operation.old_range()].iter().for_each(|line| self.same(line));
                continue;
            }
            old[operation.old_range()].iter().for_each(|line| self.changed(Sign::Old, line));
            new[operation.new_range()].iter().for_each(|line| self.changed(Sign::New, line));
        }
    }

    fn same_lines(&mut self, text: &str) {
        let mut rest = text;
        while self.hunk.is_some() && !rest.is_empty() {
            let (line, behind) = rest.split_at(rest.find('\n').map_or(rest.len(), |end| end + 1));
            self.same(line);
            rest = behind;
        }
        // What is far from any change only counts.
        let last = memchr::memrchr_iter(b'\n', rest.as_bytes()).nth(CONTEXT).map_or(0, |end| end + 1);
        let skipped = memchr::memchr_iter(b'\n', &rest.as_bytes()[..last]).count();
        self.next = (self.next.0 + skipped, self.next.1 + skipped);
        rest[last..].split_inclusive('\n').for_each(|line| self.same(line));
    }

    fn same(&mut self, line: &str) {
        self.next = (self.next.0 + 1, self.next.1 + 1);
        match &mut self.hunk {
            Some(hunk) => {
                hunk.lines.push((Sign::Same, line.to_owned()));
                hunk.same += 1;
                // Fewer would be shown twice.
                if hunk.same > 2 * CONTEXT {
                    self.end_hunk();
                }
            }
            None => {
                self.before.push_back(line.to_owned());
                if self.before.len() > CONTEXT {
                    self.before.pop_front();
                }
            }
        }
    }

    fn changed(&mut self, sign: Sign, line: &str) {
        let (before, next) = (&mut self.before, self.next);
        let hunk = self.hunk.get_or_insert_with(|| Hunk {
            start: (next.0 - before.len(), next.1 - before.len()),
            lines: before.drain(..).map(|line| (Sign::Same, line)).collect(),
            same: 0,
        });
        hunk.lines.push((sign, line.to_owned()));
        hunk.same = 0;
        match sign {
            Sign::New => self.next.1 += 1,
            _ => self.next.0 += 1,
        }
    }

    /// Of the lines behind the last change, a hunk has as many as before the first one.
    fn end_hunk(&mut self) {
        let Some(Hunk { start, mut lines, same }) = self.hunk.take() else { return };
        let behind = lines.split_off(lines.len() - same.saturating_sub(CONTEXT));
        self.before = behind.into_iter().map(|(_, line)| line).collect();
        while self.before.len() > CONTEXT {
            self.before.pop_front();
        }
        let count = |other: Sign| lines.iter().filter(|(sign, _)| *sign != other).count();
        let header = format!("@@ -{} +{} @@", place(start.0, count(Sign::New)), place(start.1, count(Sign::Old)));
        self.paint.line(&mut self.text, CYAN, &header);
        for (sign, line) in lines {
            let (sign, colour) = match sign {
                Sign::Same => (' ', ""),
                Sign::Old => ('-', RED),
                Sign::New => ('+', GREEN),
            };
            self.paint.line(&mut self.text, colour, &format!("{sign}{}", line.strip_suffix('\n').unwrap_or(&line)));
            if !line.ends_with('\n') {
                self.text.push_str("\\ No newline at end of file\n");
            }
        }
    }
}

/// A patch is exact; what is coloured is for a terminal, which a file must not steer.
pub(super) struct Paint {
    pub(super) coloured: bool,
}

impl Paint {
    pub(super) fn line(&self, text: &mut String, colour: &str, line: &str) {
        let shown = |line: &str| {
            let line = line.strip_suffix('\r').unwrap_or(line);
            line.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect::<String>()
        };
        // Writing to a string does not fail.
        let _ = match (self.coloured, colour) {
            (false, _) => writeln!(text, "{line}"),
            (true, "") => writeln!(text, "{}", shown(line)),
            (true, colour) => writeln!(text, "{colour}{}{PLAIN}", shown(line)),
        };
    }
}

/// A range without lines stands behind the line before it.
fn place(start: usize, length: usize) -> String {
    match length {
        0 => format!("{},0", start.saturating_sub(1)),
        1 => format!("{start}"),
        length => format!("{start},{length}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(documents: &[(&str, &str)]) -> String {
        let mut difference = Difference::new(false);
        documents.iter().for_each(|(old, new)| difference.document(old, new));
        difference.end()
    }

    fn same(text: &str) -> (&str, &str) {
        (text, text)
    }

    #[test]
    fn the_lines_around_are_those_of_the_documents_around() {
        let text = difference(&[same("1\n2\n3\n4\n"), ("---\na\n", "---\nb\n"), same("---\n5\n6\n7\n8\n")]);
        assert_eq!(text, "@@ -3,7 +3,7 @@\n 3\n 4\n ---\n-a\n+b\n ---\n 5\n 6\n");
    }

    #[test]
    fn near_changes_are_one_hunk_and_far_ones_are_two() {
        let change = |from, to| (from, to);
        let near = difference(&[change("a\n", "b\n"), same("1\n2\n3\n4\n5\n6\n"), change("c\n", "d\nd\n")]);
        assert_eq!(near, "@@ -1,8 +1,9 @@\n-a\n+b\n 1\n 2\n 3\n 4\n 5\n 6\n-c\n+d\n+d\n");
        let far = difference(&[change("a\n", "b\nb\n"), same("1\n2\n3\n4\n5\n6\n7\n"), change("c\n", "d\n")]);
        assert_eq!(far, "@@ -1,4 +1,5 @@\n-a\n+b\n+b\n 1\n 2\n 3\n@@ -6,4 +7,4 @@\n 5\n 6\n 7\n-c\n+d\n");
        let long = "x\n".repeat(100);
        let counted = difference(&[change("a\n", "b\nb\n"), same(&long), same(&long), change("c\n", "d\n")]);
        assert!(counted.ends_with("@@ -199,4 +200,4 @@\n x\n x\n x\n-c\n+d\n"), "{counted}");
        assert_eq!(difference(&[same("a\n")]), "");
    }

    #[test]
    fn a_last_line_without_end_is_marked() {
        let none = "\\ No newline at end of file\n";
        assert_eq!(difference(&[("a", "b")]), format!("@@ -1 +1 @@\n-a\n{none}+b\n{none}"));
        assert_eq!(difference(&[("a\n", "b\n"), same("c")]), format!("@@ -1,2 +1,2 @@\n-a\n+b\n c\n{none}"));
    }

    #[test]
    fn a_carriage_return_ends_no_line() {
        assert_eq!(difference(&[same("a\r"), ("b\rc\n", "d\rc\n")]), "@@ -1 +1 @@\n-a\rb\rc\n+a\rd\rc\n");
    }

    #[test]
    fn colours_are_for_terminals_and_no_text_is() {
        let mut difference = Difference::new(true);
        difference.document("\ta\u{1b}[2J\r\n", "b\n");
        assert_eq!(difference.end(), "\x1b[36m@@ -1 +1 @@\x1b[m\n\x1b[31m-\ta?[2J\x1b[m\n\x1b[32m+b\x1b[m\n");
    }
}
