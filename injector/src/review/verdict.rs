//! What is answered to one request: allowed or not, with what patch, and what is said about it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::ReviewOutcome;
use crate::mode::Mode;
use crate::warnings::Warning;

/// Kubernetes asks webhooks for no longer warnings.
const LONGEST_WARNING: usize = 120;
/// Of an injection, which has to say what to do about it, as long as Kubernetes leaves them when all come to 4 KiB.
const LONGEST_ADVICE: usize = 256;
const MOST_WARNINGS: usize = 16;
/// An audit log keeps one line for each request.
const LONGEST_ANNOTATION: usize = 256;

#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) outcome: ReviewOutcome,
    pub(super) code: &'static str,
    /// A sentence.
    pub(super) reason: String,
    /// Of an injection: the names of the templates.
    pub(super) templates: Vec<String>,
    /// Whole, as they are for an Event; the answer has them shortened.
    pub(super) warnings: Vec<Warning>,
    /// Operations, and the JSON text; 0 and empty without a patch.
    pub(super) patch: (usize, String),
    /// HTTP status of a denial.
    pub(super) status: u16,
}

impl Verdict {
    pub(super) fn skipped(code: &'static str, reason: String, warnings: Vec<Warning>) -> Self {
        let patch = (0, String::new());
        Self { outcome: ReviewOutcome::Skipped, code, reason, templates: Vec::new(), warnings, patch, status: 200 }
    }

    /// `status` as the API server shows it to whoever creates the pod.
    pub(super) fn denied(code: &'static str, status: u16, reason: String) -> Self {
        Self { outcome: ReviewOutcome::Denied, status, ..Self::skipped(code, reason, Vec::new()) }
    }

    /// What the injector cannot do, through no fault of the pod: for the webhook's `failurePolicy` to say, where Istio's
    /// injector denies the pod.
    pub(super) fn failed(code: &'static str, reason: String, mode: Mode) -> Self {
        let outcome = if mode.is_istio() { ReviewOutcome::Denied } else { ReviewOutcome::Failed };
        Self { outcome, ..Self::denied(code, 500, reason) }
    }

    /// The field `response` of the AdmissionReview. `revision` and `digest` are those of the configuration that decided.
    pub(super) fn response(&self, uid: &str, revision: &str, digest: &str) -> Value {
        let mut response = Map::new();
        response.insert("uid".to_owned(), uid.into());
        let is_allowed = matches!(self.outcome, ReviewOutcome::Injected | ReviewOutcome::Skipped);
        response.insert("allowed".to_owned(), is_allowed.into());
        if !is_allowed {
            let status = json!({"code": self.status, "message": format!("sidecar injection: {}", self.reason)});
            response.insert("status".to_owned(), status);
        }
        if self.outcome == ReviewOutcome::Injected {
            response.insert("patchType".to_owned(), "JSONPatch".into());
            response.insert("patch".to_owned(), STANDARD.encode(&self.patch.1).into());
        }
        if !self.warnings.is_empty() {
            let is_advice = self.outcome == ReviewOutcome::Injected;
            let longest = if is_advice { LONGEST_ADVICE } else { LONGEST_WARNING };
            let warnings = self.warnings.iter().take(MOST_WARNINGS).map(|text| shortened(text, longest));
            response.insert("warnings".to_owned(), warnings.collect());
        }
        response.insert("auditAnnotations".to_owned(), self.audit(revision, digest).into());
        Value::Object(response)
    }

    /// For the audit log. The API server puts the webhook's name and a slash before each key.
    fn audit(&self, revision: &str, digest: &str) -> Map<String, Value> {
        let templates = self.templates.join(",");
        let all = [
            ("decision", self.outcome.name()),
            ("reason", self.code),
            ("templates", templates.as_str()),
            ("revision", revision),
            ("config-hash", digest),
        ];
        let told = all.into_iter().filter(|(_, text)| !text.is_empty());
        told.map(|(key, text)| (key.to_owned(), shortened(text, LONGEST_ANNOTATION).into())).collect()
    }
}

/// At most `longest` characters of `text`, all of them printable.
fn shortened(text: &str, longest: usize) -> String {
    let mut printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut kept: String = printable.by_ref().take(longest).collect();
    if printable.next().is_some() {
        kept.pop();
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_short_and_printable() {
        assert_eq!(shortened("a\nb", 3), "a b");
        assert_eq!(shortened("abcd", 3), "ab…");
        assert_eq!(shortened("äöü", 3), "äöü");
        let verdict = Verdict::skipped("a_code", String::new(), vec![Warning::new("", "é".repeat(1000)); 1000]);
        let response = verdict.response("7", &"r".repeat(1000), "");
        let warnings = response["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), MOST_WARNINGS);
        assert!(warnings.iter().all(|warning| warning.as_str().unwrap().chars().count() == LONGEST_WARNING));
        let annotations = response["auditAnnotations"].as_object().unwrap();
        assert_eq!(annotations["revision"].as_str().unwrap().chars().count(), LONGEST_ANNOTATION);
        assert_eq!(annotations.keys().collect::<Vec<_>>(), ["decision", "reason", "revision"]);
    }
}
