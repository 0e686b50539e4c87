//! Writing values anew, in a given style.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::limits::Limits;
use crate::scalar::{self, Context};
use crate::style::{Flow, Style};

/// A longer key has to be marked with `?`.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// Writes a value as a YAML document: blocks, two columns a level, lists flush with their key, multi-line strings as
/// literal blocks. Strings that YAML 1.1 or 1.2 would read as something else are quoted. Ends with a line break.
///
/// # Errors
/// When the value has more nodes or levels than the limits allow.
pub fn write(value: &Value, limits: &Limits) -> Result<String, Error> {
    limits.check_value(value)?;
    let mut printer = Printer::new(Style::default());
    printer.root(value);
    printer.out.push('\n');
    Ok(printer.out)
}

pub(crate) struct Printer<'a> {
    pub(crate) style: Style<'a>,
    pub(crate) out: String,
}

impl<'a> Printer<'a> {
    pub(crate) fn new(style: Style<'a>) -> Self {
        Self { style, out: String::new() }
    }

    /// A whole document, without the last line break.
    pub(crate) fn root(&mut self, value: &Value) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, 0),
            Value::Array(items) if !items.is_empty() => self.sequence(items, 0),
            Value::String(text) => self.out.push_str(&self.inline(text, Context::Block)),
            other => self.scalar(other, Context::Block),
        }
    }

    /// The entries of a mapping in this column; the first one begins where the text ends now.
    pub(crate) fn mapping(&mut self, map: &Map<String, Value>, column: usize) {
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.new_line(column);
            }
            self.entry(key, value, column);
        }
    }

    /// The items of a sequence with its dashes in this column.
    pub(crate) fn sequence(&mut self, items: &[Value], column: usize) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.new_line(column);
            }
            self.item(item, column, self.style.dash);
        }
    }

    /// One entry of a block mapping.
    pub(crate) fn entry(&mut self, key: &str, value: &Value, column: usize) {
        if key.len() > LONGEST_SIMPLE_KEY {
            self.out.push_str("? ");
            self.key(key, Context::Block);
            self.new_line(column);
        } else {
            self.key(key, Context::Block);
        }
        self.out.push(':');
        self.value(value, column);
    }

    /// What stands behind the colon of an entry.
    pub(crate) fn value(&mut self, value: &Value, column: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let column = column + self.style.width;
                self.new_line(column);
                self.mapping(map, column);
            }
            Value::Array(items) if !items.is_empty() => {
                let column = column + self.style.offset;
                self.new_line(column);
                self.sequence(items, column);
            }
            other => {
                self.out.push(' ');
                self.leaf(other, column, self.style.width);
            }
        }
    }

    /// One item of a block sequence; `dash` is the number of columns to what stands behind the dash.
    pub(crate) fn item(&mut self, value: &Value, column: usize, dash: usize) {
        self.out.push('-');
        self.out.push_str(&" ".repeat(dash.max(2) - 1));
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, column + dash.max(2)),
            Value::Array(items) if !items.is_empty() => self.sequence(items, column + dash.max(2)),
            other => self.leaf(other, column, dash.max(2)),
        }
    }

    /// A scalar or an empty collection, in a block collection in this column.
    fn leaf(&mut self, value: &Value, column: usize, width: usize) {
        match value {
            Value::String(text) if self.style.literals && (1..=9).contains(&width) && scalar::is_literal(text) => {
                let literal = literal(text, column, width, self.style.eol);
                self.out.push_str(&literal.0);
                self.out.push_str(&literal.1);
            }
            Value::String(text) => self.out.push_str(&self.inline(text, Context::Block)),
            other => self.scalar(other, Context::Block),
        }
    }

    /// A value within a flow collection whose line has this indentation.
    pub(crate) fn flow(&mut self, value: &Value, flow: &Flow<'_>, indentation: &str) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let items = items.iter().map(|item| (None, item)).collect();
                self.flow_items(('[', ']'), items, flow, indentation);
            }
            Value::Object(map) if !map.is_empty() => {
                let items = map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect();
                self.flow_items(('{', '}'), items, flow, indentation);
            }
            Value::String(text) => self.out.push_str(&self.inline(text, flow.context)),
            other => self.scalar(other, flow.context),
        }
    }

    fn flow_items(&mut self, brackets: (char, char), items: Vec<(Option<&str>, &Value)>, flow: &Flow<'_>, outer: &str) {
        let (separator, inner) = match flow.lines {
            Some(unit) => {
                let inner = format!("{outer}{unit}");
                (format!(",{}{inner}", self.style.eol), inner)
            }
            None => (flow.comma.to_owned(), outer.to_owned()),
        };
        let (open, close) = match flow.lines {
            Some(_) => (format!("{}{inner}", self.style.eol), format!("{}{outer}", self.style.eol)),
            None => (flow.padding.to_owned(), flow.padding.to_owned()),
        };
        self.out.push(brackets.0);
        self.out.push_str(&open);
        for (index, (key, value)) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push_str(&separator);
            }
            self.flow_entry(key, value, flow, &inner);
        }
        self.out.push_str(&close);
        self.out.push(brackets.1);
    }

    /// One entry or item of a flow collection.
    pub(crate) fn flow_entry(&mut self, key: Option<&str>, value: &Value, flow: &Flow<'_>, indentation: &str) {
        if let Some(key) = key {
            self.key(key, flow.context);
            self.out.push_str(flow.colon);
        }
        self.flow(value, flow, indentation);
    }

    fn key(&mut self, key: &str, context: Context) {
        let wanted = self.style.keys[usize::from(context != Context::Block)];
        let key = scalar::string(key, wanted, self.style.quote, context);
        self.out.push_str(&key);
    }

    fn inline(&self, text: &str, context: Context) -> String {
        scalar::new_string(text, self.style.wanted, self.style.quote, context)
    }

    fn scalar(&mut self, value: &Value, context: Context) {
        match value {
            Value::Number(number) => self.out.push_str(&scalar::number(number, context)),
            Value::Array(_) => self.out.push_str("[]"),
            Value::Object(_) => self.out.push_str("{}"),
            other => self.out.push_str(&other.to_string()),
        }
    }

    pub(crate) fn new_line(&mut self, column: usize) {
        self.out.push_str(self.style.eol);
        self.out.push_str(&" ".repeat(column));
    }
}

/// A multi-line string as header and lines; the lines begin with a line break and end without one.
pub(crate) fn literal(text: &str, column: usize, width: usize, eol: &str) -> (String, String) {
    let mut header = "|".to_owned();
    if text.trim_start_matches('\n').starts_with(' ') {
        header.push_str(&width.to_string());
    }
    let without_break = text.strip_suffix('\n');
    if without_break.is_none() {
        header.push('-');
    }
    let indentation = " ".repeat(column + width);
    let mut lines = String::new();
    for line in without_break.unwrap_or(text).split('\n') {
        lines.push_str(eol);
        if !line.is_empty() {
            lines.push_str(&indentation);
            lines.push_str(line);
        }
    }
    (header, lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_flush_lists_and_literals() {
        let value = json!({
            "a": {"b": [1, {"c": null, "d": []}], "e": {}},
            "script": "one\n  two\n",
            "indented": "  x\ny",
            "kept": "x\n\n",
            "list": [["x", "z"], "a\nb"],
            "yes": "no",
        });
        let expected = "a:\n  b:\n  - 1\n  - c: null\n    d: []\n  e: {}\nscript: |\n  one\n    two\nindented: |2-\n    x\n  y\n\
                        kept: \"x\\n\\n\"\nlist:\n- - x\n  - z\n- |-\n  a\n  b\n\"yes\": \"no\"\n";
        assert_eq!(write(&value, &Limits::default()).unwrap(), expected);
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        let deep = (0..300).fold(Value::Null, |value, _| json!([value]));
        assert!(matches!(write(&deep, &Limits { depth: 1000, ..Limits::default() }), Err(Error::Limit(_))));
    }
}
