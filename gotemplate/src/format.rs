//! Printing values as Go's package `fmt` does.
//!
//! What is printed is charged to the [`Budget`] as it grows, since a few bytes can ask for much: a width of a million,
//! or a list that holds another one twice, forty levels deep.

mod composite;
mod directive;
mod float;
mod printer;
mod quote;
mod scalar;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::io::Write;

use directive::Directives;
use printer::Printer;

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;
use crate::types::Kind;
use crate::value::Value;

impl Value {
    /// Its text as Go's `fmt.Sprint` gives it, which is also how a template prints it.
    ///
    /// # Errors
    /// When the text is longer than the budget allows.
    pub fn to_text(&self, budget: &Budget) -> Result<Str, FunctionError> {
        if let Self::String(text) = self {
            return Ok(text.clone());
        }
        let mut out = Vec::new();
        value(&mut out, budget, self)?;
        Ok(out.into())
    }
}

/// Appends one value as `%v` shows it.
pub(crate) fn value(out: &mut Vec<u8>, budget: &Budget, value: &Value) -> Result<(), FunctionError> {
    let start = out.len();
    match value {
        Value::String(text) => {
            budget.allocate(text.len())?;
            out.extend_from_slice(text);
            return Ok(());
        }
        Value::Int(value, _) => decimal(out, value),
        Value::Uint(value, _) => decimal(out, value),
        Value::Float(value, kind) => float::format_float(out, *value, 'g', None, *kind),
        other => return print(out, budget, &[other]),
    }
    budget.allocate(out.len() - start)
}

/// Appends an integer in decimal digits.
fn decimal(out: &mut Vec<u8>, integer: impl Display) {
    // A vector takes whatever is written to it.
    let _ = write!(out, "{integer}");
}

/// Appends what `fmt.Sprint` gives: a space between two operands when neither is a string.
pub(crate) fn print(out: &mut Vec<u8>, budget: &Budget, arguments: &[&Value]) -> Result<(), FunctionError> {
    let mut printer = Printer::new(out, budget);
    let mut after_string = true;
    for argument in arguments {
        let is_string = argument.kind() == Kind::String;
        if !after_string && !is_string {
            printer.text(" ");
        }
        printer.operand(argument, 'v')?;
        after_string = is_string;
    }
    printer.pay()
}

/// Appends what `fmt.Sprintln` gives: a space between all operands, and a newline.
pub(crate) fn println(out: &mut Vec<u8>, budget: &Budget, arguments: &[&Value]) -> Result<(), FunctionError> {
    let mut printer = Printer::new(out, budget);
    for (position, argument) in arguments.iter().enumerate() {
        if position > 0 {
            printer.text(" ");
        }
        printer.operand(argument, 'v')?;
    }
    printer.text("\n");
    printer.pay()
}

/// Appends what `fmt.Sprintf` gives. What does not fit together is shown in the text: `%!d(string=x)`.
pub(crate) fn printf(
    out: &mut Vec<u8>,
    budget: &Budget,
    format: &[u8],
    arguments: &[&Value],
) -> Result<(), FunctionError> {
    let mut printer = Printer::new(out, budget);
    Directives::new(format, arguments).print(&mut printer)?;
    printer.pay()
}

/// `text` in double quotes, on one line, in printable characters: Go's `%q`.
pub(crate) fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&quote::quote(text)).into_owned()
}
