//! Whether a pod that is in the cluster has what it should have, and the most likely cause where it has not.

use serde::Serialize;
use serde_json::Value;
use sidecar_contract::label;

use super::{Question, facts};
use crate::containers::{self, LISTS};
use crate::decide::Decision;
use crate::inject::{InjectError, Outcome};
use crate::status::Status;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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

pub(super) fn running(
    question: &Question<'_>,
    pod: &Value,
    decision: &Decision,
    expected: Option<&Result<Outcome, InjectError>>,
) -> Running {
    let status = Status::on(pod);
    let injected_by = status.as_ref().map(|status| status.revision.clone());
    let own = question.injector.revision_name();
    let stands = |state: State, text: String, cause: Option<Cause>| Running {
        state,
        text,
        cause,
        injected_by: injected_by.clone(),
    };
    match (status, expected) {
        (None, None) => stands(State::NoneWanted, "it has no sidecar, and should have none".to_owned(), None),
        (None, Some(expected)) => {
            let cause = cause_of_absence(question, pod, expected.as_ref().err());
            stands(State::Missing, "it should have a sidecar, and was not injected".to_owned(), Some(cause))
        }
        (Some(_), None) => {
            let text = format!("it has a sidecar, and would get none now: {}", decision.reason);
            stands(State::NotWanted, text, None)
        }
        (Some(status), Some(expected)) => {
            if let Some(name) = gone(pod, &status) {
                let text = format!("its injection has added '{name}', which is gone");
                let cause = Cause {
                    code: "removed_by_another_webhook",
                    text: "a webhook that was called later has taken it out; let it leave injected containers alone"
                        .to_owned(),
                };
                stands(State::Incomplete, text, Some(cause))
            } else if !status.revision.is_empty() && status.revision != own {
                let text = format!("it was injected by revision {}, and is called for by {own}", status.revision);
                stands(State::OtherRevision, text, Some(cause_of_age(question)))
            } else {
                match (status.digest, expected) {
                    (None, _) => {
                        let text = "Istio's injector has injected it, and does not write down with which configuration";
                        stands(State::UnknownConfiguration, text.to_owned(), None)
                    }
                    (Some(recorded), Ok(outcome)) if outcome.status.digest.as_ref() == Some(&recorded) => {
                        stands(State::AsItShouldBe, "it has the sidecar that it should have".to_owned(), None)
                    }
                    (Some(_), Ok(_)) => {
                        let text = "its sidecar is not what the configuration makes of it now".to_owned();
                        stands(State::OtherConfiguration, text, Some(cause_of_age(question)))
                    }
                    (Some(_), Err(error)) => {
                        let text =
                            "its sidecar is of another configuration: with this one it cannot be injected".to_owned();
                        stands(State::OtherConfiguration, text, Some(failing(error)))
                    }
                }
            }
        }
    }
}

/// A container that the injection has added and that is not there.
fn gone(pod: &Value, status: &Status) -> Option<String> {
    let lost =
        |list: &str| status.names_in(list).find(|name| containers::find(pod, list, name).is_none()).map(str::to_owned);
    LISTS.into_iter().find_map(lost)
}

fn cause_of_age(question: &Question<'_>) -> Cause {
    let created = metadata_text(question.object, "creationTimestamp");
    match question.configured.filter(|configured| !created.is_empty() && created < *configured) {
        Some(configured) => Cause {
            code: "created_before_configuration",
            text: format!(
                "the pod was created at {created}, and the configuration was changed at {configured}; restart its workload"
            ),
        },
        None => Cause {
            code: "created_with_other_settings",
            text: "the injector that has injected it had other settings; restart its workload".to_owned(),
        },
    }
}

fn failing(error: &InjectError) -> Cause {
    Cause { code: "injection_fails", text: format!("the injection fails: {error}") }
}

/// The surest first: what cannot be otherwise, then what came later than the pod, then what may have failed.
fn cause_of_absence(question: &Question<'_>, pod: &Value, error: Option<&InjectError>) -> Cause {
    if metadata_map(question.object, "annotations").contains_key(MIRROR) {
        let text = "the kubelet runs it from a file of its node, and no webhook is asked about it";
        return Cause { code: "static_pod", text: text.to_owned() };
    }
    let created = metadata_text(question.object, "creationTimestamp");
    let called = question.called(pod);
    let is_older = |time: &str| !created.is_empty() && created < time;
    if let Some(webhook) = called.filter(|webhook| is_older(&webhook.created)) {
        let text = format!(
            "the pod was created at {created}, and the webhook configuration {} at {}; restart its workload",
            webhook.configuration, webhook.created
        );
        return Cause { code: "created_before_webhook", text };
    }
    if let Some(labelled) = question.facts.and_then(|facts| facts.labelled.as_deref()).filter(|time| is_older(time)) {
        let text = format!(
            "the pod was created at {created}, and its namespace was labelled at {labelled}; restart its workload"
        );
        return Cause { code: "created_before_label", text };
    }
    let labelled = facts::labelled(question.object, [label::INJECT, label::REVISION]);
    if let Some(labelled) = labelled.filter(|time| is_older(time)) {
        let text = format!("the pod was created at {created}, and labelled at {labelled}; restart its workload");
        return Cause { code: "labelled_later", text };
    }
    if let Some(error) = error {
        return failing(error);
    }
    match called {
        Some(webhook) if !webhook.conditions.is_empty() => Cause {
            code: "webhook_condition",
            text: format!(
                "the API server calls the webhook only where its conditions hold, which are not evaluated here: {}",
                webhook.conditions.join("; ")
            ),
        },
        Some(webhook) if webhook.is_ignored_on_failure => Cause {
            code: "webhook_failed",
            text: format!(
                "the failurePolicy of {} is Ignore: the injector was most likely not reached when the pod was created; \
                 see that it answers, and restart its workload",
                webhook.configuration
            ),
        },
        _ => match question.configured.filter(|time| is_older(time)) {
            Some(configured) => Cause {
                code: "created_before_configuration",
                text: format!(
                    "the pod was created at {created}, and the configuration was changed at {configured}; restart its \
                     workload"
                ),
            },
            None => unexplained(),
        },
    }
}

fn unexplained() -> Cause {
    let text = "nothing here explains it: the webhook was not called; restart its workload, and look into the log of the \
                injector";
    Cause { code: "webhook_not_called", text: text.to_owned() }
}
