//! Editing a document, and making sure that the result says what it should.

mod aliases;
mod difference;
mod flow;
mod mapping;
mod plan;
mod replace;
mod rows;
mod sequence;

use std::fmt::Display;
use std::ops::Range;

use serde_json::Value;

use crate::error::Error;
use crate::limits::Limits;
use crate::print::write;
use crate::style::Style;
use crate::text::skip_bom;
use crate::tree::Tree;
use difference::{Path, differences, shortened};
use plan::Planner;

/// Attempts before everything is written anew. Each rewrites more than the one before; more than two are rare.
const MOST_ATTEMPTS: usize = 12;

/// A change of the text: what stands in the range becomes this.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    range: Range<usize>,
    text: String,
}

/// The text of one document, changed so that it reads as `new` instead of `old`.
///
/// Where the two are equal the text stays as it is, byte for byte. `read` is how the text is read: `old` should be what it
/// makes of `document`, and what it makes of the result is `new` whenever there is a result. Where a change cannot be made
/// in place, the smallest block around it is written anew, at worst the whole document.
///
/// The order of keys that stay is that of the text, whatever it is in `new`. Keys and items that come stand behind the one
/// that they follow in `new`.
///
/// # Errors
/// When the text is not one YAML document, when it or a value is beyond the limits, and when `read` cannot be given a text
/// for `new`.
pub fn edit<E: Display>(
    document: &str,
    old: &Value,
    new: &Value,
    limits: &Limits,
    read: impl Fn(&str) -> Result<Value, E>,
) -> Result<String, Error> {
    edit_by(document, old, new, limits, &|text| read(text).map_err(|error| error.to_string()))
}

type Reader<'r> = dyn Fn(&str) -> Result<Value, String> + 'r;

fn edit_by(document: &str, old: &Value, new: &Value, limits: &Limits, read: &Reader<'_>) -> Result<String, Error> {
    limits.check_text(document)?;
    limits.check_value(old)?;
    limits.check_value(new)?;
    if old == new {
        return Ok(document.to_owned());
    }
    let tree = Tree::parse(document, limits)?;
    let mut style = Style::of(&tree);
    let mut forced: Vec<Path> = Vec::new();
    for attempt in 0..MOST_ATTEMPTS {
        let mut planner = Planner::new(&tree, style, &forced);
        planner.document(old, new);
        let (changes, touched) = planner.into_changes();
        let text = apply(document, changes);
        match text.as_deref().map(read) {
            Some(Ok(found)) if found == *new => return Ok(text.unwrap_or_default()),
            // A block scalar at the very end may need a line break that is not there.
            _ if style.literals => style.literals = false,
            Some(Ok(found)) => {
                let wrong = differences(&found, new, &forced);
                forced.extend(wrong);
            }
            // What is to blame is among what was touched: ever more around it is written anew.
            _ => forced.extend(shortened(&touched, attempt)),
        }
    }
    whole(document, new, limits, read)
}

/// The document written anew, with nothing left of its text.
fn whole(document: &str, new: &Value, limits: &Limits, read: &Reader<'_>) -> Result<String, Error> {
    let bom = &document[..skip_bom(document, 0)];
    let written = write(new, limits)?;
    let mut reason = String::new();
    for text in [format!("{bom}{written}"), format!("{bom}---\n{written}"), format!("{bom}{new}\n")] {
        match read(&text) {
            Ok(found) if found == *new => return Ok(text),
            Ok(_) => "it reads as another value".clone_into(&mut reason),
            Err(error) => reason = error,
        }
    }
    Err(Error::Unfaithful(reason))
}

/// The text with all changes made; `None` where two of them overlap.
fn apply(text: &str, mut changes: Vec<Change>) -> Option<String> {
    // Of those in one place, what only adds comes first, in the order in which it was added.
    changes.sort_by_key(|change| (change.range.start, !change.range.is_empty()));
    let mut edited = String::with_capacity(text.len() + changes.iter().map(|change| change.text.len()).sum::<usize>());
    let mut at = 0;
    for Change { range, text: added } in changes {
        edited.push_str(text.get(at..range.start)?);
        edited.push_str(&added);
        at = range.end;
    }
    edited.push_str(text.get(at..)?);
    Some(edited)
}
