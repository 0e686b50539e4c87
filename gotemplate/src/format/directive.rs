//! The directives of a format: `%-5.2f`, `%[2]*d`.

use super::printer::{Flags, Printer};
use crate::function::FunctionError;
use crate::value::Value;

/// Widths, precisions and positions past this are errors.
const LARGEST: u64 = 1_000_000;

/// A format with its operands.
pub(super) struct Directives<'a> {
    /// What is left of the format.
    rest: &'a [u8],
    operands: &'a [&'a Value],
    /// The operand that comes next.
    next: usize,
    /// Whether some directive named its operand: then none is missed at the end.
    is_reordered: bool,
}

/// One directive.
#[derive(Default)]
struct Directive {
    flags: Flags,
    is_bad_width: bool,
    is_bad_precision: bool,
    is_bad_position: bool,
    /// Absent at the end of the format.
    verb: Option<char>,
}

impl<'a> Directives<'a> {
    pub(super) fn new(format: &'a [u8], operands: &'a [&'a Value]) -> Self {
        Self { rest: format, operands, next: 0, is_reordered: false }
    }

    pub(super) fn print(mut self, printer: &mut Printer<'_>) -> Result<(), FunctionError> {
        loop {
            let plain = self.rest.iter().position(|byte| *byte == b'%').unwrap_or(self.rest.len());
            let (text, rest) = self.rest.split_at(plain);
            self.rest = rest;
            printer.bytes(text)?;
            if !self.skip(b'%') {
                break;
            }
            let directive = self.directive();
            self.print_directive(printer, &directive)?;
            printer.pay()?;
        }
        self.print_extra(printer)
    }

    fn print_directive(&mut self, printer: &mut Printer<'_>, directive: &Directive) -> Result<(), FunctionError> {
        printer.flags = directive.flags;
        if directive.is_bad_width {
            printer.text("%!(BADWIDTH)");
        }
        if directive.is_bad_precision {
            printer.text("%!(BADPREC)");
        }
        let operand = self.operands.get(self.next);
        let problem = match (directive.verb, operand) {
            (None, _) => {
                printer.text("%!(NOVERB)");
                return Ok(());
            }
            (Some('%'), _) => {
                printer.text("%");
                return Ok(());
            }
            (Some(_), _) if directive.is_bad_position => "(BADINDEX)",
            (Some(verb), Some(operand)) => {
                self.next += 1;
                return printer.operand(operand, verb);
            }
            (Some(_), None) => "(MISSING)",
        };
        printer.text("%!");
        printer.character(directive.verb.unwrap_or_default());
        printer.text(problem);
        Ok(())
    }

    fn print_extra(&self, printer: &mut Printer<'_>) -> Result<(), FunctionError> {
        let extra = self.operands.get(self.next..).filter(|extra| !extra.is_empty() && !self.is_reordered);
        let Some(extra) = extra else { return Ok(()) };
        printer.flags = Flags::default();
        printer.text("%!(EXTRA ");
        for (position, operand) in extra.iter().enumerate() {
            if position > 0 {
                printer.text(", ");
            }
            if let Some(given) = operand.type_of() {
                printer.display(given);
                printer.text("=");
            }
            printer.operand(operand, 'v')?;
        }
        printer.text(")");
        Ok(())
    }

    /// Reads what follows `%`.
    fn directive(&mut self) -> Directive {
        let mut directive = Directive { flags: self.flags(), ..Directive::default() };
        let mut after_position = self.position(&mut directive);
        if self.skip(b'*') {
            self.star_width(&mut directive);
            after_position = false;
        } else {
            directive.flags.width = self.number();
            directive.is_bad_position |= after_position && directive.flags.width.is_some();
        }
        if self.rest.len() > 1 && self.skip(b'.') {
            directive.is_bad_position |= after_position;
            after_position = self.position(&mut directive);
            if self.skip(b'*') {
                let precision = self.star().filter(|precision| *precision >= 0);
                directive.flags.precision = precision.and_then(|precision| usize::try_from(precision).ok());
                directive.is_bad_precision = precision.is_none();
                after_position = false;
            } else {
                directive.flags.precision = Some(self.number().unwrap_or_default());
            }
        }
        if !after_position {
            self.position(&mut directive);
        }
        directive.verb = self.character();
        if matches!(directive.verb, Some('v' | 'w')) {
            let flags = &mut directive.flags;
            flags.go_syntax = std::mem::take(&mut flags.sharp);
            flags.field_names = std::mem::take(&mut flags.plus);
        }
        directive
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some((first, rest)) = self.rest.split_first() {
            match first {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.rest = rest;
        }
        flags
    }

    /// Takes the width from the next operand. A negative one stands for the flag `-`.
    fn star_width(&mut self, directive: &mut Directive) {
        let width = self.star();
        directive.is_bad_width = width.is_none();
        directive.flags.width = width.and_then(|width| usize::try_from(width.unsigned_abs()).ok());
        if width.is_some_and(|width| width < 0) {
            directive.flags.minus = true;
            directive.flags.zero = false;
        }
    }

    /// The next operand, if it is an integer that is not too large.
    fn star(&mut self) -> Option<i64> {
        let operand = self.operands.get(self.next)?;
        self.next += 1;
        let number = match operand.underlying() {
            Value::Int(number, _) => *number,
            Value::Uint(number, _) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        Some(number).filter(|number| number.unsigned_abs() <= LARGEST)
    }

    /// Reads `[3]`, and goes to that operand. Whether there was a number, even of no operand.
    fn position(&mut self, directive: &mut Directive) -> bool {
        if self.rest.first() != Some(&b'[') {
            return false;
        }
        self.is_reordered = true;
        let end = self.rest.iter().position(|byte| *byte == b']').filter(|_| self.rest.len() >= 3);
        let Some(end) = end else {
            self.rest = &self.rest[1..];
            directive.is_bad_position = true;
            return false;
        };
        let inside = Self { rest: &self.rest[1..end], ..Self::new(b"", &[]) }.whole_number();
        self.rest = &self.rest[end + 1..];
        match inside.map(|number| number.checked_sub(1).filter(|position| *position < self.operands.len())) {
            Some(Some(position)) => self.next = position,
            _ => directive.is_bad_position = true,
        }
        inside.is_some()
    }

    fn whole_number(mut self) -> Option<usize> {
        self.number().filter(|_| self.rest.is_empty())
    }

    /// Reads digits, if there are any. A number that is too large takes all the rest with it.
    fn number(&mut self) -> Option<usize> {
        let mut number: Option<u64> = None;
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            let so_far = number.unwrap_or_default();
            if so_far > LARGEST {
                self.rest = &[];
                return None;
            }
            number = Some(so_far * 10 + u64::from(digit - b'0'));
            self.rest = rest;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    fn skip(&mut self, byte: u8) -> bool {
        let rest = self.rest.strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Reads a character; a byte that is not UTF-8 is U+FFFD.
    fn character(&mut self) -> Option<char> {
        let (character, length) = bstr::decode_utf8(self.rest);
        let length = if character.is_some() { length } else { 1 };
        let present = !self.rest.is_empty();
        self.rest = self.rest.get(length..).unwrap_or_default();
        present.then(|| character.unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}
