//! Whether a pod gets a sidecar, and why.

mod reason;

use serde_json::{Map, Value};
use sidecar_contract::{annotation, label, namespace};

use crate::config::Config;
use crate::webhooks::{NoMatch, Webhook, matching};
use crate::workload::metadata_map;

pub use reason::Reason;

/// The outcome for one pod: [`Decision::inject`], and the [`Reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What settled it.
    pub reason: Reason,
    /// Things the owner of the pod should know although they did not settle it.
    pub warnings: Vec<String>,
}

/// A pod, and what is known of the cluster that it is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The pod.
    pub pod: &'a Value,
    /// The namespace that it is in or will be in.
    pub namespace: &'a str,
    /// The labels of that namespace. The API server's own one, the namespace's name, need not be among them.
    pub namespace_labels: Option<&'a Map<String, Value>>,
    /// The webhooks of the cluster.
    pub webhooks: Option<&'a [Webhook]>,
}

impl Decision {
    /// Whether the pod gets a sidecar.
    pub fn inject(&self) -> bool {
        match &self.reason {
            Reason::Label(inject) | Reason::Annotation(inject) => *inject,
            Reason::AlwaysInjectSelector(_) | Reason::PolicyEnabled => true,
            Reason::NotCalled(_)
            | Reason::HostNetwork
            | Reason::SystemNamespace(_)
            | Reason::NeverInjectSelector(_)
            | Reason::PolicyDisabled
            | Reason::PolicyInvalid(_) => false,
        }
    }
}

impl<'a> Subject<'a> {
    /// The webhook by which the API server calls the injector for the pod; an error when there is none, and `None` when
    /// the labels of the namespace or the webhooks are not known.
    pub fn webhook(&self) -> Option<Result<&'a Webhook, NoMatch>> {
        let (webhooks, labels) = (self.webhooks?, self.namespace_labels?);
        let mut labels = labels.clone();
        labels.entry(label::NAMESPACE_NAME).or_insert_with(|| self.namespace.into());
        let found = matching(webhooks, &labels, metadata_map(self.pod, "labels"));
        Some(found.ok_or_else(|| NoMatch::of(webhooks, &labels, self.pod)))
    }

    /// Decides, in the order in which a cluster with Istio asks: the selectors of the webhooks first, which the API server
    /// evaluates; then the injector. The selectors are passed over when they are not known: offline, and inside of the
    /// webhook, where they have matched.
    pub fn decide(&self, config: &Config) -> Decision {
        match self.webhook() {
            Some(Err(no_match)) => Decision { reason: Reason::NotCalled(no_match), warnings: self.label_warnings() },
            _ => {
                let mut decision = decide(self.pod, self.namespace, config);
                decision.warnings.extend(self.label_warnings());
                decision
            }
        }
    }

    /// Labels that look as if they had an effect, and have none beside `istio-injection` on the namespace.
    fn label_warnings(&self) -> Vec<String> {
        let (injection, revision) = (label::NAMESPACE_INJECTION, label::REVISION);
        let Some(labels) = self.namespace_labels.filter(|labels| labels.contains_key(injection)) else {
            return Vec::new();
        };
        let on_namespace = labels.contains_key(revision).then_some("namespace");
        let on_pod = metadata_map(self.pod, "labels").contains_key(revision).then_some("pod");
        let ignored =
            |of: &str| format!("the label {revision} of the {of} has no effect: {injection} on the namespace wins");
        on_namespace.into_iter().chain(on_pod).map(ignored).collect()
    }
}

/// Decides for `pod` in `namespace`, in the order in which Istio's injector asks once it is called; see
/// [`Subject::decide`] for what comes before.
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
mod tests;
