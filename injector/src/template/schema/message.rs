//! Messages and enums of protobuf: fields, getters that work on nil too, and how they are written in JSON.

use std::collections::HashMap;

use gotemplate::{Definition, Field, Function, IntKind, NamedType, Signature, Str, Struct, Type, Value};

use super::Form;
use super::text::MessageLine;
use crate::template::proto_json;

/// A field of a message, as JSON knows it.
#[derive(Debug)]
pub(in crate::template) struct MessageField {
    /// Its name in JSON.
    pub(in crate::template) json: &'static str,
    /// The field of the struct that holds it.
    pub(in crate::template) name: &'static str,
    pub(in crate::template) field_type: Type,
    /// For a case of a oneof: the struct in which it lies in that field, and its name there.
    pub(in crate::template) case: Option<(NamedType, &'static str)>,
}

/// What a message is made of.
pub(super) fn define(
    lines: &[MessageLine],
    types: &HashMap<&'static str, NamedType>,
    resolve: &impl Fn(&str) -> Type,
) -> (Definition, Form) {
    let mut definition = Definition::default();
    let mut fields = Vec::new();
    for line in lines {
        match line {
            MessageLine::Field(line) => {
                let field_type = resolve(line.type_text);
                definition.fields.push(field(line.name, field_type.clone()));
                definition = definition.pointer_method(&getter_name(line.name), getter(line.name, field_type.clone()));
                fields.push(MessageField { json: line.json, name: line.name, field_type, case: None });
            }
            MessageLine::Oneof(name, cases) => {
                definition.fields.push(field(name, Type::Any));
                definition = definition.pointer_method(&getter_name(name), getter(name, Type::Any));
                for (line, holder) in cases {
                    let Some(holder) = types.get(holder) else { continue };
                    let field_type = resolve(line.type_text);
                    holder.define(Definition::structure(vec![field(line.name, field_type.clone())]));
                    let case_getter = case_getter(name, holder.clone(), line.name, field_type.clone());
                    definition = definition.pointer_method(&getter_name(line.name), case_getter);
                    let case = Some((holder.clone(), line.name));
                    fields.push(MessageField { json: line.json, name, field_type, case });
                }
            }
        }
    }
    (definition.json(proto_json::of_message), Form::Message(fields))
}

/// What an enum is made of: a number that prints as its name.
pub(super) fn define_enum(values: Vec<(i64, &'static str)>) -> (Definition, Form) {
    let names = values.clone();
    let text = move |value: &Value| -> Str {
        match value.underlying() {
            Value::Int(number, _) => match names.iter().find(|(known, _)| known == number) {
                Some((_, name)) => (*name).into(),
                None => number.to_string().into(),
            },
            _ => "".into(),
        }
    };
    let string = text.clone();
    let signature = Signature::new(vec![Type::Any], Type::String);
    let string = Function::with_signature(signature, move |_, arguments| {
        Ok(Value::String(arguments.first().map(&string).unwrap_or_default()))
    });
    let json = text.clone();
    let definition = Definition::of(Type::Int(IntKind::Int32))
        .display(text)
        .json(move |value| Ok(json(value).to_text().into()))
        .method("String", string);
    (definition, Form::Enum(values))
}

fn field(name: &str, field_type: Type) -> Field {
    Field { json: None, ..Field::new(name, field_type) }
}

fn getter_name(field: &str) -> String {
    format!("Get{field}")
}

/// The field of the message that the receiver points to; its zero value where that is nil.
fn getter(name: &'static str, field_type: Type) -> Function {
    let signature = Signature::new(vec![Type::Any], field_type.clone());
    Function::with_signature(signature, move |_, arguments| {
        let found = arguments.first().and_then(message).and_then(|message| message.field(name));
        Ok(found.cloned().unwrap_or_else(|| field_type.zero()))
    })
}

/// A case of a oneof: its zero value where there is another one, or none.
fn case_getter(oneof: &'static str, holder: NamedType, name: &'static str, field_type: Type) -> Function {
    let signature = Signature::new(vec![Type::Any], field_type.clone());
    Function::with_signature(signature, move |_, arguments| {
        let held = arguments.first().and_then(message).and_then(|message| message.field(oneof)).and_then(self::message);
        let found = held.filter(|held| *held.struct_type() == holder).and_then(|held| held.field(name));
        Ok(found.cloned().unwrap_or_else(|| field_type.zero()))
    })
}

/// The struct that a value is or points to.
fn message(value: &Value) -> Option<&Struct> {
    match value {
        Value::Struct(structure) => Some(structure),
        Value::Pointer(pointer) => pointer.target().and_then(message),
        _ => None,
    }
}
