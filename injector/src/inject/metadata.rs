//! Labels and annotations that injection writes besides those of the templates.

use std::collections::BTreeMap;

use serde_json::Value;
use sidecar_contract::{annotation, environment, label};

use crate::containers;
use crate::context::Context;
use crate::status::Status;

/// Labels the pod with its network, where that is known.
pub(super) fn label_network(pod: &mut Value, variables: &BTreeMap<String, String>) {
    if let Some(network) = variables.get(environment::NETWORK)
        && let Some(labels) = containers::metadata_mut(pod, "labels")
    {
        labels.insert(label::NETWORK.to_owned(), network.as_str().into());
    }
}

/// Adds the annotations that the configuration gives to every injected pod, over the pod's own.
pub(super) fn add_configured(pod: &mut Value, context: &Context<'_>) {
    let configured = &context.injector.configuration.config.injected_annotations;
    if configured.is_empty() {
        return;
    }
    if let Some(annotations) = containers::metadata_mut(pod, "annotations") {
        annotations.extend(configured.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
    }
}

/// Writes down what was added.
pub(super) fn set_status(pod: &mut Value, status: &Status) {
    if let Some(annotations) = containers::metadata_mut(pod, "annotations") {
        annotations.insert(annotation::STATUS.to_owned(), status.to_annotation().into());
    }
}
