//! Data of the cases: JSON in which an object with one key that starts with `$` stands for a value of a type.

use base64::Engine;
use gotemplate::{FloatKind, Function, IntKind, Key, List, Map, Pointer, Signature, Type, UintKind, Value};
use serde_json::Value as Json;

use crate::{functions, person};

/// The value that the JSON stands for.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Array(items) => List::any(items.iter().map(value).collect()).into(),
        Json::Object(entries) => match entries.iter().next() {
            Some((tag, content)) if entries.len() == 1 && tag.starts_with('$') => tagged(&tag[1..], content),
            _ => Map::of(Type::Any, entries.iter().map(|(key, item)| (key.as_str(), value(item)))).into(),
        },
        plain => Value::from(plain),
    }
}

fn tagged(tag: &str, content: &Json) -> Value {
    match tag {
        "bytes" => Value::string(base64::engine::general_purpose::STANDARD.decode(text(content)).unwrap()),
        "list" => {
            let (element, items) = content.as_array().unwrap().split_first().unwrap();
            let element = element_type(text(element));
            let items = items.iter().map(|item| typed(&element, item)).collect();
            List::new(element, items).into()
        }
        "map" => {
            let [element, entries] = content.as_array().unwrap().as_slice() else { panic!("$map {content}") };
            let element = element_type(text(element));
            let entries: Vec<_> =
                entries.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), typed(&element, v))).collect();
            Map::of(element, entries).into()
        }
        "intmap" => {
            let map = Map::with_keys(Type::INT, Type::Any);
            for (key, item) in content.as_object().unwrap() {
                map.insert_key(Key::Int(key.parse().unwrap(), IntKind::Int), value(item));
            }
            map.into()
        }
        "nil" => match text(content) {
            "person" => Pointer::nil(Type::Named(person::person_type())).into(),
            "list" => List::nil(Type::Any).into(),
            "map" => Map::nil(Type::String, Type::Any).into(),
            "func" => Value::Function(Function::nil(Signature::new(Vec::new(), Type::String))),
            "strings" => Map::nil(Type::String, Type::String).into(),
            other => panic!("$nil {other}"),
        },
        "person" => person::person(content),
        "ptr" => Pointer::new(value(content)).into(),
        "mode" => person::mode(content.as_i64().unwrap()),
        "func" => Value::Function(functions::named(text(content))),
        "error" => person::error(text(content)),
        number => typed(&element_type(number), content),
    }
}

/// JSON as a value of that type.
pub(crate) fn typed(wanted: &Type, json: &Json) -> Value {
    match wanted {
        Type::Int(kind) => Value::Int(number(json), *kind),
        Type::Uint(kind) => Value::Uint(number(json), *kind),
        Type::Float(kind) => Value::Float(kind.round(number(json)), *kind),
        Type::Complex => {
            let parts = json.as_array().unwrap();
            Value::Complex(number(&parts[0]), number(&parts[1]))
        }
        _ => value(json),
    }
}

fn element_type(name: &str) -> Type {
    match name {
        "any" => Type::Any,
        "list" => Type::list(Type::Any),
        "string" => Type::String,
        "bool" => Type::Bool,
        "int" => Type::INT,
        "int8" => Type::Int(IntKind::Int8),
        "int16" => Type::Int(IntKind::Int16),
        "int32" => Type::Int(IntKind::Int32),
        "int64" => Type::INT64,
        "uint" => Type::Uint(UintKind::Uint),
        "uint8" => Type::Uint(UintKind::Uint8),
        "uint16" => Type::Uint(UintKind::Uint16),
        "uint32" => Type::Uint(UintKind::Uint32),
        "uint64" => Type::Uint(UintKind::Uint64),
        "float32" => Type::Float(FloatKind::Float32),
        "float64" => Type::FLOAT64,
        "complex128" => Type::Complex,
        other => panic!("unknown type {other}"),
    }
}

/// A number, which stands in quotes where JSON has none.
fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(json: &Json) -> T {
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_else(|| panic!("not a string: {json}"))
}
