//! The Go types that templates see, as the files of `injector/schema/` tell them.

mod message;
mod special;
mod text;

use std::collections::HashMap;
use std::sync::LazyLock;

use gotemplate::{Definition, Field, IntKind, NamedType, Type, UintKind};

pub(super) use message::MessageField;
use text::{Block, Body};

const FILES: [&str; 2] = [include_str!("../../schema/kubernetes.types"), include_str!("../../schema/istio.types")];

static SCHEMA: LazyLock<HashMap<&'static str, Declared>> = LazyLock::new(|| read(&FILES));

/// A named type, and what is known about it beyond what templates need to know.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) named: NamedType,
    pub(super) form: Form,
}

/// How values of a named type are written in JSON.
#[derive(Debug)]
pub(super) enum Form {
    /// A mapping with the fields of the type.
    Struct,
    /// A message of protobuf, which has rules of its own.
    Message(Vec<MessageField>),
    /// An enum of protobuf: its numbers with their names.
    Enum(Vec<(i64, &'static str)>),
    /// What the type is made from.
    Underlying,
    /// A quantity, a number with a suffix.
    Quantity,
    /// An integer or a text.
    IntOrString,
    /// A time in RFC 3339.
    Time,
    /// Anything.
    Fields,
}

/// The type of that name, such as `v1.PodSpec`.
pub(super) fn declared(named: &NamedType) -> Option<&'static Declared> {
    SCHEMA.get(named.name().to_text().as_ref())
}

/// A type of the schema by its name, such as `v1.PodSpec`; any value where the schema lacks it.
pub(super) fn named_type(name: &str) -> Type {
    SCHEMA.get(name).map_or(Type::Any, |declared| Type::Named(declared.named.clone()))
}

fn read(files: &[&'static str]) -> HashMap<&'static str, Declared> {
    let blocks: Vec<Block> = files.iter().flat_map(|file| text::blocks(file)).collect();
    let mut types = special::declare();
    types.extend(blocks.iter().flat_map(Block::names).map(|name| (name, NamedType::declare(name))));
    let resolve = |text: &str| resolve(text, &types);
    let mut schema = special::define(&types);
    for Block { name, body } in blocks {
        let Some(named) = types.get(name).cloned() else { continue };
        let (definition, form) = match body {
            Body::Struct(fields) => {
                let fields = fields.iter().map(|field| Field {
                    name: field.name.into(),
                    field_type: resolve(field.type_text),
                    json: (!field.json.is_empty()).then(|| field.json.into()),
                    // A struct in Go, which is never empty.
                    omit_empty: field.omit_empty && field.type_text != special::QUANTITY,
                    inline: field.inline,
                });
                (Definition::structure(fields.collect()), Form::Struct)
            }
            Body::Message(lines) => message::define(&lines, &types, &resolve),
            Body::Enum(values) => message::define_enum(values),
            Body::Underlying(text) => (special::methods_of(name, Definition::of(resolve(text))), Form::Underlying),
        };
        named.define(definition);
        schema.insert(name, Declared { named, form });
    }
    schema
}

/// A type as Go writes it: `map[string]*v1.Probe`. Keys of named types are plain texts here.
fn resolve(text: &str, types: &HashMap<&'static str, NamedType>) -> Type {
    if let Some(target) = text.strip_prefix('*') {
        return Type::pointer(resolve(target, types));
    }
    if let Some(element) = text.strip_prefix("[]") {
        return Type::list(resolve(element, types));
    }
    if let Some((_, element)) = text.strip_prefix("map[").and_then(|rest| rest.split_once(']')) {
        return Type::map(resolve(element, types));
    }
    match text {
        "bool" => Type::Bool,
        "string" => Type::String,
        "int" => Type::INT,
        "int32" => Type::Int(IntKind::Int32),
        "int64" => Type::INT64,
        "uint32" => Type::Uint(UintKind::Uint32),
        "uint64" => Type::Uint(UintKind::Uint64),
        "float64" => Type::FLOAT64,
        name => types.get(name).cloned().map_or(Type::Any, Type::Named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of types within a type that the schema does not have.
    fn unknown<'a>(text: &'a str, types: &HashMap<&str, Declared>) -> Option<&'a str> {
        const PLAIN: [&str; 9] = ["any", "bool", "float64", "int", "int32", "int64", "string", "uint32", "uint64"];
        let name = text.rsplit(['*', ']']).next().unwrap();
        (!PLAIN.contains(&name) && !types.contains_key(name)).then_some(name)
    }

    #[test]
    fn every_type_that_is_referred_to_is_there() {
        for block in FILES.iter().flat_map(|file| text::blocks(file)) {
            let texts: Vec<&str> = match block.body {
                Body::Struct(fields) => fields.iter().map(|field| field.type_text).collect(),
                Body::Message(lines) => lines.iter().flat_map(text::MessageLine::type_texts).collect(),
                Body::Underlying(text) => vec![text],
                Body::Enum(_) => Vec::new(),
            };
            for text in texts {
                assert_eq!(unknown(text, &SCHEMA), None, "in {}", block.name);
            }
        }
        assert!(SCHEMA.len() > 200, "{}", SCHEMA.len());
    }

    #[test]
    fn types_read_as_go_writes_them() {
        for text in ["map[string]*structpb.Value", "[]v1.Container", "*int64", "map[string]string", "v1.PullPolicy"] {
            let types = SCHEMA.iter().map(|(name, declared)| (*name, declared.named.clone())).collect();
            assert_eq!(resolve(text, &types).to_string(), text);
        }
    }
}
