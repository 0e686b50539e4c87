//! A pod that Istio's injector, or this one in its place, has injected before: what its templates get to see.

use serde_json::Value;
use sidecar_contract::annotation;

use super::{overrides, prometheus};
use crate::containers::{self, LISTS};
use crate::context::Context;
use crate::status::Status;

/// `pod` without the containers and metrics annotations of an earlier injection, but with its own wishes for those
/// containers. The rest of that injection stays: templates merge over it by name.
pub(super) fn stripped(pod: &Value, context: &Context<'_>) -> Value {
    let mut stripped = pod.clone();
    if let Some(status) = Status::on(pod) {
        for list in LISTS {
            if let Some(elements) = containers::list_mut(&mut stripped, list) {
                elements.retain(|element| !status.names_in(list).any(|name| containers::is_named(element, name)));
            }
        }
        prometheus::remove_merged(&mut stripped, context);
        if let Some(annotations) = containers::metadata_mut(&mut stripped, "annotations") {
            annotations.shift_remove(annotation::STATUS);
        }
    }
    for (list, element) in overrides::all_recorded(pod) {
        let name = element.get("name").and_then(Value::as_str).unwrap_or_default();
        if containers::find_in_both(&stripped, name).is_none()
            && let Some(elements) = containers::list_or_new(&mut stripped, list)
        {
            elements.push(element);
        }
    }
    stripped
}
