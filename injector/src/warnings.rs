//! What the owner of a pod should know beside the decision: a stable code and a sentence each.

pub mod found;

mod foreign;
mod network;
mod pod_security;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

/// Something that the owner of a pod should know although it did not settle anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable name for scripts, one of [`CODES`].
    pub code: &'static str,
    /// A sentence.
    pub text: String,
}

/// All values of [`Warning::code`].
pub const CODES: [&str; 26] = [
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
    PROBE_LEFT_REWRITTEN,
    PROBE_NOT_REWRITTEN,
    RUNS_AS_PROXY_USER,
    SEVERAL_WEBHOOKS,
    SYSTEM_NAMESPACE,
    TEXT_NOT_KEPT,
    TEXT_NOT_RESTORED,
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
/// A probe of an uninjected pod still goes to the sidecar.
pub const PROBE_LEFT_REWRITTEN: &str = "probe_left_rewritten";
/// A probe stays as it is.
pub const PROBE_NOT_REWRITTEN: &str = "probe_not_rewritten";
/// The application runs as the user or group of the proxy.
pub const RUNS_AS_PROXY_USER: &str = "runs_as_proxy_user";
/// The injectors of several revisions are called for the pod.
pub const SEVERAL_WEBHOOKS: &str = "several_webhooks";
/// The pod asks for a sidecar in a namespace that is never injected.
pub const SYSTEM_NAMESPACE: &str = "system_namespace";
/// An injected document whose text will not come back to the last byte.
pub const TEXT_NOT_KEPT: &str = "text_not_kept";
/// An uninjected document that was changed too much for all of its text to come back.
pub const TEXT_NOT_RESTORED: &str = "text_not_restored";
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
