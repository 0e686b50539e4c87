//! The directives of a format: `%[2]*.[1]*f`.

use super::specification::Specification;
use super::{Printer, Result};
use crate::unicode;
use crate::value::Value;

/// No width, precision or number of an argument is larger.
const LARGEST: i64 = 1_000_000;

/// Prints `values` as `format` asks.
pub(super) fn run(printer: &mut Printer<'_>, format: &[u8], values: &[Value]) -> Result<()> {
    let mut run = Run { format, at: 0, values, next: 0, is_reordered: false, is_good: true, after_index: false };
    while let Some(start) = format[run.at..].iter().position(|byte| *byte == b'%') {
        printer.push(&format[run.at..run.at + start]);
        run.at += start + 1;
        run.directive(printer)?;
        printer.settle()?;
    }
    printer.push(&format[run.at..]);
    if !run.is_reordered {
        run.extra(printer)?;
    }
    printer.settle()
}

struct Run<'f> {
    format: &'f [u8],
    /// What is read of the format.
    at: usize,
    values: &'f [Value],
    /// The next argument.
    next: usize,
    /// An argument was chosen by its number.
    is_reordered: bool,
    /// The numbers of arguments in this directive make sense.
    is_good: bool,
    /// A number of an argument came just before.
    after_index: bool,
}

impl Run<'_> {
    fn directive(&mut self, printer: &mut Printer<'_>) -> Result<()> {
        self.is_good = true;
        self.after_index = false;
        printer.specification = self.flags();
        self.index();
        self.width(printer);
        if self.peek() == Some(b'.') && self.at + 1 < self.format.len() {
            self.precision(printer);
        }
        if !self.after_index {
            self.index();
        }
        let Some((verb, width)) = unicode::decode(&self.format[self.at..]) else {
            printer.push(b"%!(NOVERB)");
            return Ok(());
        };
        self.at += width;
        match (verb, self.values.get(self.next)) {
            ('%', _) => printer.push(b"%"),
            _ if !self.is_good => complain(printer, verb, b"(BADINDEX)"),
            (_, None) => complain(printer, verb, b"(MISSING)"),
            (_, Some(value)) => {
                if matches!(verb, 'v' | 'w') {
                    printer.specification = printer.specification.for_values();
                }
                printer.argument(value, verb)?;
                self.next += 1;
            }
        }
        Ok(())
    }

    fn flags(&mut self) -> Specification {
        let mut specification = Specification::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => specification.sharp = true,
                b'0' => specification.zero = true,
                b'+' => specification.plus = true,
                b'-' => specification.minus = true,
                b' ' => specification.space = true,
                _ => break,
            }
            self.at += 1;
        }
        specification
    }

    fn width(&mut self, printer: &mut Printer<'_>) {
        if self.peek() == Some(b'*') {
            self.at += 1;
            let width = self.argument_as_number();
            if width.is_none() {
                printer.push(b"%!(BADWIDTH)");
            }
            if width.is_some_and(|width| width < 0) {
                printer.specification.minus = true;
                printer.specification.zero = false;
            }
            printer.specification.width = width.map(|width| width.unsigned_abs() as usize);
            self.after_index = false;
            return;
        }
        printer.specification.width = self.number();
        if self.after_index && printer.specification.width.is_some() {
            self.is_good = false;
        }
    }

    fn precision(&mut self, printer: &mut Printer<'_>) {
        self.at += 1;
        if self.after_index {
            self.is_good = false;
        }
        self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let precision = self.argument_as_number().and_then(|precision| usize::try_from(precision).ok());
            if precision.is_none() {
                printer.push(b"%!(BADPREC)");
            }
            printer.specification.precision = precision;
            self.after_index = false;
        } else {
            printer.specification.precision = Some(self.number().unwrap_or_default());
        }
    }

    /// A number in the format. One that is too large swallows the rest.
    fn number(&mut self) -> Option<usize> {
        let mut number: Option<i64> = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if number.unwrap_or_default() > LARGEST {
                self.at = self.format.len();
                return None;
            }
            number = Some(number.unwrap_or_default() * 10 + i64::from(digit - b'0'));
            self.at += 1;
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    /// The next argument as a width or precision.
    fn argument_as_number(&mut self) -> Option<i64> {
        let number = match self.values.get(self.next)?.underlying() {
            Value::Int(number, _) => Some(*number),
            Value::Uint(number, _) => i64::try_from(*number).ok(),
            _ => None,
        };
        self.next += 1;
        number.filter(|number| (-LARGEST..=LARGEST).contains(number))
    }

    /// `[3]`: the number of an argument, from 1.
    fn index(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.is_reordered = true;
        let rest = &self.format[self.at..];
        let close = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.is_good = false;
            self.at += 1;
            return;
        };
        let digits = &rest[1..close];
        self.at += close + 1;
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(digits).ok().filter(|_| is_number).and_then(|text| text.parse::<usize>().ok());
        match number.and_then(|number| number.checked_sub(1)) {
            Some(position) if position < self.values.len() => {
                self.next = position;
                self.after_index = true;
            }
            _ => {
                self.is_good = false;
                self.after_index = number.is_some();
            }
        }
    }

    /// Complains of arguments that no directive asked for.
    fn extra(&self, printer: &mut Printer<'_>) -> Result<()> {
        let Some(rest @ [_, ..]) = self.values.get(self.next..) else { return Ok(()) };
        printer.specification = Specification::default();
        printer.push(b"%!(EXTRA ");
        for (place, value) in rest.iter().enumerate() {
            if place > 0 {
                printer.push(b", ");
            }
            match value.type_of() {
                None => printer.push(b"<nil>"),
                Some(own) => {
                    printer.push(own.to_string().as_bytes());
                    printer.push(b"=");
                    printer.argument(value, 'v')?;
                }
            }
        }
        printer.push(b")");
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }
}

fn complain(printer: &mut Printer<'_>, verb: char, what: &[u8]) {
    printer.push(b"%!");
    printer.push_character(verb);
    printer.push(what);
}
