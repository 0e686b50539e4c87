//! What is found in a pod, and in what injection makes of it, that its owner should know.

use serde_json::{Map, Value};
use sidecar_contract::{annotation, label};

use super::{
    HOST_NETWORK, IMAGE_AUTO, INIT_CONTAINERS_BEFORE_PROXY, JOB_NEVER_ENDS, NO_SIDECAR, NOT_CALLED, POLICY_INVALID,
    SYSTEM_NAMESPACE, Warning, foreign, name_of, network, pod_security,
};
use crate::config::Configuration;
use crate::containers::{self, LISTS};
use crate::context::{Context, PodSettings};
use crate::decide::Reason;
use crate::status::Status;
use crate::workload::metadata_map;

/// The image that stands for the sidecar's in a pod that counts on being injected.
const AUTO_IMAGE: &str = "auto";

/// Warnings about a pod that is injected, from what it was before and what holds for it. Istio's mode has these too.
pub(crate) fn about(pod: &Value, context: &Context<'_>, settings: &PodSettings) -> Vec<Warning> {
    let mut warnings = settings.warnings.clone();
    let kind = context.owner.kind;
    if matches!(kind, "Job" | "CronJob") && !settings.native_sidecar {
        let text = format!(
            "a {kind} does not complete while its sidecar runs; use native sidecars where the cluster has them"
        );
        warnings.push(Warning::new(JOB_NEVER_ENDS, text));
    }
    if network::has_early_containers(pod) && context.holds_application(settings) && !settings.native_sidecar {
        let text = "init containers run before there is a proxy, although the application waits for it";
        warnings.push(Warning::new(INIT_CONTAINERS_BEFORE_PROXY, text));
    }
    warnings
}

/// Warnings about a pod that was injected, from what it was and what has become of it, beside those that are `known`.
pub(crate) fn of_an_injection(
    original: &Value,
    injected: &Value,
    status: &Status,
    known: &[Warning],
    context: &Context<'_>,
) -> Vec<Warning> {
    let has_sidecar = containers::sidecar(injected).is_some();
    let mut warnings = Vec::new();
    if has_sidecar {
        if !known.iter().any(|warning| warning.code == INIT_CONTAINERS_BEFORE_PROXY) {
            warnings.extend(network::early_containers(original, injected));
        }
        warnings.extend(network::udp_ports(original));
        warnings.extend(network::proxy_user(original, status));
        warnings.extend(foreign::sidecars(original));
    }
    warnings.extend(auto_image(injected));
    let labels = context.injector.namespace_labels(context.namespace.name);
    let level = labels.as_deref().and_then(pod_security::enforced);
    warnings.extend(level.and_then(|level| pod_security::forbids(level, original, injected, status)));
    warnings
}

/// Warnings about a pod in that nothing is injected for this `reason`, in a namespace with these labels; none when its owner
/// had to expect it.
pub fn of_a_skip(
    reason: &Reason,
    pod: &Value,
    namespace_labels: Option<&Map<String, Value>>,
    configuration: &Configuration,
) -> Vec<Warning> {
    let surprise = match reason {
        _ if says(pod, "false") && !matches!(reason, Reason::PolicyInvalid(_)) => None,
        Reason::NotCalled(no_match) => {
            let asks = |(key, value): (&String, &Value)| match key.as_str() {
                label::NAMESPACE_INJECTION => value == label::NAMESPACE_INJECTION_ENABLED,
                key => key == label::REVISION,
            };
            let namespace_asks = namespace_labels.into_iter().flatten().any(asks);
            let pod_asks = says(pod, "true") || metadata_map(pod, "labels").contains_key(label::REVISION);
            no_match.is_surprising(pod_asks, namespace_asks).then_some(NOT_CALLED)
        }
        Reason::HostNetwork if says(pod, "true") || namespaces_ask(configuration) => Some(HOST_NETWORK),
        Reason::SystemNamespace(_) if says(pod, "true") => Some(SYSTEM_NAMESPACE),
        Reason::PolicyInvalid(_) => Some(POLICY_INVALID),
        _ => None,
    };
    let skipped = surprise.map(|code| Warning::new(code, format!("{NO_SIDECAR}{reason}")));
    skipped.into_iter().chain(auto_image(pod)).collect()
}

/// The label wins over the annotation, as in the decision.
fn says(pod: &Value, what: &str) -> bool {
    let text = |map: &str, name: &str| metadata_map(pod, map).get(name).and_then(Value::as_str);
    text("labels", label::INJECT).or_else(|| text("annotations", annotation::INJECT)) == Some(what)
}

/// Whether the webhook is called because somebody asked for it. Where all namespaces are injected unless they object,
/// nobody has.
fn namespaces_ask(configuration: &Configuration) -> bool {
    !crate::registration::enables_namespaces_by_default(&configuration.values)
}

/// The first container whose image is yet to be given.
fn auto_image(pod: &Value) -> Option<Warning> {
    let mut elements = LISTS.into_iter().flat_map(|list| containers::list(pod, list));
    let found = elements.find(|container| container.get("image").and_then(Value::as_str) == Some(AUTO_IMAGE))?;
    let name = name_of(found).escape_default();
    let text = format!("container '{name}' has the image 'auto', which only an injection replaces");
    Some(Warning::new(IMAGE_AUTO, text))
}
