//! The original text of what was injected, where that cannot be told from the new text and what it says.
//!
//! An injection is undone from its record in the status annotation, which knows values, and not how they were written: a
//! port in quotes that is replaced by a number comes back without them, and the comment behind it not at all. What is
//! missing is put into comments at the end of the object, where neither Kubernetes nor an API server sees it:
//!
//! ```text
//! # uninject: [11,["      port: http\n"],["      port: \"http\"   # in the image\n"]]
//! ```
//!
//! Where the text that an uninjection comes to has the first lines, at or near its 12th line, it gets the others instead.
//! What has changed too much since for that stays in its comment.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use similar::{DiffTag, TextDiff};

/// What such a comment begins with.
const START: &str = "# uninject: ";
/// Lines that are looked at to find where something belongs. They are where they were unless somebody edited the text.
const MOST_STEPS: usize = 20_000_000;
/// How often a text is read to see whether it still says the same.
const MOST_CHECKS: usize = 200;

/// Lines of a text, and what stood in their place: the first line's number, from 0; the lines, with their ends; and those
/// of the original.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Hunk(usize, Vec<String>, Vec<String>);

/// A text with what could be put back, and what could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Restored {
    pub(super) text: String,
    pub(super) left: Vec<Hunk>,
}

/// What makes `original` of `text`.
pub(super) fn hunks(text: &str, original: &str) -> Vec<Hunk> {
    let (old_lines, new_lines) = (lines(text), lines(original));
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    let difference = TextDiff::from_lines(text, original);
    let changes = difference.ops().iter().filter(|change| change.tag() != DiffTag::Equal);
    changes
        .map(|change| {
            let (mut old, mut new) = (change.old_range(), change.new_range());
            // What is only added is found by the line before it, or behind it.
            if old.is_empty() && old.start > 0 {
                (old.start, new.start) = (old.start - 1, new.start.saturating_sub(1));
            } else if old.is_empty() {
                (old.end, new.end) = ((old.end + 1).min(old_lines.len()), (new.end + 1).min(new_lines.len()));
            }
            let lines_in = |lines: &[&str], range: Range<usize>| owned(lines.get(range).unwrap_or_default());
            Hunk(old.start, lines_in(&old_lines, old), lines_in(&new_lines, new))
        })
        .collect()
}

/// The text with comments that say this; none where there can be no comments.
pub(super) fn commented(text: &str, hunks: &[Hunk]) -> Option<String> {
    let records: Vec<String> = hunks.iter().map(serde_json::to_string).collect::<Result<_, _>>().ok()?;
    let is_no_break =
        |character: char| !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}');
    if is_json(text) || !records.iter().flat_map(|record| record.chars()).all(is_no_break) {
        return None;
    }
    let end = line_end(text);
    let comments: String = records.iter().flat_map(|record| [START, record, end]).collect();
    let (before, mark) = text.split_at(text.len() - end_mark(text));
    Some(format!("{before}{comments}{mark}"))
}

/// Bytes from the mark of the end on, if the text has one: what stands behind it would be part of the next document.
fn end_mark(text: &str) -> usize {
    let (mut behind, mut marked) = (0, 0);
    for line in lines(text).into_iter().rev() {
        behind += line.len();
        match content(line).trim_start() {
            mark if mark.starts_with("...") && line.starts_with("...") => marked = behind,
            nothing if nothing.is_empty() || nothing.starts_with('#') => {}
            _ => break,
        }
    }
    marked
}

/// The text without such comments.
pub(super) fn bare(text: &str) -> Cow<'_, str> {
    if !text.contains(START) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(lines(text).into_iter().filter(|line| hunk(line).is_none()).collect())
}

/// The text with what its comments put back into the lines before them, if `is_right` says so of the result.
pub(super) fn restored(text: &str, is_right: impl Fn(&str) -> bool) -> Restored {
    if !text.contains(START) {
        return Restored { text: text.to_owned(), left: Vec::new() };
    }
    let mut steps = MOST_STEPS;
    let all = put_back(text, None, &mut steps);
    if is_right(&all.text) { all } else { put_back(text, Some(&is_right), &mut steps) }
}

/// With `is_right`, each is put back by itself if it says so, and no more than some hundred: it reads the whole text.
fn put_back(text: &str, is_right: Option<&dyn Fn(&str) -> bool>, steps: &mut usize) -> Restored {
    let all = lines(text);
    let mut restored = Restored::default();
    let (mut at, mut checks) = (0, MOST_CHECKS);
    while at < all.len() {
        let comments = (at..all.len()).find(|line| hunk(all[*line]).is_some()).unwrap_or(all.len());
        let behind = (comments..all.len()).find(|line| hunk(all[*line]).is_none()).unwrap_or(all.len());
        let mut region: Vec<Cow<'_, str>> = all[at..comments].iter().map(|line| Cow::Borrowed(*line)).collect();
        let mut left = Vec::new();
        // From the end: the places of those before stay what they are.
        for hunk in all[comments..behind].iter().rev().filter_map(|line| hunk(line)) {
            let Some(place) = hunk.place_in(&region, steps) else {
                left.push(hunk);
                continue;
            };
            let put = hunk.put(&region[place.clone()]);
            let now = place.start..place.start + put.len();
            let were: Vec<_> = region.splice(place, put).collect();
            let is_wrong = is_right.is_some_and(|is_right| {
                let may_check = checks > 0;
                checks = checks.saturating_sub(1);
                let whole = || format!("{}{}{}", restored.text, region.concat(), all[behind..].concat());
                !(may_check && is_right(&whole()))
            });
            if is_wrong {
                region.splice(now, were);
                left.push(hunk);
            }
        }
        left.reverse();
        let region = region.concat();
        match commented(&with_line_end(&region), &left) {
            Some(commented) if !left.is_empty() => restored.text.push_str(&commented),
            _ => restored.text.push_str(&region),
        }
        restored.left.extend(left);
        at = behind;
    }
    restored
}

impl Hunk {
    /// Where the lines are that it is for: at its number, or else as near as they are. Each line that is looked at is a
    /// step, and where these are used up there is none.
    fn place_in(&self, lines: &[Cow<'_, str>], steps: &mut usize) -> Option<Range<usize>> {
        let Self(at, old, _) = self;
        let last = lines.len().checked_sub(old.len()).filter(|_| !old.is_empty())?;
        let mut is_here = |place: usize| {
            *steps = steps.checked_sub(1)?;
            let window = &lines[place..place + old.len()];
            Some(window.iter().zip(old).all(|(line, old)| content(line) == content(old)))
        };
        let first = (*at).min(last);
        for distance in 0..=last {
            let before = first.checked_sub(distance);
            let behind = first.checked_add(distance).filter(|place| *place <= last && distance > 0);
            for place in before.into_iter().chain(behind) {
                if is_here(place)? {
                    return Some(place..place + old.len());
                }
            }
        }
        None
    }

    /// What takes the place of the lines that were found, with their ends if those have changed.
    fn put(&self, found: &[Cow<'_, str>]) -> Vec<Cow<'static, str>> {
        let Self(_, old, new) = self;
        let has_same_ends = found.iter().zip(old).all(|(line, old)| line == old);
        let end = found.first().map_or("\n", |line| &line[content(line).len()..]);
        new.iter()
            .map(|line| Cow::Owned(if has_same_ends { line.clone() } else { format!("{}{end}", content(line)) }))
            .collect()
    }
}

/// What a comment says.
fn hunk(line: &str) -> Option<Hunk> {
    serde_json::from_str(line.strip_prefix(START)?.trim_end()).ok()
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn content(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The text with an end of its last line.
pub(super) fn with_line_end(text: &str) -> Cow<'_, str> {
    if text.ends_with('\n') { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}{}", line_end(text))) }
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// JSON has no comments; YAML in brackets does.
fn is_json(text: &str) -> bool {
    let document = text.trim_start_matches(['\u{feff}', '-']).trim_start();
    document.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(document).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a: 1\nb: http\nc: 2\n";
    const ORIGINAL: &str = "# it\na: 1\n\nb: \"http\"   # it\nc: 2";

    fn record() -> String {
        commented(TEXT, &hunks(TEXT, ORIGINAL)).unwrap()
    }

    fn put(text: &str) -> (String, usize) {
        let Restored { text, left } = restored(text, |_| true);
        (text, left.len())
    }

    #[test]
    fn the_original_comes_back_from_the_comments() {
        assert_eq!(put(&record()), (ORIGINAL.to_owned(), 0));
        assert_eq!(bare(&record()), TEXT);
        assert_eq!(put(TEXT), (TEXT.to_owned(), 0));
    }

    #[test]
    fn it_is_put_where_the_lines_are_now_and_what_has_changed_stays_in_its_comment() {
        let moved = format!("---\nz: 0\n{}", record());
        assert_eq!(put(&moved), (format!("---\nz: 0\n{ORIGINAL}"), 0));
        let windows = record().replace('\n', "\r\n");
        assert!(put(&windows).0.starts_with("# it\r\na: 1\r\n\r\nb: \"http\"   # it\r\n"), "{:?}", put(&windows));
        let edited = record().replace("b: http\nc", "b: tcp\nc");
        let (text, left) = put(&edited);
        assert!(left == 1 && text.starts_with("# it\na: 1\nb: tcp\nc: 2\n# uninject: [1,"), "{text}");
        let Restored { left, .. } = restored(&record(), |text| !text.contains('"'));
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_a_comment_like_others() {
        for text in
            ["a: 1\n# uninject: {\n", "a: \"# uninject: {}\"\n", "# uninject: [0,[],[]]x\n", "# uninject: [9,[],[]]\n"]
        {
            assert!(put(text).0.contains("# uninject: "), "{text}");
        }
        let far = format!("a: 1\n# uninject: [{},[\"b\\n\"],[]]\n", usize::MAX);
        assert_eq!(put(&far), (far.clone(), 1));
    }

    #[test]
    fn a_great_many_comments_that_fit_nowhere_take_no_great_while() {
        let text = format!("{}{}", "a\n".repeat(50_000), "# uninject: [0,[\"b\\n\"],[]]\n".repeat(50_000));
        let Restored { text: found, left } = restored(&text, |_| false);
        assert_eq!((found == text, left.len()), (true, 50_000));
    }

    #[test]
    fn comments_stand_before_the_mark_of_the_end_and_never_in_json() {
        let hunks = hunks("a: 1\n...\n", "a:  1\n...\n");
        let text = commented("a: 1\n...\n", &hunks).unwrap();
        assert!(text.starts_with("a: 1\n# uninject: ") && text.ends_with("\n...\n"), "{text}");
        assert_eq!(put(&text), ("a:  1\n...\n".to_owned(), 0));
        let text = commented("...\na: 1\n", &hunks).unwrap();
        assert!(text.starts_with("...\na: 1\n# uninject: "), "{text}");
        assert_eq!(commented("---\n{\n}\n", &hunks), None);
        assert!(commented("{a: 1}\n", &hunks).is_some());
    }
}
