//! Types of Kubernetes whose JSON their fields do not tell, and methods that templates may call on others.

use std::collections::HashMap;

use gotemplate::{Definition, Field, Function, IntKind, NamedType, Pointer, Signature, Str, Type, Value};

use super::{Declared, Form};
use crate::quantity::Quantity;

pub(super) const QUANTITY: &str = "resource.Quantity";
const INT_OR_STRING: &str = "intstr.IntOrString";
const INT_OR_STRING_KIND: &str = "intstr.Type";
const TIME: &str = "v1.Time";
const FIELDS: &str = "v1.FieldsV1";

/// All of them, not defined yet.
pub(super) fn declare() -> HashMap<&'static str, NamedType> {
    [QUANTITY, INT_OR_STRING, INT_OR_STRING_KIND, TIME, FIELDS].map(|name| (name, NamedType::declare(name))).into()
}

/// Defines all of them. Quantities and times are texts here, where Go has structs with nothing to see in them.
pub(super) fn define(types: &HashMap<&'static str, NamedType>) -> HashMap<&'static str, Declared> {
    let kind = types.get(INT_OR_STRING_KIND).cloned().map_or(Type::INT64, Type::Named);
    let definitions = [
        (QUANTITY, Form::Quantity, quantity()),
        (TIME, Form::Time, time()),
        (FIELDS, Form::Fields, Definition::default().json(|value| Ok(hidden_json(value)))),
        (INT_OR_STRING_KIND, Form::Underlying, Definition::of(Type::INT64)),
        (INT_OR_STRING, Form::IntOrString, int_or_string(kind)),
    ];
    let declared = definitions.into_iter().filter_map(|(name, form, definition)| {
        let named = types.get(name)?.clone();
        named.define(definition);
        Some((name, Declared { named, form }))
    });
    declared.collect()
}

/// Adds the methods that a type of this name has in Go.
pub(super) fn methods_of(name: &str, definition: Definition) -> Definition {
    const RESOURCES: [(&str, &str); 5] = [
        ("Cpu", "cpu"),
        ("Memory", "memory"),
        ("Pods", "pods"),
        ("Storage", "storage"),
        ("StorageEphemeral", "ephemeral-storage"),
    ];
    match name {
        "v1.ResourceList" => RESOURCES
            .into_iter()
            .fold(definition, |definition, (method, resource)| definition.method(method, resource_quantity(resource))),
        _ => definition,
    }
}

/// The quantity of a resource in a list of them; 0 where it has none.
fn resource_quantity(resource: &'static str) -> Function {
    let signature = Signature::new(vec![Type::Any], Type::Any);
    Function::with_signature(signature, move |_, arguments| {
        let found = match arguments.first().map(Value::underlying) {
            Some(Value::Map(list)) => list.get(resource),
            _ => None,
        };
        Ok(Pointer::new(found.unwrap_or_else(|| super::named_type(QUANTITY).zero())).into())
    })
}

fn quantity() -> Definition {
    let text = |value: &Value| match value.underlying() {
        Value::String(text) if !text.as_bytes().is_empty() => text.clone(),
        _ => "0".into(),
    };
    let number = move |of: fn(&Quantity) -> i64| {
        method(Type::INT64, move |value| {
            let quantity = Quantity::parse(&text(pointed_at(value)).to_text());
            Value::Int(quantity.as_ref().map_or(0, of), IntKind::Int64)
        })
    };
    let is_zero = move |value: &Value| {
        Value::Bool(Quantity::parse(&text(pointed_at(value)).to_text()).is_none_or(|quantity| quantity.is_zero()))
    };
    printing_as(Definition::of(Type::String), text)
        .pointer_method("Value", number(Quantity::value))
        .pointer_method("MilliValue", number(Quantity::milli_value))
        .pointer_method("IsZero", method(Type::Bool, is_zero))
        .json(move |value| Ok(text(value).to_text().into()))
}

fn pointed_at(value: &Value) -> &Value {
    match value {
        Value::Pointer(pointer) => pointer.target().unwrap_or(&Value::Nil),
        other => other,
    }
}

fn time() -> Definition {
    let is_zero = |value: &Value| !value.underlying().is_true();
    let text = move |value: &Value| -> Str {
        match value.underlying() {
            // As Go prints a time in UTC.
            Value::String(text) if !is_zero(value) => {
                let text = text.to_text();
                let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap_or((&text, "00:00:00"));
                format!("{date} {time} +0000 UTC").into()
            }
            _ => "0001-01-01 00:00:00 +0000 UTC".into(),
        }
    };
    let definition = printing_as(Definition::of(Type::String), text)
        .method("IsZero", method(Type::Bool, move |value| Value::Bool(is_zero(value))));
    definition.json(move |value| {
        Ok(match value.underlying() {
            Value::String(text) if !is_zero(value) => text.to_text().into(),
            _ => serde_json::Value::Null,
        })
    })
}

fn int_or_string(kind: Type) -> Definition {
    let fields = vec![
        Field::new("Type", kind),
        Field::new("IntVal", Type::Int(IntKind::Int32)),
        Field::new("StrVal", Type::String),
    ];
    printing_as(Definition::structure(fields), |value| match int_or_string_value(value) {
        Value::String(text) => text,
        Value::Int(number, _) => number.to_string().into(),
        _ => "".into(),
    })
    .method(
        "IntValue",
        method(Type::INT, |value| match int_or_string_value(value) {
            Value::String(text) => Value::int(text.to_text().parse().unwrap_or(0)),
            Value::Int(number, _) => Value::int(number),
            _ => Value::int(0),
        }),
    )
    .json(|value| {
        Ok(match int_or_string_value(value) {
            Value::String(text) => text.to_text().into(),
            Value::Int(number, _) => number.into(),
            _ => serde_json::Value::Null,
        })
    })
}

/// Which of the two it is.
fn int_or_string_value(value: &Value) -> Value {
    let Value::Struct(structure) = value else { return Value::Nil };
    let is_text = structure.field("Type").is_some_and(|kind| kind.underlying().is_true());
    structure.field(if is_text { "StrVal" } else { "IntVal" }).cloned().unwrap_or_default()
}

/// Makes values print so, and gives them a method `String` that says the same.
fn printing_as(definition: Definition, text: impl Fn(&Value) -> Str + Clone + Send + Sync + 'static) -> Definition {
    let string = text.clone();
    definition.display(text).method("String", method(Type::String, move |value| Value::String(string(value))))
}

fn method(result: Type, code: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Function {
    Function::with_signature(Signature::new(vec![Type::Any], result), move |_, arguments| {
        Ok(code(arguments.first().unwrap_or(&Value::Nil)))
    })
}

/// What `v1.FieldsV1` hides: JSON as it came.
fn hidden_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Struct(structure) => structure.hidden().cloned().unwrap_or_default(),
        _ => serde_json::Value::Null,
    }
}
