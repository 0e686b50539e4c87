//! When two results are the same: as `check_inject.py` beside the cases has it.

use serde_json::{Map, Value, json};
use sidecar_injector::quantity::Quantity;

const JSON_VARIABLES: [&str; 4] =
    ["ISTIO_KUBE_APP_PROBERS", "PROXY_CONFIG", "ISTIO_PROMETHEUS_ANNOTATIONS", "ISTIO_META_POD_PORTS"];
const JSON_ANNOTATIONS: [&str; 2] = ["sidecar.istio.io/status", "proxy.istio.io/overrides"];
const MAY_BE_EMPTY: [&str; 8] =
    ["resources", "strategy", "metadata", "updateStrategy", "labels", "annotations", "selector", "securityContext"];

/// `value` without what Go writes and others need not; for the webhook also without what depends on the door.
pub(crate) fn normal(value: &Value, by_webhook: bool) -> Value {
    normalised(value, "", by_webhook)
}

fn normalised(value: &Value, key: &str, by_webhook: bool) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|element| normalised(element, "", by_webhook)).collect(),
        Value::Object(entries) if matches!(key, "limits" | "requests") => entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), quantity(value)))
            .collect(),
        Value::Object(entries) => Value::Object(mapping(entries, by_webhook)),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => json!(float as i64),
            _ => value.clone(),
        },
        scalar => scalar.clone(),
    }
}

fn mapping(entries: &Map<String, Value>, by_webhook: bool) -> Map<String, Value> {
    let mut result = Map::new();
    for (key, value) in entries {
        let key = key.as_str();
        let is_left_out = value.is_null()
            || matches!(key, "creationTimestamp" | "status")
            || matches!(key, "initialDelaySeconds" | "minReadySeconds") && *value == 0
            || matches!(key, "paused" | "test") && *value == false
            || by_webhook && key == JSON_ANNOTATIONS[0]
            || by_webhook && key == "apiVersion" && entries.contains_key("fieldPath");
        let value = normalised(value, key, by_webhook);
        let is_empty = MAY_BE_EMPTY.contains(&key) && value == json!({})
            || value == json!([])
            || value == "" && matches!(key, "value" | "name" | "namespace");
        if !is_left_out && !is_empty {
            result.insert(key.to_owned(), if key == "divisor" { quantity(&value) } else { value });
        }
    }
    let is_json = result.get("name").and_then(Value::as_str).is_some_and(|name| JSON_VARIABLES.contains(&name));
    let keys = JSON_ANNOTATIONS.iter().chain(is_json.then_some(&"value"));
    for key in keys {
        if let Some(Value::String(text)) = result.get(*key)
            && let Ok(json) = serde_json::from_str::<Value>(text)
        {
            let json = normalised(&json, key, by_webhook);
            result.insert((*key).to_owned(), json);
        }
    }
    result
}

fn quantity(value: &Value) -> Value {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Quantity::parse(&text).map_or(value.clone(), |quantity| quantity.milli_value().into())
}
