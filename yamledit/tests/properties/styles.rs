//! Writing a value in random styles: comments, blank lines, quotes, blocks, brackets, anchors.

use serde_json::{Map, Value};

use crate::choices::Choices;

pub(crate) struct Writer<'c, 'a> {
    choices: &'c mut Choices<'a>,
    out: String,
    eol: &'static str,
    /// Whether there are anchors and aliases.
    anchors: bool,
    anchored: Vec<(String, Value)>,
    comments: usize,
    names: usize,
    is_below_literal: bool,
}

/// A document that reads as `value`.
pub(crate) fn write(choices: &mut Choices<'_>, value: &Value, anchors: bool) -> String {
    let eol = if choices.chance(20) { "\r\n" } else { "\n" };
    let mut writer = Writer {
        choices,
        out: String::new(),
        eol,
        anchors,
        anchored: Vec::new(),
        comments: 0,
        names: 0,
        is_below_literal: false,
    };
    if writer.choices.chance(5) {
        writer.out.push('\u{feff}');
    }
    writer.lines_between(0);
    if writer.choices.chance(30) {
        writer.out.push_str("---");
        writer.end_line();
        writer.lines_between(0);
    }
    match value {
        Value::Object(map) if !map.is_empty() && !writer.choices.chance(10) => writer.mapping(map, 0, true),
        Value::Array(items) if !items.is_empty() && !writer.choices.chance(10) => writer.sequence(items, 0, true),
        other => {
            writer.flow(other, 1, false);
            writer.end_line();
        }
    }
    writer.lines_between(0);
    if writer.choices.chance(10) {
        let end = writer.out.trim_end_matches(['\n', '\r']).len();
        if !writer.out.contains(['|', '>']) {
            writer.out.truncate(end);
        }
    }
    writer.out
}

impl Writer<'_, '_> {
    fn mapping(&mut self, map: &Map<String, Value>, column: usize, mut starts_line: bool) {
        for (key, value) in map {
            if starts_line {
                self.lines_between(column);
                self.indent(column);
            }
            starts_line = true;
            let is_marked = self.choices.chance(5);
            if is_marked {
                self.out.push_str("? ");
            }
            self.string(key, true, false, column);
            if is_marked {
                self.end_line();
                self.indent(column);
            }
            self.out.push(':');
            self.value(value, column, is_marked);
        }
    }

    fn sequence(&mut self, items: &[Value], column: usize, mut starts_line: bool) {
        let gap = if self.choices.chance(10) { 4 } else { 2 };
        for item in items {
            if starts_line {
                self.lines_between(column);
                self.indent(column);
            }
            starts_line = true;
            self.out.push('-');
            let is_block = !self.choices.chance(25);
            match item {
                Value::Object(map) if !map.is_empty() && is_block => {
                    if self.choices.chance(10) {
                        self.end_line();
                        self.mapping(map, column + gap, true);
                    } else {
                        self.out.push_str(&" ".repeat(gap - 1));
                        self.mapping(map, column + gap, false);
                    }
                }
                Value::Array(items) if !items.is_empty() && is_block => {
                    self.out.push_str(&" ".repeat(gap - 1));
                    self.sequence(items, column + gap, false);
                }
                other => self.leaf(other, column, gap - 1),
            }
        }
    }

    /// What stands behind a colon.
    fn value(&mut self, value: &Value, column: usize, is_marked: bool) {
        let is_block = !self.choices.chance(25);
        match value {
            Value::Object(map) if !map.is_empty() && is_block => {
                let column = column + 1 + self.choices.pick(4);
                let anchor = self.open();
                self.mapping(map, column, true);
                self.anchored.extend(anchor.map(|name| (name, value.clone())));
            }
            Value::Array(items) if !items.is_empty() && is_block => {
                let offset = if is_marked { 2 } else { 2 * self.choices.pick(2) };
                let anchor = self.open();
                self.sequence(items, column + offset, true);
                self.anchored.extend(anchor.map(|name| (name, value.clone())));
            }
            other => self.leaf(other, column, 1),
        }
    }

    /// The end of the line on which a collection begins, perhaps with an anchor.
    fn open(&mut self) -> Option<String> {
        let name = self.anchor();
        if let Some(name) = &name {
            self.out.push_str(&format!(" &{name}"));
        }
        self.end_line();
        name
    }

    fn anchor(&mut self) -> Option<String> {
        let wanted = self.anchors && self.choices.chance(30);
        wanted.then(|| {
            self.names += 1;
            format!("n{}", self.names)
        })
    }

    /// A value on the line of its indicator.
    fn leaf(&mut self, value: &Value, column: usize, gap: usize) {
        if let Some((name, _)) = self.anchored.iter().find(|(_, known)| known == value).cloned()
            && self.choices.chance(70)
        {
            self.out.push_str(&format!("{}*{name}", " ".repeat(gap)));
            return self.end_line();
        }
        if value.is_null() && self.choices.chance(30) {
            return self.end_line();
        }
        self.out.push_str(&" ".repeat(gap));
        let name = self.anchor();
        if let Some(name) = &name {
            self.out.push_str(&format!("&{name} "));
        }
        match value {
            Value::String(text) if is_block_text(text) && self.choices.chance(60) => self.literal(text, column),
            other => {
                self.flow(other, column + 1, false);
                self.end_line();
            }
        }
        if let Some(name) = name {
            self.anchored.push((name, value.clone()));
        }
    }

    fn literal(&mut self, text: &str, column: usize) {
        let column = column + 1 + self.choices.pick(4);
        self.out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
        self.end_line();
        for line in text.lines() {
            self.indent(column);
            self.out.push_str(line);
            self.out.push_str(self.eol);
        }
        self.is_below_literal = true;
    }

    /// A scalar, or a collection within brackets. Further lines are indented at least so far.
    fn flow(&mut self, value: &Value, column: usize, is_within: bool) {
        match value {
            Value::Object(map) => {
                let items = map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect();
                self.brackets(('{', '}'), items, column);
            }
            Value::Array(items) => {
                self.brackets(('[', ']'), items.iter().map(|item| (None, item)).collect(), column);
            }
            Value::String(text) => self.string(text, false, is_within, column),
            Value::Null => {
                let null = *self.choices.one_of(&["null", "~", "Null"]);
                self.out.push_str(null);
            }
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn brackets(&mut self, brackets: (char, char), items: Vec<(Option<&str>, &Value)>, column: usize) {
        let is_long = self.choices.chance(25) && !items.is_empty();
        let padding = if self.choices.chance(20) && !items.is_empty() { " " } else { "" };
        let inner = column + 2;
        self.out.push(brackets.0);
        self.out.push_str(if is_long { "" } else { padding });
        for (index, (key, value)) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
                self.out.push_str(if is_long { "" } else { " " });
            }
            if is_long {
                self.end_line();
                self.indent(inner);
            }
            if let Some(key) = key {
                self.string(key, true, true, inner);
                self.out.push_str(": ");
            }
            self.flow(value, inner, true);
        }
        if is_long {
            self.out.push_str(self.eol);
            self.indent(column);
        } else {
            self.out.push_str(padding);
        }
        self.out.push(brackets.1);
    }

    fn string(&mut self, text: &str, is_key: bool, is_within: bool, column: usize) {
        let is_plain = is_plain(text) && (!is_within || !text.contains(['/', '.']));
        match self.choices.pick(4) {
            0 | 1 if is_plain => self.out.push_str(text),
            2 if !text.contains(['\n', '\t']) => self.out.push_str(&format!("'{}'", text.replace('\'', "''"))),
            _ if is_plain && is_key => self.out.push_str(text),
            _ => {
                let quoted = Value::from(text).to_string();
                // A line break between words is a space.
                let folds = !is_key && text == "two words" && self.choices.chance(50);
                let line = format!("{}{}", self.eol, " ".repeat(column + 1));
                self.out.push_str(&if folds { quoted.replace(' ', &line) } else { quoted });
            }
        }
    }

    fn end_line(&mut self) {
        self.is_below_literal = false;
        if self.choices.chance(15) {
            self.comments += 1;
            let comment = format!("{}# comment {}", " ".repeat(1 + self.choices.pick(3)), self.comments);
            self.out.push_str(&comment);
        }
        self.out.push_str(self.eol);
    }

    /// Comment lines and blank lines.
    fn lines_between(&mut self, column: usize) {
        while self.choices.chance(12) {
            if self.choices.chance(40) {
                self.out.push_str(self.eol);
            } else {
                self.comments += 1;
                // Indented below a block scalar it would be part of that.
                let column = if !self.is_below_literal && self.choices.chance(20) {
                    column + self.choices.pick(5)
                } else {
                    column
                };
                self.indent(column);
                self.out.push_str(&format!("# line {}{}", self.comments, self.eol));
            }
        }
    }

    /// Begins a line.
    fn indent(&mut self, column: usize) {
        self.out.push_str(&" ".repeat(column));
    }
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || " /.-".contains(char))
        && !text.ends_with(' ')
        && !["yes", "no", "on", "off", "null", "true", "false", "y", "n"].contains(&text)
}

fn is_block_text(text: &str) -> bool {
    text.contains('\n') && !text.starts_with([' ', '\n']) && !text.ends_with("\n\n")
}
