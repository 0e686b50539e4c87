//! Why no webhook is called for a pod.

use std::fmt;

use serde_json::{Map, Value};
use sidecar_contract::{annotation, label};

use super::{Registered, Webhook};
use crate::workload::metadata_map;

/// The reason why the API server calls no webhook. [`NoMatch::code`] is stable; [`fmt::Display`] is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoMatch {
    /// There is no webhook at all.
    NoWebhook,
    /// What would have called the injector was deactivated, and nothing has taken its place.
    Deactivated,
    /// The namespace's label [`label::NAMESPACE_INJECTION`] has this value, which is not `enabled`.
    NamespaceDisabled(String),
    /// The namespace is labelled for the default revision, or the pod asks for it, and no webhook serves it.
    NoDefaultRevision,
    /// The pod's label [`label::INJECT`] is `false`.
    PodLabelFalse,
    /// The pod's label [`label::INJECT`] has this value, which is not `true`, in a namespace without labels.
    PodLabelInvalid(String),
    /// A label [`label::REVISION`] names a revision that no webhook serves.
    OtherRevision {
        /// `namespace` or `pod`: whose label it is.
        labelled: &'static str,
        /// The revision wanted.
        revision: String,
    },
    /// The API server calls another injector than the one that decides: that of this revision.
    CallsOther {
        /// The revision of the webhook that matches.
        called: String,
    },
    /// Only the annotation [`annotation::INJECT`] asks, and selectors see labels.
    AnnotationOnly,
    /// Neither the namespace nor the pod asks.
    NamespaceNotLabelled,
    /// The webhooks have selectors of their own; the requirement that fails in the nearest one is given.
    Selectors(String),
}

impl NoMatch {
    /// All values of [`NoMatch::code`].
    pub const CODES: [&'static str; 11] = [
        "webhook_none",
        "webhook_deactivated",
        "webhook_namespace_disabled",
        "webhook_no_default_revision",
        "webhook_pod_label_false",
        "webhook_pod_label_invalid",
        "webhook_other_revision",
        "webhook_calls_other",
        "webhook_annotation_only",
        "webhook_namespace_not_labelled",
        "webhook_selectors",
    ];

    /// Whether somebody wanted a sidecar in vain: the pod asks for it (`pod_asks`: by [`label::INJECT`], or the annotation),
    /// or labels name a revision that is not the one that decides.
    pub fn is_surprising(&self, pod_asks: bool, namespace_asks: bool) -> bool {
        match self {
            Self::PodLabelFalse | Self::NamespaceNotLabelled => false,
            Self::NamespaceDisabled(_) | Self::Selectors(_) => pod_asks,
            Self::NoWebhook => pod_asks || namespace_asks,
            Self::Deactivated
            | Self::NoDefaultRevision
            | Self::PodLabelInvalid(_)
            | Self::OtherRevision { .. }
            | Self::CallsOther { .. }
            | Self::AnnotationOnly => true,
        }
    }

    /// A stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoWebhook => "webhook_none",
            Self::Deactivated => "webhook_deactivated",
            Self::NamespaceDisabled(_) => "webhook_namespace_disabled",
            Self::NoDefaultRevision => "webhook_no_default_revision",
            Self::PodLabelFalse => "webhook_pod_label_false",
            Self::PodLabelInvalid(_) => "webhook_pod_label_invalid",
            Self::OtherRevision { .. } => "webhook_other_revision",
            Self::CallsOther { .. } => "webhook_calls_other",
            Self::AnnotationOnly => "webhook_annotation_only",
            Self::NamespaceNotLabelled => "webhook_namespace_not_labelled",
            Self::Selectors(_) => "webhook_selectors",
        }
    }

    /// Why none of `webhooks` is called for `pod`, as [`super::matching`] has found: the label that stands in the way
    /// first, the one that is missing last.
    pub(crate) fn of(registered: &[Registered], namespace_labels: &Map<String, Value>, pod: &Value) -> Self {
        let webhooks = &*registered.iter().map(|registered| &registered.webhook).collect::<Vec<_>>();
        if webhooks.is_empty() {
            return Self::NoWebhook;
        }
        if webhooks.iter().all(|webhook| webhook.is_deactivated()) {
            return Self::Deactivated;
        }
        let pod_labels = metadata_map(pod, "labels");
        by_labels(webhooks, namespace_labels, pod_labels)
            .or_else(|| unmet(webhooks, namespace_labels, pod_labels))
            .unwrap_or_else(|| match text(metadata_map(pod, "annotations"), annotation::INJECT) {
                Some("true") if !pod_labels.contains_key(label::INJECT) => Self::AnnotationOnly,
                _ => Self::NamespaceNotLabelled,
            })
    }
}

impl fmt::Display for NoMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (injection, inject, revision_label) = (label::NAMESPACE_INJECTION, label::INJECT, label::REVISION);
        match self {
            Self::NoWebhook => f.write_str("no webhook is installed"),
            Self::Deactivated => f.write_str("the webhooks that would call the injector are deactivated"),
            Self::NamespaceDisabled(value) => write!(
                f,
                "the namespace has the label {injection}={value}, where only enabled injects, and nothing overrides that"
            ),
            Self::NoDefaultRevision => {
                write!(f, "the default revision is asked for, and no webhook serves it; use {revision_label}")
            }
            Self::PodLabelFalse => write!(f, "the pod has the label {inject}=false"),
            Self::PodLabelInvalid(value) => {
                write!(f, "the pod has the label {inject}={value}, where only true asks for injection")
            }
            Self::OtherRevision { labelled, revision } => {
                write!(
                    f,
                    "the {labelled} has the label {revision_label}={revision}, and no webhook serves that revision"
                )
            }
            Self::CallsOther { called } => {
                write!(f, "it is the injector of revision {called} that is called; use --revision {called}")
            }
            Self::AnnotationOnly => {
                write!(
                    f,
                    "only the annotation {inject} asks for injection, and webhooks select by label; make it a label"
                )
            }
            Self::NamespaceNotLabelled => {
                write!(f, "the namespace has neither {injection} nor {revision_label}, and no label of the pod asks")
            }
            Self::Selectors(requirement) => write!(f, "the selector nearest to matching also requires {requirement}"),
        }
    }
}

fn by_labels(
    webhooks: &[&Webhook],
    namespace_labels: &Map<String, Value>,
    pod_labels: &Map<String, Value>,
) -> Option<NoMatch> {
    let injection = text(namespace_labels, label::NAMESPACE_INJECTION);
    if let Some(value) = injection.filter(|value| *value != label::NAMESPACE_INJECTION_ENABLED) {
        return Some(NoMatch::NamespaceDisabled(printable(value)));
    }
    let inject = text(pod_labels, label::INJECT);
    if inject == Some("false") {
        return Some(NoMatch::PodLabelFalse);
    }
    if injection.is_some() {
        return default_revision(webhooks, |webhook| {
            webhook.namespace_selector.asks_for(label::NAMESPACE_INJECTION, label::NAMESPACE_INJECTION_ENABLED)
        });
    }
    let serves = |revision: &str| {
        let asks = |webhook: &&Webhook| {
            [&webhook.namespace_selector, &webhook.object_selector]
                .iter()
                .any(|selector| selector.asks_for(label::REVISION, revision))
        };
        webhooks.iter().any(asks)
    };
    let by_namespace = text(namespace_labels, label::REVISION).map(|revision| ("namespace", revision));
    let by_pod = || text(pod_labels, label::REVISION).map(|revision| ("pod", revision));
    if let Some((labelled, revision)) = by_namespace.or_else(by_pod) {
        return (!serves(revision)).then(|| NoMatch::OtherRevision { labelled, revision: printable(revision) });
    }
    match inject {
        Some("true") => default_revision(webhooks, |webhook| webhook.object_selector.asks_for(label::INJECT, "true")),
        Some(other) => Some(NoMatch::PodLabelInvalid(printable(other))),
        None => None,
    }
}

/// The default revision was asked for in vain; `None` when a webhook would serve it and demands more.
fn default_revision(webhooks: &[&Webhook], serves: impl Fn(&Webhook) -> bool) -> Option<NoMatch> {
    match webhooks.iter().any(|webhook| webhook.is_deactivated()) {
        _ if webhooks.iter().any(|webhook| serves(webhook)) => None,
        true => Some(NoMatch::Deactivated),
        false => Some(NoMatch::NoDefaultRevision),
    }
}

/// What a webhook lacks whose labels of [`by_labels`] are right: something that Istio's own selectors do not ask for.
fn unmet(
    webhooks: &[&Webhook],
    namespace_labels: &Map<String, Value>,
    pod_labels: &Map<String, Value>,
) -> Option<NoMatch> {
    const KNOWN: [&str; 3] = [label::NAMESPACE_INJECTION, label::REVISION, label::INJECT];
    let lacking = |webhook: &&Webhook| {
        let of_namespace = webhook.namespace_selector.first_unmet(namespace_labels);
        of_namespace.or_else(|| webhook.object_selector.first_unmet(pod_labels))
    };
    let is_known = |requirement: &String| KNOWN.iter().any(|key| requirement.contains(key));
    let lacking = webhooks.iter().filter(|webhook| !webhook.is_deactivated()).filter_map(lacking);
    lacking.into_iter().find(|requirement| !is_known(requirement)).map(NoMatch::Selectors)
}

fn text<'a>(labels: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    labels.get(key).and_then(Value::as_str)
}

fn printable(value: &str) -> String {
    value.chars().take(100).flat_map(char::escape_default).collect()
}
