//! Printing values as Go's package `fmt` does.

mod directive;
mod float;
mod nested;
mod pad;
mod quote;
mod scalar;
mod specification;

pub(crate) use float::format_float;

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;
use crate::types::Kind;
use crate::value::Value;
use specification::Specification;

type Result<T> = std::result::Result<T, FunctionError>;

/// Appends the values as Go's `Sprint` does: with a space between two of which neither is a string.
pub(crate) fn print(out: &mut Vec<u8>, budget: &Budget, values: &[Value]) -> Result<()> {
    let mut printer = Printer::new(out, budget);
    let mut after_string = true;
    for value in values {
        let is_string = value.kind() == Kind::String;
        if !is_string && !after_string {
            printer.push(b" ");
        }
        printer.argument(value, 'v')?;
        after_string = is_string;
    }
    printer.settle()
}

/// Appends the values as Go's `Sprintln` does: with a space between any two, and the end of the line.
pub(crate) fn println(out: &mut Vec<u8>, budget: &Budget, values: &[Value]) -> Result<()> {
    let mut printer = Printer::new(out, budget);
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            printer.push(b" ");
        }
        printer.argument(value, 'v')?;
    }
    printer.push(b"\n");
    printer.settle()
}

/// Appends the values as the directives of `format` ask, as Go's `Sprintf` does.
pub(crate) fn printf(out: &mut Vec<u8>, budget: &Budget, format: &[u8], values: &[Value]) -> Result<()> {
    directive::run(&mut Printer::new(out, budget), format, values)
}

/// Appends one value as `%v` does.
pub(crate) fn value(out: &mut Vec<u8>, budget: &Budget, value: &Value) -> Result<()> {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Float(value, kind) => format_float(out, *value, 'g', None, *kind),
        value => {
            let mut printer = Printer::new(out, budget);
            printer.argument(value, 'v')?;
            printer.settle()?;
        }
    }
    Ok(())
}

/// `text` in double quotes, on one line, in printable characters: Go's `%q`.
pub(crate) fn quote(text: &[u8]) -> String {
    String::from_utf8_lossy(&quote::quote(text)).into_owned()
}

impl Value {
    /// The value as `%v` prints it.
    ///
    /// # Errors
    /// When the text would be larger than the budget allows.
    pub fn to_text(&self, budget: &Budget) -> std::result::Result<Str, FunctionError> {
        if let Self::String(text) = self {
            return Ok(text.clone());
        }
        let mut text = Vec::new();
        value(&mut text, budget, self)?;
        Ok(text.into())
    }
}

/// Where the text goes, and how the present directive wants it.
struct Printer<'p> {
    out: &'p mut Vec<u8>,
    budget: &'p Budget,
    /// How much of the text is paid for.
    settled: usize,
    specification: Specification,
    /// Within the complaint about a verb: values print by their contents, not by their methods.
    is_complaining: bool,
}

impl<'p> Printer<'p> {
    fn new(out: &'p mut Vec<u8>, budget: &'p Budget) -> Self {
        let settled = out.len();
        Self { out, budget, settled, specification: Specification::default(), is_complaining: false }
    }

    fn push(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn push_character(&mut self, character: char) {
        quote::push(self.out, character);
    }

    /// Pays for what was printed since the last time. A single piece is bounded by the widest directive or by a value
    /// that is there already, so that paying afterwards is soon enough.
    fn settle(&mut self) -> Result<()> {
        let printed = self.out.len() - self.settled;
        self.settled = self.out.len();
        self.budget.allocate(printed)
    }
}
