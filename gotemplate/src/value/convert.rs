//! Values from Rust's own types and from JSON.

use serde_json::Value as Json;

use super::{List, Map, Value};
use crate::stack;
use crate::types::{FloatKind, IntKind, Type, UintKind};

/// As Go's decoder makes it: `map[string]interface {}`, `[]interface {}`, and every number a `float64`.
impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        stack::with_room(|| match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::float(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::string(text.as_str()),
            Json::Array(items) => List::any(items.iter().map(Self::from).collect()).into(),
            Json::Object(entries) => {
                Map::of(Type::Any, entries.iter().map(|(key, item)| (key.as_str(), Self::from(item)))).into()
            }
        })
    }
}

/// As from a reference.
impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from(&json)
    }
}

macro_rules! numbers {
    ($($rust:ty: $value:ident => $result:expr;)*) => {$(
        impl From<$rust> for Value {
            fn from($value: $rust) -> Self {
                $result
            }
        }
    )*};
}

numbers! {
    i8: value => Self::Int(i64::from(value), IntKind::Int8);
    i16: value => Self::Int(i64::from(value), IntKind::Int16);
    i32: value => Self::Int(i64::from(value), IntKind::Int32);
    i64: value => Self::Int(value, IntKind::Int64);
    isize: value => Self::Int(value as i64, IntKind::Int);
    u8: value => Self::Uint(u64::from(value), UintKind::Uint8);
    u16: value => Self::Uint(u64::from(value), UintKind::Uint16);
    u32: value => Self::Uint(u64::from(value), UintKind::Uint32);
    u64: value => Self::Uint(value, UintKind::Uint64);
    usize: value => Self::Uint(value as u64, UintKind::Uint);
    f32: value => Self::Float(f64::from(value), FloatKind::Float32);
    f64: value => Self::Float(value, FloatKind::Float64);
}
