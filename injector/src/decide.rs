//! Whether a pod gets a sidecar, and why.

use std::fmt;

use serde_json::Value;
use sidecar_contract::{annotation, label, namespace};

use crate::config::Config;
use crate::workload::metadata_map;

/// The outcome for one pod: [`Decision::inject`], and the [`Reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What settled it.
    pub reason: Reason,
    /// Things the owner of the pod should know although they did not settle it.
    pub warnings: Vec<String>,
}

/// What settled a decision. [`Reason::code`] is stable; [`fmt::Display`] is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The pod uses the node's network, where redirection would catch the traffic of the node.
    HostNetwork,
    /// The pod is in one of [`namespace::NEVER_INJECTED`].
    SystemNamespace(String),
    /// The label [`label::INJECT`] says so.
    Label(bool),
    /// The annotation [`annotation::INJECT`] says so, and there is no label.
    Annotation(bool),
    /// `neverInjectSelector` matches the pod's labels; the selector is given.
    NeverInjectSelector(String),
    /// `alwaysInjectSelector` matches the pod's labels; the selector is given.
    AlwaysInjectSelector(String),
    /// Nothing else decided, and `policy` is `enabled`.
    PolicyEnabled,
    /// Nothing else decided, and `policy` is `disabled`.
    PolicyDisabled,
    /// `policy` is neither `enabled` nor `disabled`: nothing is injected until it is mended.
    PolicyInvalid(String),
}

impl Decision {
    /// Whether the pod gets a sidecar.
    pub fn inject(&self) -> bool {
        match &self.reason {
            Reason::Label(inject) | Reason::Annotation(inject) => *inject,
            Reason::AlwaysInjectSelector(_) | Reason::PolicyEnabled => true,
            Reason::HostNetwork
            | Reason::SystemNamespace(_)
            | Reason::NeverInjectSelector(_)
            | Reason::PolicyDisabled
            | Reason::PolicyInvalid(_) => false,
        }
    }
}

impl Reason {
    /// A stable name for metrics, audit annotations and scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HostNetwork => "host_network",
            Self::SystemNamespace(_) => "system_namespace",
            Self::Label(true) => "label_true",
            Self::Label(false) => "label_false",
            Self::Annotation(true) => "annotation_true",
            Self::Annotation(false) => "annotation_false",
            Self::NeverInjectSelector(_) => "never_inject_selector",
            Self::AlwaysInjectSelector(_) => "always_inject_selector",
            Self::PolicyEnabled => "policy_enabled",
            Self::PolicyDisabled => "policy_disabled",
            Self::PolicyInvalid(_) => "policy_invalid",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostNetwork => f.write_str("the pod uses the host's network"),
            Self::SystemNamespace(namespace) => write!(f, "the namespace {namespace} is never injected"),
            Self::Label(inject) => write!(f, "the label {} is {inject}", label::INJECT),
            Self::Annotation(inject) => write!(f, "the annotation {} is {inject}", annotation::INJECT),
            Self::NeverInjectSelector(selector) => {
                write!(f, "neverInjectSelector `{selector}` matches the pod's labels")
            }
            Self::AlwaysInjectSelector(selector) => {
                write!(f, "alwaysInjectSelector `{selector}` matches the pod's labels")
            }
            Self::PolicyEnabled => f.write_str("the policy is enabled and the pod does not object"),
            Self::PolicyDisabled => f.write_str("the policy is disabled and the pod does not ask"),
            Self::PolicyInvalid(policy) => {
                write!(f, "the configured policy is `{policy}`, which is neither enabled nor disabled")
            }
        }
    }
}

/// Decides for `pod` in `namespace`, in the order in which Istio's injector asks.
///
/// The selectors of the webhook configuration come before all this: the API server evaluates them.
pub fn decide(pod: &Value, namespace: &str, config: &Config) -> Decision {
    let mut warnings = Vec::new();
    let reason = never_whatever_is_asked(pod, namespace)
        .or_else(|| asked_by_the_pod(pod, &mut warnings))
        .or_else(|| selected(pod, config))
        .unwrap_or_else(|| by_policy(config));
    let decision = Decision { reason, warnings };
    match by_policy(config) {
        // A typing mistake in the policy must not inject half a cluster: not even a pod that asks for it.
        invalid @ Reason::PolicyInvalid(_) if decision.inject() => Decision { reason: invalid, ..decision },
        _ => decision,
    }
}

fn never_whatever_is_asked(pod: &Value, namespace: &str) -> Option<Reason> {
    if pod.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true) {
        return Some(Reason::HostNetwork);
    }
    namespace::NEVER_INJECTED.contains(&namespace).then(|| Reason::SystemNamespace(namespace.to_owned()))
}

/// The label wins over the annotation even when it is empty or senseless: it is what the webhook's selectors see.
fn asked_by_the_pod(pod: &Value, warnings: &mut Vec<String>) -> Option<Reason> {
    let by_label = metadata_map(pod, "labels").get(label::INJECT).and_then(Value::as_str);
    let by_annotation = metadata_map(pod, "annotations").get(annotation::INJECT).and_then(Value::as_str);
    let (given, what, name, reason): (_, _, _, fn(bool) -> Reason) = match (by_label, by_annotation) {
        (Some(value), _) => (value, "label", label::INJECT, Reason::Label),
        (None, Some(value)) => (value, "annotation", annotation::INJECT, Reason::Annotation),
        (None, None) => return None,
    };
    match given {
        "true" => Some(reason(true)),
        "false" => Some(reason(false)),
        "" => None,
        other => {
            let other = other.escape_default();
            warnings
                .push(format!("the {what} {name} is '{other}', which is neither true nor false, and has no effect"));
            None
        }
    }
}

fn selected(pod: &Value, config: &Config) -> Option<Reason> {
    let labels = metadata_map(pod, "labels");
    let matching = |selectors: &[crate::selector::LabelSelector]| {
        selectors.iter().find(|selector| !selector.is_empty() && selector.matches(labels)).map(ToString::to_string)
    };
    matching(&config.never_inject_selector)
        .map(Reason::NeverInjectSelector)
        .or_else(|| matching(&config.always_inject_selector).map(Reason::AlwaysInjectSelector))
}

fn by_policy(config: &Config) -> Reason {
    match config.policy.as_str() {
        "enabled" => Reason::PolicyEnabled,
        "disabled" => Reason::PolicyDisabled,
        other => Reason::PolicyInvalid(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(policy: &str) -> Config {
        serde_json::from_value(json!({
            "policy": policy,
            "neverInjectSelector": [{}, {"matchLabels": {"never": "yes"}}],
            "alwaysInjectSelector": [{"matchLabels": {"always": "yes"}}],
        }))
        .unwrap()
    }

    fn decided(policy: &str, namespace: &str, pod: &Value) -> (bool, &'static str) {
        let decision = decide(pod, namespace, &config(policy));
        (decision.inject(), decision.reason.code())
    }

    #[test]
    fn the_first_rule_that_applies_decides() {
        let label = |value: &str| json!({"metadata": {"labels": {label::INJECT: value}}});
        let annotated = |value: &str| json!({"metadata": {"annotations": {annotation::INJECT: value}}});
        let both =
            json!({"metadata": {"labels": {label::INJECT: "false"}, "annotations": {annotation::INJECT: "true"}}});
        let labelled = |key: &str| json!({"metadata": {"labels": {key: "yes"}}});
        let never_and_always = json!({"metadata": {"labels": {"never": "yes", "always": "yes"}}});
        let on_host = json!({"spec": {"hostNetwork": true}, "metadata": {"labels": {label::INJECT: "true"}}});
        for (policy, namespace, pod, expected) in [
            ("enabled", "demo", json!({}), (true, "policy_enabled")),
            ("disabled", "demo", json!({}), (false, "policy_disabled")),
            ("enabled", "demo", label("false"), (false, "label_false")),
            ("disabled", "demo", label("true"), (true, "label_true")),
            ("disabled", "demo", annotated("true"), (true, "annotation_true")),
            ("enabled", "demo", annotated("false"), (false, "annotation_false")),
            ("enabled", "demo", both, (false, "label_false")),
            ("enabled", "demo", labelled("never"), (false, "never_inject_selector")),
            ("disabled", "demo", labelled("always"), (true, "always_inject_selector")),
            ("disabled", "demo", never_and_always, (false, "never_inject_selector")),
            ("enabled", "kube-system", label("true"), (false, "system_namespace")),
            ("enabled", "demo", on_host, (false, "host_network")),
            ("enable", "demo", label("true"), (false, "policy_invalid")),
            ("", "demo", labelled("always"), (false, "policy_invalid")),
        ] {
            assert_eq!(decided(policy, namespace, &pod), expected, "policy {policy}, {namespace}, {pod}");
        }
    }

    #[test]
    fn a_senseless_value_has_no_effect_and_is_warned_about() {
        for value in ["yes", "True", "1", "on"] {
            let pod = json!({"metadata": {"labels": {label::INJECT: value}}});
            let decision = decide(&pod, "demo", &config("enabled"));
            assert_eq!(decision.reason, Reason::PolicyEnabled);
            assert!(decision.warnings[0].contains(value), "{decision:?}");
        }
    }
}
