//! Whether a pod gets a sidecar, and why.

mod reason;
mod rules;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sidecar_contract::label;

use crate::config::Config;
use crate::warnings::{LABEL_WITHOUT_EFFECT, SEVERAL_WEBHOOKS, UNKNOWN_NAMESPACE, WEBHOOK_CONDITION, Warning};
use crate::webhooks::{NoMatch, Registered, deciding, matching};
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
    pub webhooks: Option<&'a [Registered]>,
    /// The revision of the injector that decides, where it matters that the API server calls this one and no other.
    pub revision: Option<&'a str>,
}

impl Decision {
    /// Whether the pod gets a sidecar.
    pub fn inject(&self) -> bool {
        self.reason.injects()
    }
}

/// Without variables in the path of a webhook.
pub(crate) static NO_VARIABLES: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Subject<'a> {
    /// The webhook by which the API server calls the injector for the pod; an error when there is none, and `None` when
    /// the labels of the namespace or the webhooks are not known. Of several it is that of the own revision.
    pub fn webhook(&self) -> Option<Result<&'a Registered, NoMatch>> {
        let (webhooks, labels) = (self.webhooks?, self.labels_with_name()?);
        let called = self.called()?;
        Some(match (deciding(&called, self.revision), self.revision) {
            (Some(found), Some(own)) if found.webhook.revision != own => {
                Err(NoMatch::CallsOther { called: found.webhook.revision.clone() })
            }
            (Some(found), _) => Ok(found),
            (None, _) => Err(NoMatch::of(webhooks, &labels, self.pod)),
        })
    }

    /// All webhooks that the API server calls for the pod, in order; `None` when that is not known.
    pub fn called(&self) -> Option<Vec<&'a Registered>> {
        Some(matching(self.webhooks?, &self.labels_with_name()?, metadata_map(self.pod, "labels")))
    }

    /// Variables of the sidecar in the path of the webhook by which the injector is called.
    pub fn variables(&self) -> &'a BTreeMap<String, String> {
        match self.webhook() {
            Some(Ok(registered)) => &registered.variables,
            _ => &NO_VARIABLES,
        }
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
        let webhook = self.webhook();
        let mut decision = match &webhook {
            Some(Err(no_match)) => Decision { reason: Reason::NotCalled(no_match.clone()), warnings: Vec::new() },
            _ => decide(self.pod, self.namespace, config),
        };
        decision.warnings.extend(self.label_warnings());
        if let Some(Ok(called)) = webhook.filter(|_| decision.inject()) {
            decision.warnings.extend(self.webhook_warnings(called));
        }
        decision
    }

    /// What only the cluster will tell of a pod for which the injector is `called`.
    fn webhook_warnings(&self, called: &Registered) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if !called.conditions.is_empty() {
            let conditions = called.conditions.join("; ");
            let text = format!(
                "the API server calls the injector only where its conditions hold, which are not evaluated here: {conditions}"
            );
            warnings.push(Warning::new(WEBHOOK_CONDITION, text));
        }
        let all = self.called().unwrap_or_default();
        let mut revisions: Vec<&str> = all.iter().map(|other| other.webhook.revision.as_str()).collect();
        revisions.dedup();
        if revisions.len() > 1 {
            let revisions = revisions.join(", ");
            let text = format!(
                "the injectors of several revisions are called for it, the last of which has the last word: {revisions}"
            );
            warnings.push(Warning::new(SEVERAL_WEBHOOKS, text));
        }
        warnings
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
