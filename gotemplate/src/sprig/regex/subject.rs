//! Texts to search in.

use std::borrow::Cow;
use std::ops::Range;

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::sprig::text::{push, runes};

/// A text to search in. Go takes each byte that is not UTF-8 for U+FFFD, so a search is in a text with these, and
/// positions in it are translated back.
pub(super) struct Subject<'a> {
    original: &'a [u8],
    text: Cow<'a, [u8]>,
    /// Where in `text` replaced bytes end, in order.
    replaced: Vec<usize>,
}

/// Bytes by which U+FFFD is longer than what it replaces.
const LONGER: usize = char::REPLACEMENT_CHARACTER.len_utf8() - 1;

impl<'a> Subject<'a> {
    pub(super) fn new(budget: &Budget, original: &'a [u8]) -> Result<Self, FunctionError> {
        if std::str::from_utf8(original).is_ok() {
            return Ok(Self { original, text: Cow::Borrowed(original), replaced: Vec::new() });
        }
        budget.allocate(original.len().saturating_mul(LONGER + 1))?;
        let mut text = Vec::with_capacity(original.len());
        let mut replaced = Vec::new();
        for rune in runes(original) {
            push(&mut text, rune.character);
            if rune.width < rune.character.len_utf8() {
                replaced.push(text.len());
            }
        }
        Ok(Self { original, text: Cow::Owned(text), replaced })
    }

    /// Valid UTF-8.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// What the original has in a range of the text.
    pub(super) fn part(&self, range: Range<usize>) -> Option<&'a [u8]> {
        self.original.get(self.position(range.start)..self.position(range.end))
    }

    fn position(&self, position: usize) -> usize {
        position - LONGER * self.replaced.partition_point(|&end| end <= position)
    }
}
