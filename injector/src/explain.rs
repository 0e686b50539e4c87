//! One decision from end to end, for people who ask why: which webhook is called, what each rule of the injector says, what
//! would be added, and whether a running pod is what it should be.
//!
//! ```text
//! explain(question) -> Explanation      text::render(explanation, marks) -> lines for people
//! running(question) -> Running          of a pod alone, for a look at all of them
//! ```

pub mod deployed;
pub mod facts;
mod question;
mod rules;
mod running;
#[cfg(test)]
mod tests;
pub mod text;

use serde::Serialize;
use serde_json::{Map, Value};
use sidecar_contract::label;

use crate::decide::{Reason, rulings};
use crate::inject::Outcome;
use crate::warnings::{self, Warning};
use crate::webhooks::{Registered, deciding, matching};
use crate::workload::{FieldError, metadata_map};

pub use facts::NamespaceFacts;
pub use question::Question;
pub use rules::RuleVerdict;
pub use running::{Cause, Running, State};

/// A decision from end to end. The names of its fields in JSON are stable.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What is explained.
    pub object: ObjectName,
    /// The revision of the injector that is asked.
    pub revision: String,
    /// What tells its configuration from others; none when that cannot be had.
    pub configuration: Option<String>,
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

/// The code of a decision that needs a configuration that cannot be had.
const CONFIGURATION_UNKNOWN: &str = "configuration_unknown";

/// Explains what is decided about the pod of an object.
///
/// # Errors
/// When the object has no pod where its kind has one.
pub fn explain(question: &Question<'_>) -> Result<Explanation, FieldError> {
    let answer = question.answer()?;
    let (pod, subject, decision) = (&*answer.pod, question.subject(&answer.pod), &answer.decision);
    let config = &question.injector.configuration.config;
    let labels = subject.labels_with_name();
    let asked = rulings(pod, question.namespace, config);
    let mut explanation = Explanation {
        object: question.name(),
        revision: question.injector.revision_name().to_owned(),
        configuration: question.config().map(|_| question.injector.configuration.digest().to_owned()),
        namespace_labels: question.facts.map(|facts| facts.labels.clone()),
        called: subject.webhook().map(|called| called.is_ok()),
        webhooks: question.registered.zip(labels).map(|(all, labels)| verdicts(all, &labels, pod)),
        rules: rules::verdicts(&asked, pod, question.namespace, question.config()),
        decision: Verdict::of(&decision.reason),
        injection: None,
        problems: Vec::new(),
        warnings: decision.warnings.clone(),
        running: None,
    };
    if question.config().is_none() && !is_sure(&decision.reason) {
        explanation.decision = Verdict::unknown(question.injector.revision_name());
        explanation.problems = question.problems.to_vec();
        return Ok(explanation);
    }
    explanation.running = question.is_running.then(|| running::running(question, &answer));
    match &answer.expected {
        Some(Ok(outcome)) => {
            explanation.warnings.extend(outcome.warnings.clone());
            explanation.injection = Some(Injection::of(outcome));
        }
        Some(Err(error)) => explanation.problems = error.messages_under(&question.workload.pod_path()),
        None => {
            let labels = question.facts.map(|facts| &facts.labels);
            let surprises = warnings::found::of_a_skip(&decision.reason, pod, labels, &question.injector.configuration);
            explanation.warnings.extend(surprises);
        }
    }
    Ok(explanation)
}

/// Whether no configuration would say otherwise.
fn is_sure(reason: &Reason) -> bool {
    match reason {
        Reason::NotCalled(_) | Reason::HostNetwork | Reason::SystemNamespace(_) => true,
        Reason::Label(inject) | Reason::Annotation(inject) => !inject,
        _ => false,
    }
}

impl Verdict {
    fn of(reason: &Reason) -> Self {
        Self { inject: reason.injects(), code: reason.code(), reason: reason.to_string() }
    }

    fn unknown(revision: &str) -> Self {
        let reason = format!("the injector of revision {revision} decides, whose configuration is not known");
        Self { inject: false, code: CONFIGURATION_UNKNOWN, reason }
    }
}

impl Explanation {
    /// Whether it could not be told what the injector decides.
    pub fn is_unknown(&self) -> bool {
        self.decision.code == CONFIGURATION_UNKNOWN
    }

    /// Whether something is not as it should be.
    pub fn is_finding(&self) -> bool {
        let is_wrongly_skipped = !self.decision.inject && self.warnings.iter().any(Warning::is_of_a_wrong_skip);
        let is_found = self.running.as_ref().is_some_and(|running| running.state.is_finding());
        is_wrongly_skipped || is_found || !self.problems.is_empty()
    }
}

/// The revision to ask about a pod with `pod_labels` in the namespace `name`: that of the webhook that is called for it, of
/// several the `preferred` one; where none is, the only one there is; empty when there are several.
pub fn revision_asked<'a>(
    registered: &'a [Registered],
    name: &str,
    facts: Option<&NamespaceFacts>,
    pod_labels: &Map<String, Value>,
    preferred: Option<&str>,
) -> &'a str {
    let called = facts.map(|facts| called(registered, name, facts, pod_labels)).unwrap_or_default();
    let only = || {
        let first = registered.first()?;
        registered.iter().all(|other| other.webhook.revision == first.webhook.revision).then_some(first)
    };
    deciding(&called, preferred).or_else(only).map_or("", |registered| &registered.webhook.revision)
}

/// The webhooks that are called for a pod with `pod_labels` in the namespace `name`, of whatever revision.
pub fn called<'a>(
    registered: &'a [Registered],
    name: &str,
    facts: &NamespaceFacts,
    pod_labels: &Map<String, Value>,
) -> Vec<&'a Registered> {
    let mut labels = facts.labels.clone();
    labels.entry(label::NAMESPACE_NAME).or_insert_with(|| name.into());
    matching(registered, &labels, pod_labels)
}

/// Whether a pod that is in the cluster is what it should be.
///
/// # Errors
/// When the object is no pod.
pub fn running(question: &Question<'_>) -> Result<Running, FieldError> {
    Ok(running::running(question, &question.answer()?))
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
