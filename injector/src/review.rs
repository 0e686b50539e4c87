//! Answering an AdmissionReview (Kubernetes API `admission.k8s.io`, v1 and v1beta1).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::context::Injector;
use crate::decide::decide;
use crate::inject::inject;
use crate::owner::owner_of_pod;
use crate::patch;
use crate::workload::metadata_text;

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
    /// The pod, as `demo/httpbin-*`.
    pub pod: String,
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
}

impl ReviewOutcome {
    /// As it is named in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Skipped => "skipped",
            Self::Denied => "denied",
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
/// When `body` is no AdmissionReview with a request; whatever goes wrong after that is an answer too.
pub fn review(body: &[u8], variables: &BTreeMap<String, String>, injector: &Injector) -> Result<Review, NotAReview> {
    let review: Value = serde_json::from_slice(body).map_err(|error| NotAReview::NotJson(error.to_string()))?;
    let (api_version, kind) = (text(&review, "apiVersion"), text(&review, "kind"));
    if !matches!(api_version, "admission.k8s.io/v1" | "admission.k8s.io/v1beta1") || kind != "AdmissionReview" {
        let printable = |text: &str| text.escape_default().to_string();
        return Err(NotAReview::OtherKind { api_version: printable(api_version), kind: printable(kind) });
    }
    let request = review
        .get("request")
        .filter(|request| request.is_object())
        .ok_or(NotAReview::Field { field: "request", expected: "an object" })?;
    let uid = text(request, "uid");
    // Istio's injector takes what it gets for a new pod.
    let is_told = !injector.mode.is_istio();
    if is_told && uid.is_empty() {
        return Err(NotAReview::Field { field: "request.uid", expected: "a string" });
    }
    if is_told && !request.get("kind").is_some_and(Value::is_object) {
        return Err(NotAReview::Field { field: "request.kind", expected: "an object" });
    }
    if is_told && text(request, "operation").is_empty() {
        return Err(NotAReview::Field { field: "request.operation", expected: "a string" });
    }
    let verdict = answer(request, variables, injector);
    let mut response = Map::new();
    response.insert("uid".to_owned(), uid.into());
    response.extend(verdict.response);
    Ok(Review {
        answer: json!({"apiVersion": api_version, "kind": kind, "response": response}),
        outcome: verdict.outcome,
        code: verdict.code,
        reason: verdict.reason,
        pod: describe(request),
    })
}

struct Verdict {
    outcome: ReviewOutcome,
    code: &'static str,
    reason: String,
    response: Map<String, Value>,
}

impl Verdict {
    fn skipped(code: &'static str, reason: String, warnings: &[String]) -> Self {
        Self { outcome: ReviewOutcome::Skipped, code, reason, response: allowed(warnings) }
    }

    /// `status` as the API server shows it to whoever creates the pod.
    fn denied(code: &'static str, status: u16, reason: String) -> Self {
        let status = json!({"code": status, "message": format!("sidecar injection: {reason}")});
        let response = Map::from_iter([("allowed".to_owned(), false.into()), ("status".to_owned(), status)]);
        Self { outcome: ReviewOutcome::Denied, code, reason, response }
    }
}

fn answer(request: &Value, variables: &BTreeMap<String, String>, injector: &Injector) -> Verdict {
    if let Some(reason) = not_a_new_pod(request).filter(|_| !injector.mode.is_istio()) {
        return Verdict::skipped("not_a_new_pod", reason, &[]);
    }
    let Some(pod) = request.get("object").filter(|object| object.is_object()) else {
        return Verdict::denied("no_object", 400, "request.object: is missing or not an object".to_owned());
    };
    // The API server fills in a pod's namespace after admission.
    let namespace = match metadata_text(pod, "namespace") {
        "" => text(request, "namespace"),
        namespace => namespace,
    };
    let decision = decide(pod, namespace, &injector.configuration.config);
    let (code, reason) = (decision.reason.code(), decision.reason.to_string());
    if !decision.inject() {
        return Verdict::skipped(code, reason, &decision.warnings);
    }
    let outcome = match inject(pod, &injector.context(owner_of_pod(pod), injector.namespace(namespace), variables)) {
        Ok(outcome) => outcome,
        Err(error) => {
            let (code, status) = if error.is_in_the_pod() { ("invalid_pod", 400) } else { ("invalid_template", 500) };
            return Verdict::denied(code, status, error.to_string());
        }
    };
    if outcome.pod == *pod {
        let reason = "the pod has this very sidecar already".to_owned();
        return Verdict::skipped("up_to_date", reason, &decision.warnings);
    }
    let patch = patch::verified(pod, &outcome.pod).map_err(|error| error.to_string());
    match patch.and_then(|patch| serde_json::to_string(&patch).map_err(|error| error.to_string())) {
        Ok(patch) => {
            let mut response = allowed(&[decision.warnings, outcome.warnings].concat());
            response.insert("patchType".to_owned(), "JSONPatch".into());
            response.insert("patch".to_owned(), STANDARD.encode(patch).into());
            Verdict { outcome: ReviewOutcome::Injected, code, reason, response }
        }
        Err(problem) => Verdict::denied("patch", 500, problem),
    }
}

/// Webhook rules are a person's to write: what they send beside new pods is let through as it is.
fn not_a_new_pod(request: &Value) -> Option<String> {
    let kind = request.get("kind").unwrap_or(&Value::Null);
    if !text(kind, "group").is_empty() || text(kind, "kind") != "Pod" {
        return Some(format!("the object is a {}, not a Pod", text(kind, "kind").escape_default()));
    }
    match (text(request, "operation"), text(request, "subResource")) {
        ("CREATE", "") => None,
        (operation, "") => Some(format!("the operation is {}, not CREATE", operation.escape_default())),
        (_, subresource) => Some(format!("the request is for the subresource {}", subresource.escape_default())),
    }
}

fn allowed(warnings: &[String]) -> Map<String, Value> {
    let mut response = Map::from_iter([("allowed".to_owned(), Value::Bool(true))]);
    if !warnings.is_empty() {
        response.insert("warnings".to_owned(), warnings.into());
    }
    response
}

fn describe(request: &Value) -> String {
    let object = request.get("object").unwrap_or(&Value::Null);
    let name = match [text(request, "name"), metadata_text(object, "name"), metadata_text(object, "generateName")] {
        ["", "", prefix] => format!("{prefix}*"),
        ["", name, _] | [name, ..] => name.to_owned(),
    };
    format!("{}/{name}", text(request, "namespace"))
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
