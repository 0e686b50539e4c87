//! Istio's functions for JSON and YAML.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::LazyLock;

use gotemplate::json::{self, Style};
use gotemplate::{Budget, Function, FunctionError, Functions, Str, Value};
use serde_json::{Map as Object, Value as Json};

use super::arguments::Texts;
use crate::mesh::MeshConfig;
use crate::template::{data, proto_json};

const EMPTY: &str = "{}";

/// Those of sprig that give JSON. Here they escape more, see [`escape_for_yaml`].
const OF_SPRIG: [&str; 6] = ["mustToJson", "mustToPrettyJson", "mustToRawJson", "toJson", "toPrettyJson", "toRawJson"];

pub(super) fn add(functions: &mut Functions) {
    for name in OF_SPRIG {
        if let Some(function) = functions.get(name.as_bytes()).cloned() {
            functions.add(name, escaping(function));
        }
    }
    functions
        .add("fromJSON", from_json)
        .add("protoToJSON", proto_to_json)
        .add("structToJSON", |budget: &Budget, value: Value| text_or_empty(budget, &value))
        .add("toJSON", |budget: &Budget, map: Texts| text_or_empty(budget, &map.0.into()))
        .add("toYaml", to_yaml);
}

/// JSON of a value; `{}` of nil, and of what has no JSON form.
pub(super) fn text_or_empty(budget: &Budget, value: &Value) -> Result<String, FunctionError> {
    if value.is_nil() {
        return Ok(EMPTY.to_owned());
    }
    match json::encode(value, budget, Style::Compact) {
        Ok(text) => Ok(escape_for_yaml(&String::from_utf8_lossy(&text))),
        Err(error) if error.is_limit() => Err(error),
        Err(_) => Ok(EMPTY.to_owned()),
    }
}

/// The value that a text in JSON is; the text `{}` when it is none.
fn from_json(budget: &Budget, text: Str) -> Result<Value, FunctionError> {
    match json::decode(text.as_bytes(), budget) {
        Err(error) if !error.is_limit() => Ok(Value::from(EMPTY)),
        other => other,
    }
}

/// JSON of a message of protobuf; of a ProxyConfig only what differs from its defaults.
fn proto_to_json(value: Value) -> Result<String, FunctionError> {
    static DEFAULTS: LazyLock<Object<String, Json>> = LazyLock::new(|| {
        let defaults = data::read(PROXY_CONFIG, MeshConfig::default().default_proxy_config(), "");
        match defaults.ok().and_then(|defaults| proto_json::of_message(&defaults).ok()) {
            Some(Json::Object(fields)) => fields,
            _ => Object::new(),
        }
    });
    const PROXY_CONFIG: &str = "v1alpha1.ProxyConfig";

    let Some(message) = proto_json::as_message(&value) else {
        return match value {
            Value::Nil | Value::Pointer(_) => Ok(EMPTY.to_owned()),
            _ => Err(FunctionError::new("wrong type for value; expected protoreflect.ProtoMessage")),
        };
    };
    let is_proxy_config = *message.struct_type().name() == PROXY_CONFIG;
    let mut fields = proto_json::of_message(&value)?;
    if let Json::Object(fields) = &mut fields
        && is_proxy_config
    {
        fields.retain(|name, value| DEFAULTS.get(name) != Some(value));
    }
    Ok(escape_for_html(&escape_for_yaml(&fields.to_string())))
}

/// YAML of a value, keys sorted; nothing of what has no JSON form.
fn to_yaml(budget: &Budget, value: Value) -> Result<String, FunctionError> {
    let text = match json::encode(&value, budget, Style::Raw) {
        Err(error) if !error.is_limit() => return Ok(String::new()),
        other => other?,
    };
    let problem = |error: &dyn std::fmt::Display| FunctionError::new(error.to_string());
    let value: Json = serde_json::from_slice(&text).map_err(|error| problem(&error))?;
    crate::yaml::write(&sorted(value)).map_err(|error| problem(&error))
}

fn sorted(value: Json) -> Json {
    match value {
        Json::Object(entries) => {
            let entries: BTreeMap<String, Json> =
                entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

fn escaping(function: Function) -> Function {
    let signature = function.signature().as_ref().clone();
    Function::with_signature(signature, move |budget, arguments| {
        Ok(match function.call(budget, arguments)? {
            Value::String(text) => Value::string(escape_for_yaml(&text.to_text())),
            other => other,
        })
    })
}

/// Escapes what Go's JSON escapes within strings. Outside of them JSON has no such characters.
fn escape_for_html(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Escapes what JSON takes as it is and YAML does not print (YAML 1.2, production `c-printable`), or takes for the end
/// of a line. In JSON such characters occur inside strings only.
fn escape_for_yaml(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            printable => escaped.push(printable),
        }
    }
    escaped
}
