//! The format of the files in `injector/schema/`. They are part of the program, so a line that is not understood is
//! left out; a test sees to it that nothing is.

/// A type.
pub(super) struct Block {
    pub(super) name: &'static str,
    pub(super) body: Body,
}

pub(super) enum Body {
    Struct(Vec<FieldLine>),
    Message(Vec<MessageLine>),
    Enum(Vec<(i64, &'static str)>),
    Underlying(&'static str),
}

/// A field of a struct.
pub(super) struct FieldLine {
    pub(super) name: &'static str,
    pub(super) type_text: &'static str,
    /// Name in JSON; empty when it has none of its own.
    pub(super) json: &'static str,
    pub(super) omit_empty: bool,
    pub(super) inline: bool,
}

/// A field of a message.
pub(super) enum MessageLine {
    Field(MessageFieldLine),
    Oneof(&'static str, Vec<(MessageFieldLine, &'static str)>),
}

pub(super) struct MessageFieldLine {
    pub(super) name: &'static str,
    pub(super) type_text: &'static str,
    pub(super) json: &'static str,
}

impl Block {
    /// The names that it declares: its own, and those of the structs that hold the cases of a oneof.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names = vec![self.name];
        if let Body::Message(lines) = &self.body {
            names.extend(lines.iter().flat_map(|line| match line {
                MessageLine::Field(_) => Vec::new(),
                MessageLine::Oneof(_, cases) => cases.iter().map(|(_, holder)| *holder).collect(),
            }));
        }
        names
    }
}

#[cfg(test)]
impl MessageLine {
    pub(super) fn type_texts(&self) -> Vec<&'static str> {
        match self {
            Self::Field(field) => vec![field.type_text],
            Self::Oneof(_, cases) => cases.iter().map(|(case, _)| case.type_text).collect(),
        }
    }
}

/// The types in `file`, in order.
pub(super) fn blocks(file: &'static str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in file.lines() {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            if let Some(block) = blocks.last_mut() {
                block.body.add(&words);
            }
            continue;
        }
        let (name, body) = match *words.as_slice() {
            ["struct", name] => (name, Body::Struct(Vec::new())),
            ["message", name] => (name, Body::Message(Vec::new())),
            ["enum", name] => (name, Body::Enum(Vec::new())),
            ["type", name, underlying] => (name, Body::Underlying(underlying)),
            _ => continue,
        };
        blocks.push(Block { name, body });
    }
    blocks
}

impl Body {
    fn add(&mut self, words: &[&'static str]) {
        match (self, words) {
            (Self::Struct(fields), [name, type_text, rest @ ..]) => {
                let (json, options) = rest.split_first().map_or(("", rest), |(json, options)| (*json, options));
                let inline = json == "inline";
                fields.push(FieldLine {
                    name,
                    type_text,
                    json: if inline { "" } else { json },
                    omit_empty: options.contains(&"omitempty"),
                    inline,
                });
            }
            (Self::Message(lines), [name, "oneof"]) => lines.push(MessageLine::Oneof(name, Vec::new())),
            (Self::Message(lines), [name, type_text, json]) => {
                lines.push(MessageLine::Field(MessageFieldLine { name, type_text, json }));
            }
            (Self::Message(lines), [name, type_text, json, holder]) => {
                if let Some(MessageLine::Oneof(_, cases)) = lines.last_mut() {
                    cases.push((MessageFieldLine { name, type_text, json }, holder));
                }
            }
            (Self::Enum(values), [number, name]) => values.extend(number.parse().ok().map(|number| (number, *name))),
            _ => {}
        }
    }
}
