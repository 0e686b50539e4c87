//! Messages of protobuf from their JSON form.

use gotemplate::{IntKind, List, Map, NamedType, Pointer, Struct, Type, Value};
use serde_json::Value as Json;

use super::data::{Path, Reader};
use super::duration;
use super::schema::{MessageField, named_type};
use crate::json_name::lower_camel;

pub(super) const DURATION: &str = "durationpb.Duration";
pub(super) const STRUCT: &str = "structpb.Struct";
pub(super) const STRUCT_LIST: &str = "structpb.ListValue";
pub(super) const STRUCT_VALUE: &str = "structpb.Value";
/// Of types that hold one scalar, and stand for it in JSON.
pub(super) const WRAPPERS: &str = "wrapperspb.";

const NANOS: i64 = 1_000_000_000;

/// Reads a message. Fields may be named in either of the two forms protobuf allows: `trustDomain` or `trust_domain`.
pub(super) fn message(
    reader: &mut Reader,
    named: &NamedType,
    fields: &[MessageField],
    json: &Json,
    path: &Path<'_>,
) -> Value {
    let name = named.name().to_text();
    match (name.as_ref(), json) {
        (DURATION, json) => match json.as_str().and_then(duration::parse) {
            Some(total) => {
                let nanos = Value::Int(total % NANOS, IntKind::Int32);
                let seconds = Value::Int(total / NANOS, IntKind::Int64);
                Struct::new(named.clone(), [("Seconds", seconds), ("Nanos", nanos)]).into()
            }
            None => reader.mistyped(&Type::Named(named.clone()), json, path),
        },
        (STRUCT | STRUCT_LIST | STRUCT_VALUE, json) => any(named, fields, json),
        (name, json) if name.starts_with(WRAPPERS) => match fields {
            [field] => Struct::new(named.clone(), [(field.name, scalar(reader, &field.field_type, json, path))]).into(),
            _ => Struct::zero(named.clone()).into(),
        },
        (_, Json::Object(entries)) => {
            let mut values = Vec::new();
            for (key, json) in entries.iter().filter(|(_, json)| !json.is_null()) {
                let json_name = lower_camel(key);
                let known = fields.iter().find(|field| field.json == key || field.json == json_name);
                if let Some(field) = known {
                    let value = scalar(reader, &field.field_type, json, &Path::Field(path, field.json));
                    values.push((field.name, in_its_case(field, value)));
                }
            }
            Struct::new(named.clone(), values).into()
        }
        _ => reader.mistyped(&Type::Named(named.clone()), json, path),
    }
}

/// Reads an enum, from a name or a number.
pub(super) fn enumeration(
    reader: &mut Reader,
    named: &NamedType,
    values: &[(i64, &'static str)],
    json: &Json,
    path: &Path<'_>,
) -> Value {
    let number = match json {
        Json::String(text) => values.iter().find(|(_, name)| name == text).map(|(number, _)| *number),
        json => json.as_i64().filter(|number| i32::try_from(*number).is_ok()),
    };
    match number {
        Some(number) => Value::named(named.clone(), Value::Int(number, IntKind::Int32)),
        None => reader.mistyped(&Type::Named(named.clone()), json, path),
    }
}

/// Numbers may be written as texts in protobuf's JSON.
fn scalar(reader: &mut Reader, wanted: &Type, json: &Json, path: &Path<'_>) -> Value {
    match (wanted, json) {
        (Type::Int(_) | Type::Uint(_) | Type::Float(_), Json::String(text)) => {
            let number = text.parse::<serde_json::Number>().map_or_else(|_| json.clone(), Json::Number);
            reader.value(wanted, &number, path)
        }
        _ => reader.value(wanted, json, path),
    }
}

/// A case of a oneof lies in a struct of its own.
fn in_its_case(field: &MessageField, value: Value) -> Value {
    match &field.case {
        Some((holder, name)) => Pointer::new(Struct::new(holder.clone(), [(*name, value)]).into()).into(),
        None => value,
    }
}

/// `structpb.Struct` and its parts, which are any JSON.
fn any(named: &NamedType, fields: &[MessageField], json: &Json) -> Value {
    let part = |name: &str, json: &Json| -> Value {
        match named_type(name) {
            Type::Named(named) => match super::schema::declared(&named).map(|declared| &declared.form) {
                Some(super::schema::Form::Message(fields)) => Pointer::new(any(&named, fields, json)).into(),
                _ => Value::Nil,
            },
            _ => Value::Nil,
        }
    };
    let element = || Type::pointer(named_type(STRUCT_VALUE));
    let name = named.name().to_text();
    let content = match (name.as_ref(), json) {
        (STRUCT, Json::Object(entries)) => {
            let entries = entries.iter().map(|(key, json)| (key.as_str(), part(STRUCT_VALUE, json)));
            ("fields", Map::of(element(), entries).into())
        }
        (STRUCT_LIST, Json::Array(items)) => {
            let items = items.iter().map(|json| part(STRUCT_VALUE, json)).collect();
            ("values", List::new(element(), items).into())
        }
        (STRUCT_VALUE, Json::Null) => ("nullValue", named_type("structpb.NullValue").zero()),
        (STRUCT_VALUE, Json::Bool(value)) => ("boolValue", Value::Bool(*value)),
        (STRUCT_VALUE, Json::Number(number)) => ("numberValue", Value::float(number.as_f64().unwrap_or_default())),
        (STRUCT_VALUE, Json::String(text)) => ("stringValue", Value::string(text.as_str())),
        (STRUCT_VALUE, Json::Array(_)) => ("listValue", part(STRUCT_LIST, json)),
        (STRUCT_VALUE, Json::Object(_)) => ("structValue", part(STRUCT, json)),
        _ => return Struct::zero(named.clone()).into(),
    };
    let (json_name, value) = content;
    let field = fields.iter().find(|field| field.json == json_name);
    Struct::new(named.clone(), field.map(|field| (field.name, in_its_case(field, value)))).into()
}
