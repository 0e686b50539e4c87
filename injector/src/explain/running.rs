//! Whether a pod that is in the cluster has what it should have, and the most likely cause where it has not.

use serde::{Serialize, Serializer};
use serde_json::Value;
use sidecar_contract::label;

use super::question::Answer;
use super::{Question, facts};
use crate::containers::{self, LISTS};
use crate::inject::InjectError;
use crate::status::Status;
use crate::webhooks::Registered;
use crate::workload::{metadata_map, metadata_text};

/// On a pod that the kubelet has made of a file of its node.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// How a running pod stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// How it stands.
    pub state: State,
    /// The same in a sentence.
    pub text: String,
    /// The most likely cause, where it is not as it should be.
    pub cause: Option<Cause>,
    /// The revision that has injected it, if any.
    pub injected_by: Option<String>,
}

/// How a running pod stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has the sidecar that it should have.
    AsItShouldBe,
    /// It has none, and should have none.
    NoneWanted,
    /// It should have a sidecar and has none.
    Missing,
    /// Something of its injection is gone.
    Incomplete,
    /// It has a sidecar of another revision.
    OtherRevision,
    /// It has a sidecar of another configuration.
    OtherConfiguration,
    /// It has a sidecar, and whether of this configuration cannot be told.
    UnknownConfiguration,
    /// It has a sidecar and would get none now.
    NotWanted,
}

/// Why a pod is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// A stable code.
    pub code: &'static str,
    /// A sentence, with what to do.
    pub text: String,
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AsItShouldBe,
        Self::NoneWanted,
        Self::Missing,
        Self::Incomplete,
        Self::OtherRevision,
        Self::OtherConfiguration,
        Self::UnknownConfiguration,
        Self::NotWanted,
    ];

    /// Whether it is something to find: a pod without the sidecar that it should have, or with another one.
    pub fn is_finding(self) -> bool {
        matches!(self, Self::Missing | Self::Incomplete | Self::OtherRevision | Self::OtherConfiguration)
    }

    /// A stable name, as JSON has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::AsItShouldBe => "as_it_should_be",
            Self::NoneWanted => "none_wanted",
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
            Self::OtherRevision => "other_revision",
            Self::OtherConfiguration => "other_configuration",
            Self::UnknownConfiguration => "unknown_configuration",
            Self::NotWanted => "not_wanted",
        }
    }
}

pub(super) fn running(question: &Question<'_>, answer: &Answer<'_>) -> Running {
    let Answer { pod, decision, expected } = answer;
    let status = Status::on(pod);
    let injected_by = status.as_ref().map(|status| status.revision.clone());
    let (state, text, cause) = match (status, expected) {
        (None, None) => (State::NoneWanted, "it has no sidecar, and should have none".to_owned(), None),
        (None, Some(expected)) => {
            let cause = cause_of_absence(question, pod, expected.as_ref().err());
            (State::Missing, "it should have a sidecar, and was not injected".to_owned(), Some(cause))
        }
        (Some(_), None) => {
            let text = format!("it has a sidecar, and would get none now: {}", decision.reason);
            (State::NotWanted, text, None)
        }
        (Some(status), Some(_)) => injected(question, answer, &status),
    };
    Running { state, text, cause, injected_by }
}

/// Of a pod with a sidecar that should have one: whether it is this one.
fn injected(question: &Question<'_>, answer: &Answer<'_>, status: &Status) -> (State, String, Option<Cause>) {
    let (pod, own) = (&answer.pod, question.injector.revision_name());
    if let Some(name) = gone(pod, status) {
        let text = "a webhook that was called later has taken it out; let it leave injected containers alone";
        let cause = Cause { code: "removed_by_another_webhook", text: text.to_owned() };
        return (State::Incomplete, format!("its injection has added '{name}', which is gone"), Some(cause));
    }
    if !status.revision.is_empty() && status.revision != own {
        let text = format!("it was injected by revision {}, and is called for by {own}", status.revision);
        let cause = created_before_configuration(question).unwrap_or_else(other_settings);
        return (State::OtherRevision, text, Some(cause));
    }
    let Some(recorded) = &status.digest else {
        let text = "Istio's injector has injected it, and does not write down with which configuration";
        return (State::UnknownConfiguration, text.to_owned(), None);
    };
    let expected = answer.expected.as_ref();
    let has_recorded = |digest: &Option<String>| digest.as_ref() == Some(recorded);
    if expected.is_some_and(|made| made.as_ref().is_ok_and(|outcome| has_recorded(&outcome.status.digest)))
        || question.fits_alternative(pod, |outcome| has_recorded(&outcome.status.digest))
    {
        return (State::AsItShouldBe, "it has the sidecar that it should have".to_owned(), None);
    }
    if let Some(Err(error)) = expected {
        let text = "its sidecar is of another configuration: with this one it cannot be injected".to_owned();
        return (State::OtherConfiguration, text, Some(failing(error)));
    }
    match created_before_configuration(question) {
        None if !question.alternatives.is_empty() => {
            let text = "its sidecar is not what is expected, and with which settings the injector runs is not known; \
                        name them with --nativeSidecars, --platform and --compliance-policy";
            (State::UnknownConfiguration, text.to_owned(), None)
        }
        cause => {
            let text = "its sidecar is not what the configuration makes of it now".to_owned();
            (State::OtherConfiguration, text, Some(cause.unwrap_or_else(other_settings)))
        }
    }
}

/// A container that the injection has added and that is not there.
fn gone(pod: &Value, status: &Status) -> Option<String> {
    let lost =
        |list: &str| status.names_in(list).find(|name| containers::find(pod, list, name).is_none()).map(str::to_owned);
    LISTS.into_iter().find_map(lost)
}

/// Whether something at `time` came after the pod.
fn is_later(question: &Question<'_>, time: &str) -> bool {
    let created = metadata_text(question.object, "creationTimestamp");
    !created.is_empty() && created < time
}

fn created_before_configuration(question: &Question<'_>) -> Option<Cause> {
    let created = metadata_text(question.object, "creationTimestamp");
    let configured = question.configured.filter(|time| is_later(question, time))?;
    let text = format!(
        "the pod was created at {created}, and the configuration was changed at {configured}; restart its workload"
    );
    Some(Cause { code: "created_before_configuration", text })
}

fn other_settings() -> Cause {
    let text = "the injector that has injected it had other settings; restart its workload";
    Cause { code: "created_with_other_settings", text: text.to_owned() }
}

fn failing(error: &InjectError) -> Cause {
    Cause { code: "injection_fails", text: format!("the injection fails: {error}") }
}

/// The surest first: what cannot be otherwise, then what came later than the pod, then what may have failed. Times in
/// `managedFields` are those of a manager's last write, of whatever field, so that what was written may be older.
fn cause_of_absence(question: &Question<'_>, pod: &Value, error: Option<&InjectError>) -> Cause {
    if metadata_map(question.object, "annotations").contains_key(MIRROR) {
        let text = "the kubelet runs it from a file of its node, and no webhook is asked about it";
        return Cause { code: "static_pod", text: text.to_owned() };
    }
    let created = metadata_text(question.object, "creationTimestamp");
    let called = question.subject(pod).webhook().and_then(Result::ok);
    if let Some(webhook) = called.filter(|webhook| is_later(question, &webhook.created)) {
        let text = format!(
            "the pod was created at {created}, and the webhook configuration {} at {}; restart its workload",
            webhook.configuration, webhook.created
        );
        return Cause { code: "created_before_webhook", text };
    }
    if let Some(error) = error {
        return failing(error);
    }
    let labelled = facts::labelled(question.object, [label::INJECT, label::REVISION]);
    if let Some(labelled) = labelled.filter(|time| is_later(question, time)) {
        let text =
            format!("the pod was created at {created}, and labelled at {labelled} at the latest; restart its workload");
        return Cause { code: "labelled_later", text };
    }
    let namespace_labelled = question.facts.and_then(|facts| facts.labelled.as_deref());
    let namespace_labelled = namespace_labelled.filter(|time| is_later(question, time));
    if let Some(cause) = called.and_then(|webhook| cause_in(webhook, namespace_labelled)) {
        return cause;
    }
    if let Some(labelled) = namespace_labelled {
        let text = format!(
            "the pod was created at {created}, and its namespace was labelled at {labelled} at the latest, most likely \
             after the pod; restart its workload"
        );
        return Cause { code: "created_before_label", text };
    }
    created_before_configuration(question).unwrap_or_else(unexplained)
}

/// What in the webhook may have kept it from being called, or from having an effect.
fn cause_in(webhook: &Registered, namespace_labelled: Option<&str>) -> Option<Cause> {
    if !webhook.conditions.is_empty() {
        let text = format!(
            "the API server calls the webhook only where its conditions hold, which are not evaluated here: {}",
            webhook.conditions.join("; ")
        );
        return Some(Cause { code: "webhook_condition", text });
    }
    let labelled = match namespace_labelled {
        Some(time) => format!(", or its namespace was labelled later, at {time} at the latest"),
        None => String::new(),
    };
    webhook.is_ignored_on_failure.then(|| Cause {
        code: "webhook_failed",
        text: format!(
            "the failurePolicy of {} is Ignore: the injector was most likely not reached when the pod was \
             created{labelled}; see that it answers, and restart its workload",
            webhook.configuration
        ),
    })
}

fn unexplained() -> Cause {
    let text = "nothing here explains it: the webhook was not called; restart its workload, and look into the log of the \
                injector";
    Cause { code: "webhook_not_called", text: text.to_owned() }
}
