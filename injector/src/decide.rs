//! Whether a pod gets a sidecar, and why.

mod reason;
mod rules;

use serde_json::{Map, Value};
use sidecar_contract::label;

use crate::config::Config;
use crate::warnings::{LABEL_WITHOUT_EFFECT, UNKNOWN_NAMESPACE, Warning};
use crate::webhooks::{NoMatch, Webhook, matching};
use crate::workload::metadata_map;

pub use reason::Reason;
pub use rules::{Answer, Rule, Ruling, decided, rulings};

/// The outcome for one pod: [`Decision::inject`], and the [`Reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What settled it.
    pub reason: Reason,
    /// Things the owner of the pod should know although they did not settle it.
    pub warnings: Vec<Warning>,
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
    /// The revision of the injector that decides, where it matters that the API server calls this one and no other.
    pub revision: Option<&'a str>,
}

impl Decision {
    /// Whether the pod gets a sidecar.
    pub fn inject(&self) -> bool {
        self.reason.injects()
    }
}

impl<'a> Subject<'a> {
    /// The webhook by which the API server calls the injector for the pod; an error when there is none, and `None` when
    /// the labels of the namespace or the webhooks are not known.
    pub fn webhook(&self) -> Option<Result<&'a Webhook, NoMatch>> {
        let (webhooks, labels) = (self.webhooks?, self.labels_with_name()?);
        let found = matching(webhooks, &labels, metadata_map(self.pod, "labels"));
        Some(match (found, self.revision) {
            (Some(webhook), Some(own)) if webhook.revision != own => {
                Err(NoMatch::CallsOther { called: webhook.revision.clone() })
            }
            (Some(webhook), _) => Ok(webhook),
            (None, _) => Err(NoMatch::of(webhooks, &labels, self.pod)),
        })
    }

    /// The labels of the namespace, with that of its name, as selectors see them.
    pub fn labels_with_name(&self) -> Option<Map<String, Value>> {
        let mut labels = self.namespace_labels?.clone();
        labels.entry(label::NAMESPACE_NAME).or_insert_with(|| self.namespace.into());
        Some(labels)
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

    /// Labels that look as if they had an effect, and have none beside `istio-injection` on the namespace; and labels that
    /// would have decided, and are not known.
    fn label_warnings(&self) -> Vec<Warning> {
        let (injection, revision) = (label::NAMESPACE_INJECTION, label::REVISION);
        if self.webhooks.is_some() && self.namespace_labels.is_none() {
            let name = self.namespace.escape_default();
            let text =
                format!("the labels of the namespace '{name}' are not known; it is taken for one that is injected");
            return vec![Warning::new(UNKNOWN_NAMESPACE, text)];
        }
        let Some(labels) = self.namespace_labels.filter(|labels| labels.contains_key(injection)) else {
            return Vec::new();
        };
        let on_namespace = labels.contains_key(revision).then_some("namespace");
        let on_pod = metadata_map(self.pod, "labels").contains_key(revision).then_some("pod");
        let ignored = |of: &str| {
            let text = format!("the label {revision} of the {of} has no effect: {injection} on the namespace wins");
            Warning::new(LABEL_WITHOUT_EFFECT, text)
        };
        on_namespace.into_iter().chain(on_pod).map(ignored).collect()
    }
}

/// Decides for `pod` in `namespace`, by the [`rulings`] of Istio's injector once it is called; see [`Subject::decide`]
/// for what comes before.
pub fn decide(pod: &Value, namespace: &str, config: &Config) -> Decision {
    decided(rulings(pod, namespace, config))
}

#[cfg(test)]
mod tests;
