//! Resources of the sidecar: those that the pod's annotations give, over the defaults of the values.
//!
//! Istio's template drops all defaults as soon as one annotation is there, and with them the limits that quotas and
//! autoscalers count on.

use serde_json::{Map, Value};
use sidecar_contract::{annotation, container};

use crate::containers::LISTS;
use crate::quantity::Quantity;
use crate::workload::metadata_map;

const ANNOTATIONS: [&str; 4] =
    [annotation::PROXY_CPU, annotation::PROXY_MEMORY, annotation::PROXY_CPU_LIMIT, annotation::PROXY_MEMORY_LIMIT];

/// Completes the resources of our containers in `fragment`, what a template renders for `pod`, with the defaults in
/// `values`: for each kind of resource that the annotations say nothing else about.
pub(super) fn complete(fragment: &mut Value, pod: &Value, values: &Map<String, Value>) {
    let annotations = metadata_map(pod, "annotations");
    if !ANNOTATIONS.iter().any(|name| annotations.contains_key(*name)) {
        return;
    }
    let defaults = values.get("global").and_then(|global| global.get("proxy")?.get("resources"));
    let Some(defaults) = defaults.and_then(Value::as_object) else { return };
    for list in LISTS {
        let elements = fragment.get_mut("spec").and_then(|spec| spec.get_mut(list)?.as_array_mut());
        for element in elements.into_iter().flatten() {
            let is_ours =
                [container::PROXY, container::INIT, container::VALIDATION].iter().any(|name| element["name"] == *name);
            if let Some(resources) = element.get_mut("resources").and_then(Value::as_object_mut).filter(|_| is_ours) {
                add(resources, defaults);
            }
        }
    }
}

fn add(resources: &mut Map<String, Value>, defaults: &Map<String, Value>) {
    let given = resources.clone();
    for side in ["requests", "limits"] {
        let Some(default) = defaults.get(side).and_then(Value::as_object) else { continue };
        let missing: Vec<_> = default
            .iter()
            .filter(|(resource, value)| at(&given, side, resource).is_none() && fits(&given, side, resource, value))
            .map(|(resource, value)| (resource.clone(), value.clone()))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let present = resources.entry(side).or_insert(Value::Null);
        if present.is_null() {
            *present = Value::Object(Map::new());
        }
        if let Value::Object(present) = present {
            present.extend(missing);
        }
    }
}

/// A default limit below the request that is given, or a default request above the limit, would make the pod invalid.
fn fits(given: &Map<String, Value>, side: &str, resource: &str, default: &Value) -> bool {
    let other = at(given, if side == "limits" { "requests" } else { "limits" }, resource);
    let (Some(other), Some(default)) = (other.and_then(quantity), quantity(default)) else { return !default.is_null() };
    let (request, limit) = if side == "limits" { (other, default) } else { (default, other) };
    request.is_at_most(&limit)
}

fn at<'a>(resources: &'a Map<String, Value>, side: &str, resource: &str) -> Option<&'a Value> {
    resources.get(side)?.get(resource).filter(|value| !value.is_null())
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}
