//! What the owner of a pod should know beside the decision: a stable code and a sentence each.

mod foreign;
mod network;
mod pod_security;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::{Map, Value};
use sidecar_contract::{annotation, label};

use crate::config::Configuration;
use crate::containers::{self, LISTS};
use crate::context::{Context, PodSettings};
use crate::decide::Reason;
use crate::inject::Outcome;
use crate::workload::metadata_map;

pub use pod_security::Level;

/// The image that stands for the sidecar's in a pod that counts on being injected.
const AUTO_IMAGE: &str = "auto";

/// Something that the owner of a pod should know although it did not settle anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable name for scripts, one of [`CODES`].
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

/// All values of [`Warning::code`].
pub const CODES: [&str; 23] = [
    ANNOTATION_WITHOUT_EFFECT,
    DUPLICATE_KEY,
    FOREIGN_SIDECAR,
    HOST_NETWORK,
    IMAGE_AUTO,
    INIT_CONTAINERS_BEFORE_PROXY,
    INJECT_VALUE_WITHOUT_SENSE,
    INJECTED_BY_ISTIO,
    INJECTED_BY_ISTIO_INEXACT,
    ISTIO_SKIPS,
    JOB_NEVER_ENDS,
    LABEL_WITHOUT_EFFECT,
    NOT_CALLED,
    POD_SECURITY_LEVEL,
    POLICY_INVALID,
    PROBE_NOT_REWRITTEN,
    RUNS_AS_PROXY_USER,
    SEVERAL_WEBHOOKS,
    SYSTEM_NAMESPACE,
    UDP_PORTS,
    UNKNOWN_KIND,
    UNKNOWN_NAMESPACE,
    WEBHOOK_CONDITION,
];

/// An annotation has a value that means nothing.
pub const ANNOTATION_WITHOUT_EFFECT: &str = "annotation_without_effect";
/// A mapping of the manifest has a key twice.
pub const DUPLICATE_KEY: &str = "duplicate_key";
/// The pod has, or asks for, the sidecar of something else.
pub const FOREIGN_SIDECAR: &str = "foreign_sidecar";
/// The pod asks for a sidecar and uses the host's network.
pub const HOST_NETWORK: &str = "host_network";
/// A container has the image `auto`, and nothing replaces it.
pub const IMAGE_AUTO: &str = "image_auto";
/// Init containers run before there is a proxy.
pub const INIT_CONTAINERS_BEFORE_PROXY: &str = "init_containers_before_proxy";
/// The label or annotation that asks for a sidecar is neither `true` nor `false`.
pub const INJECT_VALUE_WITHOUT_SENSE: &str = "inject_value_without_sense";
/// Istio's injector was here before.
pub const INJECTED_BY_ISTIO: &str = "injected_by_istio";
/// What Istio's injector did could not be told for sure.
pub const INJECTED_BY_ISTIO_INEXACT: &str = "injected_by_istio_inexact";
/// Istio's own words for a skip.
pub const ISTIO_SKIPS: &str = "istio_skips";
/// A job whose sidecar keeps it from ending.
pub const JOB_NEVER_ENDS: &str = "job_never_ends";
/// A label that another one overrules.
pub const LABEL_WITHOUT_EFFECT: &str = "label_without_effect";
/// The pod or its namespace asks for a sidecar, and the selectors of the webhooks leave the pod out.
pub const NOT_CALLED: &str = "not_called";
/// The namespace's Pod Security level does not admit the injected pod.
pub const POD_SECURITY_LEVEL: &str = "pod_security_level";
/// The configured policy means nothing, so nothing is injected.
pub const POLICY_INVALID: &str = "policy_invalid";
/// A probe stays as it is.
pub const PROBE_NOT_REWRITTEN: &str = "probe_not_rewritten";
/// The application runs as the user or group of the proxy.
pub const RUNS_AS_PROXY_USER: &str = "runs_as_proxy_user";
/// The injectors of several revisions are called for the pod.
pub const SEVERAL_WEBHOOKS: &str = "several_webhooks";
/// The pod asks for a sidecar in a namespace that is never injected.
pub const SYSTEM_NAMESPACE: &str = "system_namespace";
/// Ports that the sidecar does not redirect.
pub const UDP_PORTS: &str = "udp_ports";
/// The object has a pod template, and its kind is not known.
pub const UNKNOWN_KIND: &str = "unknown_kind";
/// The cluster does not have the namespace, or does not tell its labels.
pub const UNKNOWN_NAMESPACE: &str = "unknown_namespace";
/// Whether the injector is called depends on conditions that only the API server evaluates.
pub const WEBHOOK_CONDITION: &str = "webhook_condition";

/// What a pod without a sidecar is warned of when it was to have one.
const WRONGLY_SKIPPED: [&str; 7] =
    [HOST_NETWORK, IMAGE_AUTO, INJECT_VALUE_WITHOUT_SENSE, NOT_CALLED, POLICY_INVALID, SYSTEM_NAMESPACE, UNKNOWN_KIND];

/// Before the reason of a decision.
const NO_SIDECAR: &str = "no sidecar: ";

impl Warning {
    /// A warning with that code.
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// Whether a pod with this warning was to have a sidecar, if it has none.
    pub fn is_of_a_wrong_skip(&self) -> bool {
        WRONGLY_SKIPPED.contains(&self.code)
    }

    /// What it says to somebody who has read the reason of the decision.
    pub fn beside(&self, reason: &str) -> &str {
        let repeats = self.text.strip_prefix(NO_SIDECAR) == Some(reason);
        if repeats { "it was to have a sidecar, and gets none" } else { &self.text }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Deref for Warning {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Serialize for Warning {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Warning", 2)?;
        fields.serialize_field("code", self.code)?;
        fields.serialize_field("text", &self.text)?;
        fields.end()
    }
}

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

/// Warnings about a pod that was injected, from what it was and what has become of it.
pub(crate) fn of_an_injection(original: &Value, outcome: &Outcome, context: &Context<'_>) -> Vec<Warning> {
    let has_sidecar = containers::sidecar(&outcome.pod).is_some();
    let mut warnings = Vec::new();
    if has_sidecar {
        if !outcome.warnings.iter().any(|warning| warning.code == INIT_CONTAINERS_BEFORE_PROXY) {
            warnings.extend(network::early_containers(original, &outcome.pod));
        }
        warnings.extend(network::udp_ports(original));
        warnings.extend(network::proxy_user(original, &outcome.status));
        warnings.extend(foreign::sidecars(original));
    }
    warnings.extend(auto_image(&outcome.pod));
    let labels = context.injector.namespace_labels(context.namespace.name);
    let level = labels.as_deref().and_then(pod_security::enforced);
    warnings.extend(level.and_then(|level| pod_security::forbids(level, original, &outcome.pod, &outcome.status)));
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

fn name_of(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Names for a sentence, as `'a', 'b'`: no more than three of them.
fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 3;
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("'{}'", name.escape_default())).collect();
    let rest = names.len().saturating_sub(MOST);
    if rest == 0 { shown.join(", ") } else { format!("{} and {rest} more", shown.join(", ")) }
}
