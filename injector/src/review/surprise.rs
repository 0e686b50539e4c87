//! What a pod's owner would not expect, and should be told: Istio skips pods without a word.

use serde_json::Value;
use sidecar_contract::{annotation, label};

use crate::config::Configuration;
use crate::containers::{self, LISTS};
use crate::decide::Reason;
use crate::workload::metadata_map;

/// The image that stands for the sidecar's in a pod that counts on being injected.
const AUTO_IMAGE: &str = "auto";

/// Warnings for a pod in that nothing is injected for this `reason`; none when its owner had to expect it.
pub(super) fn of_a_skip(reason: &Reason, pod: &Value, configuration: &Configuration) -> Vec<String> {
    let surprise = match reason {
        Reason::HostNetwork => !says(pod, "false") && (says(pod, "true") || namespaces_ask(configuration)),
        Reason::SystemNamespace(_) => says(pod, "true"),
        Reason::PolicyInvalid(_) => true,
        _ => false,
    };
    let skipped = surprise.then(|| format!("no sidecar: {reason}"));
    let unusable = containers_with_auto_image(pod).map(|name| {
        format!("container '{}' has the image 'auto', which only an injection replaces", name.escape_default())
    });
    skipped.into_iter().chain(unusable.take(1)).collect()
}

/// The label wins over the annotation, as in the decision.
fn says(pod: &Value, what: &str) -> bool {
    let text = |map: &str, name: &str| metadata_map(pod, map).get(name).and_then(Value::as_str);
    text("labels", label::INJECT).or_else(|| text("annotations", annotation::INJECT)) == Some(what)
}

/// Whether the webhook is called because somebody asked for it. Where all namespaces are injected unless they object,
/// nobody has.
fn namespaces_ask(configuration: &Configuration) -> bool {
    let webhook = configuration.values.get("sidecarInjectorWebhook");
    webhook.and_then(|webhook| webhook.get("enableNamespacesByDefault")?.as_bool()) != Some(true)
}

fn containers_with_auto_image(pod: &Value) -> impl Iterator<Item = &str> {
    let elements = LISTS.into_iter().flat_map(move |list| containers::list(pod, list));
    elements
        .filter(|container| container.get("image").and_then(Value::as_str) == Some(AUTO_IMAGE))
        .map(|container| container.get("name").and_then(Value::as_str).unwrap_or_default())
}
