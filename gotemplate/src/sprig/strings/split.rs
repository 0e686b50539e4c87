//! Texts in parts.

use bstr::ByteSlice;

use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::sprig::collections::{StringMap, Strings};
use crate::sprig::text::runes;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("splitList", |budget: &Budget, separator: Str, text: Str| {
            split(budget, &text, &separator, -1).map(Strings)
        })
        .add("split", |budget: &Budget, separator: Str, text: Str| numbered(split(budget, &text, &separator, -1)?))
        .add("splitn", |budget: &Budget, separator: Str, count: isize, text: Str| {
            numbered(split(budget, &text, &separator, count)?)
        });
}

/// The parts between separators: at most `count` of them, the last of which has what is left, or all when it is
/// negative. An empty separator splits between runes. None at all when none are wanted.
fn split(budget: &Budget, text: &[u8], separator: &[u8], count: isize) -> Result<Option<Vec<Str>>, FunctionError> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(None);
    }
    let mut parts = Vec::new();
    let mut add = |part: &[u8]| {
        budget.allocate_values(1)?;
        parts.push(super::text(budget, part.to_vec())?);
        Ok::<_, FunctionError>(())
    };
    if separator.is_empty() {
        for (position, rune) in runes(text).enumerate() {
            let is_last = position + 1 == limit;
            add(text.get(rune.start..if is_last { text.len() } else { rune.start + rune.width }).unwrap_or_default())?;
            if is_last {
                break;
            }
        }
    } else {
        text.splitn_str(limit, separator).try_for_each(add)?;
    }
    Ok(Some(parts))
}

/// The parts by number: `_0`, `_1` …
fn numbered(parts: Option<Vec<Str>>) -> Result<StringMap, FunctionError> {
    let entries = parts.unwrap_or_default().into_iter().enumerate();
    Ok(StringMap(entries.map(|(position, part)| (format!("_{position}").into(), part)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_stands_between_separators() {
        let check = |text: &str, separator: &str, count, expected: &[&str]| {
            let parts = split(&Budget::default(), text.as_bytes(), separator.as_bytes(), count).unwrap();
            assert_eq!(parts.unwrap_or_default(), expected);
        };
        check("a,b,,c", ",", -1, &["a", "b", "", "c"]);
        check("a,b,c", ",", 2, &["a", "b,c"]);
        check("a,b,c", ",", 0, &[]);
        check("", ",", -1, &[""]);
        check("äöü", "", -1, &["ä", "ö", "ü"]);
        check("äöü", "", 2, &["ä", "öü"]);
        check("", "", -1, &[]);
    }
}
