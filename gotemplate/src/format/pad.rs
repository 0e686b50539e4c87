//! Padding to a width.

use super::Printer;
use crate::unicode;

impl Printer<'_> {
    /// Appends a text, padded to the width in characters.
    pub(super) fn padded(&mut self, text: &[u8]) {
        let Some(width) = self.specification.width else {
            return self.push(text);
        };
        let padding = width.saturating_sub(unicode::characters(text).count());
        if self.specification.minus {
            self.push(text);
            self.padding(padding);
        } else {
            self.padding(padding);
            self.push(text);
        }
    }

    /// As [`Printer::padded`], with spaces even where zeros are asked for.
    pub(super) fn padded_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::take(&mut self.specification.zero);
        self.padded(text);
        self.specification.zero = zero;
    }

    pub(super) fn padding(&mut self, count: usize) {
        let byte = if self.specification.zero && !self.specification.minus { b'0' } else { b' ' };
        self.out.resize(self.out.len() + count, byte);
    }
}
