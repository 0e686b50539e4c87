//! The JSON form of messages of protobuf: fields in the order of the message, without those that have their default.

use gotemplate::{FunctionError, IntKind, Key, Struct, UintKind, Value};
use serde_json::{Map as Object, Value as Json};

use super::proto::{DURATION, STRUCT, STRUCT_LIST, STRUCT_VALUE, WRAPPERS};
use super::schema::{self, Form, MessageField};

/// The JSON form of a message, or of a pointer to one.
pub(super) fn of_message(value: &Value) -> Result<Json, FunctionError> {
    Ok(json(value))
}

/// The message that a value is or points to.
pub(super) fn as_message(value: &Value) -> Option<&Struct> {
    match value {
        Value::Struct(message) => is_message(message).then_some(message),
        Value::Pointer(pointer) => pointer.target().and_then(as_message),
        _ => None,
    }
}

fn is_message(structure: &Struct) -> bool {
    schema::declared(structure.struct_type()).is_some_and(|declared| matches!(declared.form, Form::Message(_)))
}

fn json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => (*value).into(),
        // What a double would not hold exactly is a text.
        Value::Int(value, IntKind::Int64) => value.to_string().into(),
        Value::Uint(value, UintKind::Uint64) => value.to_string().into(),
        Value::Int(value, _) => (*value).into(),
        Value::Uint(value, _) => (*value).into(),
        Value::Float(value, _) if value.fract() == 0.0 && value.abs() < 1e15 => (*value as i64).into(),
        Value::Float(value, _) => (*value).into(),
        Value::String(text) => text.to_text().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.entries().into_iter().map(|(key, value)| (key_text(key), json(&value))).collect(),
        Value::Pointer(pointer) => pointer.target().map(json).unwrap_or_default(),
        Value::Struct(structure) => message(structure),
        Value::Named(named) => match schema::declared(named.named_type()).map(|declared| &declared.form) {
            Some(Form::Enum(values)) => enumeration(values, named.value()),
            _ => json(named.value()),
        },
        Value::Nil | Value::Complex(..) | Value::Function(_) => Json::Null,
    }
}

fn message(structure: &Struct) -> Json {
    let name = structure.struct_type().name().to_text();
    match (name.as_ref(), structure.fields()) {
        (DURATION, [Value::Int(seconds, _), Value::Int(nanos, _)]) => duration(*seconds, *nanos).into(),
        (STRUCT | STRUCT_LIST, [content]) => json(content),
        (STRUCT_VALUE, [Value::Pointer(case)]) => match case.target() {
            Some(Value::Struct(holder)) => match holder.fields() {
                [Value::Named(_)] => Json::Null,
                [content] => json(content),
                _ => Json::Null,
            },
            _ => Json::Null,
        },
        (name, [content]) if name.starts_with(WRAPPERS) => json(content),
        _ => match schema::declared(structure.struct_type()).map(|declared| &declared.form) {
            Some(Form::Message(fields)) => fields
                .iter()
                .filter_map(|field| Some((field.json.to_owned(), json(&present(structure, field)?))))
                .collect::<Object<_, _>>()
                .into(),
            _ => Json::Null,
        },
    }
}

/// The value of a field, if the message has one: a case of a oneof that is chosen, or what is not the default.
fn present(structure: &Struct, field: &MessageField) -> Option<Value> {
    let value = structure.field(field.name)?;
    match &field.case {
        Some((holder, name)) => match value {
            Value::Pointer(pointer) => match pointer.target()? {
                Value::Struct(held) if held.struct_type() == holder => held.field(name).cloned(),
                _ => None,
            },
            _ => None,
        },
        None => value.is_true().then(|| value.clone()),
    }
}

fn enumeration(values: &[(i64, &'static str)], value: &Value) -> Json {
    match value {
        Value::Int(number, _) => values
            .iter()
            .find(|(known, _)| known == number)
            .map_or_else(|| (*number).into(), |(_, name)| (*name).into()),
        _ => Json::Null,
    }
}

/// In seconds, with no, three, six or nine digits after the point.
fn duration(seconds: i64, nanos: i64) -> String {
    let sign = if seconds < 0 || nanos < 0 { "-" } else { "" };
    let fraction = format!("{:09}", nanos.unsigned_abs());
    let mut fraction = fraction.as_str();
    while let Some(shorter) = fraction.strip_suffix("000") {
        fraction = shorter;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}s", seconds.unsigned_abs())
}

fn key_text(key: Key) -> String {
    match key {
        Key::String(text) => text.to_text().into_owned(),
        Key::Bool(value) => value.to_string(),
        Key::Int(value, _) => value.to_string(),
        Key::Uint(value, _) => value.to_string(),
        Key::Float(value, _) => value.to_string(),
        Key::Named(_, key) => key_text(*key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::data;
    use serde_json::json;

    fn check(type_name: &str, given: &Json, expected: &Json) {
        let value = data::read(type_name, given, "").unwrap();
        assert_eq!(json(&value).to_string(), expected.to_string());
    }

    #[test]
    fn fields_come_in_the_order_of_the_message_and_defaults_not_at_all() {
        check(
            "v1alpha1.ProxyConfig",
            &json!({"status_port": 15020, "interceptionMode": "REDIRECT", "concurrency": 0, "tracing": {},
                "drainDuration": "1m0.5s", "proxyMetadata": {"B": "", "A": "x"}, "serviceCluster": "",
                "holdApplicationUntilProxyStarts": false, "controlPlaneAuthPolicy": 1, "unknown": 1, "meshId": ""}),
            &json!({"serviceCluster": "", "drainDuration": "60.500s", "controlPlaneAuthPolicy": "MUTUAL_TLS",
                "concurrency": 0, "tracing": {}, "proxyMetadata": {"A": "x", "B": ""}, "statusPort": 15020,
                "holdApplicationUntilProxyStarts": false}),
        );
    }

    #[test]
    fn any_json_within_a_message_stays_what_it_is() {
        let labels = json!({"a": null, "b": [1, 1.5, "x", {}], "c": {"d": true}});
        let given =
            json!({"extensionProviders": [{"name": "log", "envoyFileAccessLog": {"logFormat": {"labels": labels}}}]});
        check("v1alpha1.MeshConfig", &given, &given);
    }

    #[test]
    fn a_message_of_the_wrong_shape_is_refused_by_field() {
        let given =
            json!({"tracing": {"sampling": "many", "zipkin": []}, "interceptionMode": "MAYBE", "drainDuration": "5"});
        let errors = data::read("v1alpha1.ProxyConfig", &given, "").unwrap_err();
        let fields: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            fields,
            [
                "tracing.sampling: is \"many\", not a number",
                "tracing.zipkin: is a list, not a mapping",
                "interceptionMode: is \"MAYBE\", not one of REDIRECT, TPROXY, NONE",
                "drainDuration: is \"5\", not a duration, as 45s",
            ]
        );
    }
}
