//! Answering an AdmissionReview (Kubernetes API `admission.k8s.io`, v1 and v1beta1).
//!
//! What is wrong with a request is answered: not allowed, with the reason, even when little more than its UID can be
//! told; so is a template that fails for a pod, which may well be the pod's doing. What is wrong with the injector is an
//! HTTP error instead, because what happens then is for the `failurePolicy` of the webhook to say; Istio's mode answers
//! that too.

mod envelope;
mod verdict;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ObjectReference;
use serde_json::{Value, json};

use crate::config::Configuration;
use crate::context::Injector;
use crate::decide::decide;
use crate::inject::inject;
use crate::owner::owner_of_pod;
use crate::patch;
use crate::warnings;
use crate::workload::metadata_text;

use envelope::{Envelope, is_known};
use verdict::Verdict;

/// An answer, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The AdmissionReview to send back.
    pub answer: Value,
    /// What was done.
    pub outcome: ReviewOutcome,
    /// Why: a stable code, from [`crate::decide::Reason::code`] or of the review itself.
    pub code: &'static str,
    /// Why, in a sentence.
    pub reason: String,
    /// The request's UID; empty where Istio's mode does without one.
    pub uid: String,
    /// Namespace of the request.
    pub namespace: String,
    /// Name of the pod, or `httpbin-*` when the API server is to make one up.
    pub name: String,
    /// Names of the templates of an injection, in order.
    pub templates: Vec<String>,
    /// Operations of the patch; 0 without one.
    pub patch_operations: usize,
    /// Length of the patch as JSON; 0 without one.
    pub patch_bytes: usize,
    /// What the owner of the pod should be told; never of a dry run, and never where there is no owner yet.
    pub notice: Option<Notice>,
}

/// Something that the owner of a pod should be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The controller of the pod.
    pub owner: ObjectReference,
    /// Why, in one word: `InjectionSkipped`, `InjectionDenied` or `InjectionFailed`.
    pub reason: &'static str,
    /// What happened, in a sentence.
    pub note: String,
}

/// What a review did to its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewOutcome {
    /// Allowed, with a patch.
    Injected,
    /// Allowed as it is.
    Skipped,
    /// Not allowed: it should have a sidecar and cannot get one.
    Denied,
    /// Not decided, through no fault of the pod: HTTP status 500, with the reason as text. The answer says not allowed.
    Failed,
}

impl ReviewOutcome {
    /// As it is named in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Skipped => "skipped",
            Self::Denied => "denied",
            Self::Failed => "rejected",
        }
    }
}

/// A body that is not an AdmissionReview request; HTTP status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReview {
    /// Not JSON at all, or nested too deep.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// Some other object.
    #[error(
        "expected apiVersion admission.k8s.io/v1 or v1beta1 and kind AdmissionReview, got '{api_version}' and '{kind}'"
    )]
    OtherKind {
        /// The object's `apiVersion`; empty when it has none.
        api_version: String,
        /// The object's `kind`; empty when it has none.
        kind: String,
    },
    /// An AdmissionReview with a field missing or of the wrong type.
    #[error("{field}: is missing, or not {expected}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
}

/// Answers the AdmissionReview in `body`; `variables` are those that the path of the request gives to sidecars.
///
/// # Errors
/// When `body` is no AdmissionReview of a version that can be answered, or has no UID; whatever else is wrong with it is an
/// answer too.
pub fn review(body: &[u8], variables: &BTreeMap<String, String>, injector: &Injector) -> Result<Review, NotAReview> {
    let review = match serde_json::from_slice::<Value>(body) {
        Ok(review) => review,
        Err(error) => {
            let error = NotAReview::NotJson(error.to_string());
            return refused(body, NOT_A_REVIEW, 400, &error.to_string(), injector).ok_or(error);
        }
    };
    let (api_version, kind) = (text(&review, "apiVersion"), text(&review, "kind"));
    if !is_known(api_version, kind) {
        let printable = |text: &str| text.chars().take(100).collect::<String>().escape_default().to_string();
        return Err(NotAReview::OtherKind { api_version: printable(api_version), kind: printable(kind) });
    }
    let request = review
        .get("request")
        .filter(|request| request.is_object())
        .ok_or(NotAReview::Field { field: "request", expected: "an object" })?;
    let verdict = match incomplete(request) {
        // Istio's injector takes what it gets for a new pod.
        Some(error) if !injector.settings.mode.is_istio() => {
            if text(request, "uid").is_empty() {
                return Err(error);
            }
            Verdict::denied(NOT_A_REVIEW, 400, error.to_string())
        }
        _ => answer(request, variables, injector),
    };
    Ok(answered(api_version, text(request, "uid"), request, verdict, injector))
}

/// Denies the request in `body`, which is not reviewed; `None` when its UID or version cannot be told. `code` is a name
/// from a fixed set, `status` is for whoever creates the pod.
pub fn refused(body: &[u8], code: &'static str, status: u16, reason: &str, injector: &Injector) -> Option<Review> {
    let envelope = Envelope::skim(body);
    let verdict = Verdict::denied(code, status, reason.to_owned());
    envelope.is_answerable().then(|| answered(&envelope.api_version, &envelope.uid, &Value::Null, verdict, injector))
}

/// The code of a request that lacks what makes it a review.
const NOT_A_REVIEW: &str = "not_a_review";

/// Kubernetes: names of most objects, names that are labels of DNS (namespaces, kinds, versions), and UIDs, in bytes.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
const LONGEST_UID: usize = 128;

fn incomplete(request: &Value) -> Option<NotAReview> {
    let missing = |field, expected| Some(NotAReview::Field { field, expected });
    if text(request, "uid").is_empty() {
        return missing("request.uid", "a string");
    }
    if !request.get("kind").is_some_and(Value::is_object) {
        return missing("request.kind", "an object");
    }
    if text(request, "operation").is_empty() {
        return missing("request.operation", "a string");
    }
    None
}

fn answered(api_version: &str, uid: &str, request: &Value, verdict: Verdict, injector: &Injector) -> Review {
    let response = verdict.response(uid, injector.revision_name(), injector.configuration.digest());
    Review {
        answer: json!({"apiVersion": api_version, "kind": "AdmissionReview", "response": response}),
        uid: uid.to_owned(),
        namespace: text(request, "namespace").to_owned(),
        name: pod_name(request),
        notice: notice(request, &verdict),
        outcome: verdict.outcome,
        code: verdict.code,
        reason: verdict.reason,
        templates: verdict.templates,
        patch_operations: verdict.patch.0,
        patch_bytes: verdict.patch.1.len(),
    }
}

fn answer(request: &Value, variables: &BTreeMap<String, String>, injector: &Injector) -> Verdict {
    if let Some(reason) = not_a_new_pod(request).filter(|_| !injector.settings.mode.is_istio()) {
        return Verdict::skipped("not_a_new_pod", reason, Vec::new());
    }
    let Some(pod) = request.get("object").filter(|object| object.is_object()) else {
        return Verdict::denied("no_object", 400, "request.object: is missing or not an object".to_owned());
    };
    // The API server fills in a pod's namespace after admission.
    let namespace = match metadata_text(pod, "namespace") {
        "" => text(request, "namespace"),
        namespace => namespace,
    };
    let Configuration { config, .. } = &*injector.configuration;
    let decision = decide(pod, namespace, config);
    let (code, reason) = (decision.reason.code(), decision.reason.to_string());
    if !decision.inject() {
        let surprises = warnings::found::of_a_skip(&decision.reason, pod, None, &injector.configuration);
        return Verdict::skipped(code, reason, [decision.warnings, surprises].concat());
    }
    let outcome = match inject(pod, &injector.context(owner_of_pod(pod), injector.namespace(namespace), variables)) {
        Ok(outcome) => outcome,
        Err(error) => {
            let reason = error.to_string();
            return if error.is_in_the_pod() {
                Verdict::denied("invalid_pod", 400, reason)
            } else {
                Verdict::denied("invalid_template", 500, reason)
            };
        }
    };
    if outcome.pod == *pod {
        let reason = "the pod has this very sidecar already".to_owned();
        return Verdict::skipped("up_to_date", reason, decision.warnings);
    }
    let patch = patch::verified(pod, &outcome.pod).map_err(|error| error.to_string());
    let text = patch.and_then(|patch| Ok((patch.0.len(), serde_json::to_string(&patch).map_err(|e| e.to_string())?)));
    match text {
        Ok(patch) => {
            let warnings = [decision.warnings, outcome.warnings].concat();
            let (outcome, templates) = (ReviewOutcome::Injected, outcome.templates);
            Verdict { outcome, templates, patch, ..Verdict::skipped(code, reason, warnings) }
        }
        Err(problem) => Verdict::failed("patch", problem, injector.settings.mode),
    }
}

/// Webhook rules are a person's to write: what they send beside new pods is let through as it is.
fn not_a_new_pod(request: &Value) -> Option<String> {
    let kind = request.get("kind").unwrap_or(&Value::Null);
    if !text(kind, "group").is_empty() || text(kind, "kind") != "Pod" {
        return Some(format!("the object is a {}, not a Pod", word(text(kind, "kind"))));
    }
    match (text(request, "operation"), text(request, "subResource")) {
        ("CREATE", "") => None,
        (operation, "") => Some(format!("the operation is {}, not CREATE", word(operation))),
        (_, subresource) => Some(format!("the request is for the subresource {}", word(subresource))),
    }
}

/// Of a text that should be a word and may be anything, as much as is printed of it.
fn word(text: &str) -> String {
    text.chars().take(LONGEST_LABEL).collect::<String>().escape_default().to_string()
}

/// A pod that is asked about does not exist yet, so that it is its controller who can be told.
fn notice(request: &Value, verdict: &Verdict) -> Option<Notice> {
    let (reason, note) = match verdict.outcome {
        ReviewOutcome::Denied => ("InjectionDenied", verdict.reason.clone()),
        ReviewOutcome::Failed => ("InjectionFailed", verdict.reason.clone()),
        // What is up to date has been told the first time.
        ReviewOutcome::Skipped if !verdict.warnings.is_empty() && verdict.code != "up_to_date" => {
            ("InjectionSkipped", verdict.warnings.iter().map(|warning| &**warning).collect::<Vec<_>>().join("; "))
        }
        ReviewOutcome::Skipped | ReviewOutcome::Injected => return None,
    };
    if request.get("dryRun") == Some(&Value::Bool(true)) {
        return None;
    }
    let references = request.pointer("/object/metadata/ownerReferences")?.as_array()?;
    let controller = references.iter().find(|reference| reference.get("controller") == Some(&true.into()))?;
    // Longer than Kubernetes lets it be, it is nobody's, and is not to wait in memory.
    let given = |key: &str, longest: usize| {
        Some(text(controller, key)).filter(|text| (1..=longest).contains(&text.len())).map(str::to_owned)
    };
    let owner = ObjectReference {
        api_version: Some(given("apiVersion", LONGEST_NAME + 1 + LONGEST_LABEL)?),
        kind: Some(given("kind", LONGEST_LABEL)?),
        name: Some(given("name", LONGEST_NAME)?),
        uid: Some(given("uid", LONGEST_UID)?),
        namespace: Some(text(request, "namespace")).filter(|text| text.len() <= LONGEST_LABEL).map(str::to_owned),
        ..ObjectReference::default()
    };
    owner.namespace.as_ref()?;
    let pod: String = pod_name(request).chars().take(LONGEST_NAME).collect();
    Some(Notice { owner, reason, note: format!("pod {pod}: {note}") })
}

fn pod_name(request: &Value) -> String {
    let object = request.get("object").unwrap_or(&Value::Null);
    match [text(request, "name"), metadata_text(object, "name"), metadata_text(object, "generateName")] {
        ["", "", ""] => String::new(),
        ["", "", prefix] => format!("{prefix}*"),
        ["", name, _] | [name, ..] => name.to_owned(),
    }
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
