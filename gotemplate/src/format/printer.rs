//! Where text goes, and how the operand at hand is to look.

use std::fmt;
use std::io::Write;

use super::quote;
use crate::function::FunctionError;
use crate::limits::Budget;

/// Charged for each level of values within each other, since printing them takes stack.
const LEVEL: usize = 1024;

/// Quoted text grows up to five times; it is paid for in pieces of this length.
const PIECE: usize = 64 * 1024;

/// Prints the operands of one call.
pub(super) struct Printer<'a> {
    out: &'a mut Vec<u8>,
    budget: &'a Budget,
    /// So much of `out` is charged.
    paid: usize,
    pub(super) flags: Flags,
    /// Within `%!verb(type=value)`, where values are not asked how they print.
    pub(super) is_complaint: bool,
    depth: usize,
    deepest: usize,
}

/// How an operand is to look.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`: structs with the names of their fields
    pub(super) field_names: bool,
    /// `%#v`: values as Go would write them
    pub(super) go_syntax: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, budget: &'a Budget) -> Self {
        let paid = out.len();
        Self { out, budget, paid, flags: Flags::default(), is_complaint: false, depth: 0, deepest: 0 }
    }

    /// Writes a short text, to be paid for with what follows.
    pub(super) fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn character(&mut self, character: char) {
        quote::push(self.out, character);
    }

    pub(super) fn display(&mut self, value: impl fmt::Display) {
        // A vector takes whatever is written to it.
        let _ = write!(self.out, "{value}");
    }

    /// Writes a text of any length.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), FunctionError> {
        self.reserve(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Charges for what is about to be written.
    pub(super) fn reserve(&mut self, count: usize) -> Result<(), FunctionError> {
        self.budget.allocate(count)?;
        self.paid += count;
        Ok(())
    }

    /// Charges for what was written since.
    pub(super) fn pay(&mut self) -> Result<(), FunctionError> {
        let unpaid = self.out.len().saturating_sub(self.paid);
        self.reserve(unpaid)
    }

    /// Writes so many zeros or spaces, as the flags say.
    pub(super) fn padding(&mut self, count: usize) -> Result<(), FunctionError> {
        self.reserve(count)?;
        let fill = self.flags.fill();
        self.out.resize(self.out.len() + count, fill);
        Ok(())
    }

    /// Writes what `write` appends, padded to the width.
    pub(super) fn padded(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), FunctionError> {
        let start = self.out.len();
        write(self.out);
        self.pad(start)
    }

    /// Writes a text of any length, padded to the width.
    pub(super) fn padded_bytes(&mut self, bytes: &[u8]) -> Result<(), FunctionError> {
        let start = self.out.len();
        self.bytes(bytes)?;
        self.pad(start)
    }

    /// Writes it in double quotes, or in backquotes where the flags want that and it can be, padded to the width.
    pub(super) fn quoted(&mut self, text: &[u8]) -> Result<(), FunctionError> {
        let start = self.out.len();
        if self.flags.sharp && quote::can_backquote(text) {
            self.text("`");
            self.bytes(text)?;
            self.text("`");
        } else {
            self.text("\"");
            for piece in quote::pieces(text, PIECE) {
                quote::escape(self.out, piece, self.flags.plus);
                self.pay()?;
            }
            self.text("\"");
        }
        self.pad(start)
    }

    /// Calls `print` one level deeper.
    pub(super) fn descend(
        &mut self,
        print: impl FnOnce(&mut Self) -> Result<(), FunctionError>,
    ) -> Result<(), FunctionError> {
        self.depth += 1;
        if self.depth > self.deepest {
            self.deepest = self.depth;
            self.budget.allocate(LEVEL)?;
        }
        let result = stacker::maybe_grow(32 * 1024, 1024 * 1024, || print(self));
        self.depth -= 1;
        result
    }

    /// Charges for a value within another.
    pub(super) fn step(&mut self) -> Result<(), FunctionError> {
        self.budget.step()?;
        self.pay()
    }

    /// Pads what was written since `start`, by characters.
    fn pad(&mut self, start: usize) -> Result<(), FunctionError> {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else { return Ok(()) };
        let written = self.out.get(start..).unwrap_or_default();
        let missing = width.saturating_sub(character_lengths(written).count());
        self.padding(missing)?;
        if !self.flags.minus {
            self.out[start..].rotate_right(missing);
        }
        Ok(())
    }
}

impl Flags {
    /// Zeros stand on the left only.
    fn fill(self) -> u8 {
        if self.zero && !self.minus { b'0' } else { b' ' }
    }
}

/// The first `count` characters; each byte that is not UTF-8 counts as one.
pub(super) fn first_characters(text: &[u8], count: usize) -> &[u8] {
    if text.len() <= count {
        return text;
    }
    let length = character_lengths(text).take(count).sum();
    text.get(..length).unwrap_or(text)
}

fn character_lengths(text: &[u8]) -> impl Iterator<Item = usize> {
    text.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().map(|_| 1);
        chunk.valid().chars().map(char::len_utf8).chain(invalid)
    })
}
