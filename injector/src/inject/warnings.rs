//! What the owner of a pod should know although the pod was injected.

use serde_json::Value;
use sidecar_contract::container;

use crate::context::Context;
use crate::status::Status;
use crate::workload::{metadata_map, names};

/// Annotations and labels that Istio's injector acts on, whatever the template, and this one does not yet.
const WITHOUT_EFFECT: [&str; 6] = [
    "prometheus.istio.io/merge-metrics",
    "prometheus.istio.io/scrape-targets",
    "proxy.istio.io/config",
    "sidecar.istio.io/nativeSidecar",
    "sidecar.istio.io/proxyImageType",
    "sidecar.istio.io/rewriteAppHTTPProbers",
];

pub(super) fn about(pod: &Value, context: &Context<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if matches!(context.owner.kind, "Job" | "CronJob") && !context.native_sidecars {
        let kind = context.owner.kind;
        warnings.push(format!(
            "a {kind} does not complete while its sidecar runs; use native sidecars where the cluster has them"
        ));
    }
    if Status::on(pod).is_none() && names(pod, "containers").contains(&container::PROXY) {
        warnings.push(format!("the pod brings its own {}: the template's fields win over its", container::PROXY));
    }
    let annotations = metadata_map(pod, "annotations");
    let ignored = WITHOUT_EFFECT.iter().filter(|name| annotations.contains_key(**name));
    warnings.extend(ignored.map(|name| format!("the annotation {name} has no effect yet")));
    warnings
}
