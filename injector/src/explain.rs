//! One decision from end to end, for people who ask why: which webhook is called, what each rule of the injector says, what
//! would be added, and whether a running pod is what it should be.
//!
//! ```text
//! explain(question) -> Explanation      text::render(explanation, marks) -> lines for people
//! running(question) -> Running          of a pod alone, for a look at all of them
//! ```

pub mod facts;
mod rules;
mod running;
#[cfg(test)]
mod tests;
pub mod text;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use sidecar_contract::label;

use crate::context::{Injector, NO_VARIABLES};
use crate::decide::{Subject, rulings};
use crate::inject::{InjectError, Outcome, inject};
use crate::mode::Mode;
use crate::owner::{Owner, owner_of_pod};
use crate::warnings::{self, Warning};
use crate::webhooks::{Registered, Webhook};
use crate::workload::{FieldError, WorkloadKind, metadata_map, metadata_text};

pub use facts::NamespaceFacts;
pub use rules::RuleVerdict;
pub use running::{Cause, Running, State};

/// An object, and all that is known of what decides about its pod.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The object: a pod, or something with a pod template.
    pub object: &'a Value,
    /// Its kind.
    pub workload: &'static WorkloadKind,
    /// The namespace that it is in, or will be in; empty when it is not known.
    pub namespace: &'a str,
    /// What is known of that namespace.
    pub facts: Option<&'a NamespaceFacts>,
    /// The webhooks of the cluster, where they are known.
    pub registered: Option<&'a [Registered]>,
    /// The injector that is asked.
    pub injector: &'a Injector,
    /// When its configuration was changed last, in RFC 3339, where that is known.
    pub configured: Option<&'a str>,
    /// Whether the object is a pod that is in the cluster.
    pub is_running: bool,
}

/// A decision from end to end. The names of its fields in JSON are stable.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What is explained.
    pub object: ObjectName,
    /// The revision of the injector that is asked.
    pub revision: String,
    /// What tells its configuration from others.
    pub configuration: String,
    /// Labels of the namespace; none when they are not known.
    pub namespace_labels: Option<Map<String, Value>>,
    /// Whether the API server calls this injector; none when it is not known.
    pub called: Option<bool>,
    /// The webhooks, each with its verdict; none when they are not known.
    pub webhooks: Option<Vec<WebhookVerdict>>,
    /// The rules of the injector, in order. Where it is not called, they are what it would have said.
    pub rules: Vec<RuleVerdict>,
    /// What they come to.
    pub decision: Verdict,
    /// What would be added; none when nothing is.
    pub injection: Option<Injection>,
    /// Why nothing can be added although it should; empty otherwise.
    pub problems: Vec<String>,
    /// What the owner should know besides.
    pub warnings: Vec<Warning>,
    /// Of a running pod: whether it is what it should be.
    pub running: Option<Running>,
}

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectName {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty when it is not known.
    pub namespace: String,
    /// Its name, or a prefix and a star.
    pub name: String,
}

/// Whether a webhook is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookVerdict {
    /// Name of the webhook.
    pub name: String,
    /// Name of its MutatingWebhookConfiguration; empty when it is not from a cluster.
    pub configuration: String,
    /// The revision whose injector it calls.
    pub revision: String,
    /// Whether both selectors match.
    pub matches: bool,
    /// The first requirement on the namespace that is not met.
    pub unmet_by_namespace: Option<String>,
    /// The first requirement on the pod that is not met.
    pub unmet_by_pod: Option<String>,
    /// Conditions that were not evaluated.
    pub conditions: Vec<String>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether the pod gets a sidecar.
    pub inject: bool,
    /// Why, a stable code.
    pub code: &'static str,
    /// Why, a sentence.
    pub reason: String,
}

/// What an injection adds, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Injection {
    /// The templates, in order.
    pub templates: Vec<String>,
    /// Init containers.
    pub init_containers: Vec<String>,
    /// Containers.
    pub containers: Vec<String>,
    /// Volumes.
    pub volumes: Vec<String>,
    /// Image pull secrets.
    pub image_pull_secrets: Vec<String>,
}

/// Explains what is decided about the pod of an object.
///
/// # Errors
/// When the object has no pod where its kind has one.
pub fn explain(question: &Question<'_>) -> Result<Explanation, FieldError> {
    let pod = question.pod()?;
    let selecting = question.webhooks();
    let subject = question.subject(&pod, selecting.as_deref());
    let decision = subject.decide(&question.injector.configuration.config);
    let expected = decision.inject().then(|| question.inject(&pod));
    let asked = rulings(&pod, question.namespace, &question.injector.configuration.config);
    let running = question.is_running.then(|| running::running(question, &pod, &decision, expected.as_ref()));
    let mut explanation = Explanation {
        object: question.name(),
        revision: question.injector.revision_name().to_owned(),
        configuration: question.injector.configuration.digest().to_owned(),
        namespace_labels: question.facts.map(|facts| facts.labels.clone()),
        called: subject.webhook().map(|called| called.is_ok()),
        webhooks: question.registered.and_then(|all| Some(verdicts(all, &subject.labels_with_name()?, &pod))),
        rules: rules::verdicts(&asked, &pod, question.namespace, &question.injector.configuration.config),
        decision: Verdict {
            inject: decision.inject(),
            code: decision.reason.code(),
            reason: decision.reason.to_string(),
        },
        injection: None,
        problems: Vec::new(),
        warnings: decision.warnings,
        running,
    };
    match expected {
        Some(Ok(outcome)) => {
            explanation.warnings.extend(outcome.warnings.clone());
            explanation.injection = Some(Injection::of(&outcome));
        }
        Some(Err(error)) => explanation.problems = error.messages_under(&question.workload.pod_path()),
        None => {
            let surprises = warnings::of_a_skip(&decision.reason, &pod, &question.injector.configuration);
            explanation.warnings.extend(surprises);
        }
    }
    Ok(explanation)
}

/// The revision to ask about a pod with `pod_labels` in the namespace `name`: that of the webhook that is called for it; where
/// none is, the only one there is; empty when there are several.
pub fn revision_asked<'a>(
    registered: &'a [Registered],
    name: &str,
    facts: Option<&NamespaceFacts>,
    pod_labels: &Map<String, Value>,
) -> &'a str {
    let called = facts.and_then(|facts| called(registered, name, facts, pod_labels));
    let only = || {
        let first = registered.first()?;
        registered.iter().all(|other| other.webhook.revision == first.webhook.revision).then_some(first)
    };
    called.or_else(only).map_or("", |registered| &registered.webhook.revision)
}

/// The webhook that is called for a pod with `pod_labels` in the namespace `name`, of whatever revision.
pub fn called<'a>(
    registered: &'a [Registered],
    name: &str,
    facts: &NamespaceFacts,
    pod_labels: &Map<String, Value>,
) -> Option<&'a Registered> {
    let mut labels = facts.labels.clone();
    labels.entry(label::NAMESPACE_NAME).or_insert_with(|| name.into());
    registered.iter().find(|registered| registered.webhook.matches(&labels, pod_labels))
}

/// Whether a pod that is in the cluster is what it should be.
///
/// # Errors
/// When the object is no pod.
pub fn running(question: &Question<'_>) -> Result<Running, FieldError> {
    let pod = question.pod()?;
    let selecting = question.webhooks();
    let decision = question.subject(&pod, selecting.as_deref()).decide(&question.injector.configuration.config);
    let expected = decision.inject().then(|| question.inject(&pod));
    Ok(running::running(question, &pod, &decision, expected.as_ref()))
}

impl<'a> Question<'a> {
    /// The pod as it was when it came to the injector.
    fn pod(&self) -> Result<Cow<'a, Value>, FieldError> {
        let pod = self.workload.pod(self.object, Mode::Corrected)?;
        if !self.is_running {
            return Ok(pod);
        }
        let mut pod = pod.into_owned();
        if let Some(pod) = pod.as_object_mut() {
            pod.shift_remove("status");
        }
        // The scheduler has chosen it since, and a name is made up after admission.
        if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
            spec.shift_remove("nodeName");
        }
        let is_made_up = !metadata_text(&pod, "generateName").is_empty();
        if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| is_made_up) {
            metadata.shift_remove("name");
        }
        Ok(Cow::Owned(pod))
    }

    fn webhooks(&self) -> Option<Vec<Webhook>> {
        Some(self.registered?.iter().map(|registered| registered.webhook.clone()).collect())
    }

    fn subject<'b>(&'b self, pod: &'b Value, webhooks: Option<&'b [Webhook]>) -> Subject<'b> {
        Subject {
            pod,
            namespace: self.namespace,
            namespace_labels: self.facts.map(|facts| &facts.labels),
            webhooks,
            revision: Some(self.injector.revision_name()),
        }
    }

    fn inject(&self, pod: &Value) -> Result<Outcome, InjectError> {
        let owner = if self.workload.is_pod() { owner_of_pod(pod) } else { Owner::of(self.object) };
        let namespace = self.injector.namespace(self.namespace);
        inject(pod, &self.injector.context(owner, namespace, &NO_VARIABLES))
    }

    fn called(&self, pod: &Value) -> Option<&'a Registered> {
        called(self.registered?, self.namespace, self.facts?, metadata_map(pod, "labels"))
    }

    fn name(&self) -> ObjectName {
        let name = match (metadata_text(self.object, "name"), metadata_text(self.object, "generateName")) {
            ("", "") => "(no name)".to_owned(),
            ("", prefix) => format!("{prefix}*"),
            (name, _) => name.to_owned(),
        };
        ObjectName { kind: self.workload.kind.to_owned(), namespace: self.namespace.to_owned(), name }
    }
}

fn verdicts(registered: &[Registered], labels: &Map<String, Value>, pod: &Value) -> Vec<WebhookVerdict> {
    let verdict = |registered: &Registered| {
        let selected = registered.webhook.selected(labels, metadata_map(pod, "labels"));
        WebhookVerdict {
            name: registered.webhook.name.clone(),
            configuration: registered.configuration.clone(),
            revision: registered.webhook.revision.clone(),
            matches: selected.unmet_by_namespace.is_none() && selected.unmet_by_pod.is_none(),
            unmet_by_namespace: selected.unmet_by_namespace,
            unmet_by_pod: selected.unmet_by_pod,
            conditions: registered.conditions.clone(),
        }
    };
    registered.iter().map(verdict).collect()
}

impl Injection {
    fn of(outcome: &Outcome) -> Self {
        let names = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let status = &outcome.status;
        Self {
            templates: outcome.templates.clone(),
            init_containers: names(&status.init_containers),
            containers: names(&status.containers),
            volumes: names(&status.volumes),
            image_pull_secrets: names(&status.image_pull_secrets),
        }
    }
}
