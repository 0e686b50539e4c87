//! What holds for every answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Checks an AdmissionReview that answers `body`; tells whether it has a patch.
pub(crate) fn check_answer(body: &[u8], answer: &Value) -> Result<bool, String> {
    let problem = |what: &str| Err(format!("{what}: {answer}"));
    let response = &answer["response"];
    if answer["kind"] != "AdmissionReview" || !response["auditAnnotations"].is_object() {
        return problem("not an answer");
    }
    let Some(allowed) = response["allowed"].as_bool() else { return problem("neither allowed nor denied") };
    let longest = if response["patch"].is_null() { 120 } else { 256 };
    let is_too_long = |warning: &Value| warning.as_str().is_none_or(|warning| warning.chars().count() > longest);
    if response["warnings"].as_array().is_some_and(|warnings| warnings.iter().any(is_too_long)) {
        return problem("a warning is too long");
    }
    let asked = serde_json::from_slice::<Value>(body).ok();
    if let Some(asked) = &asked {
        let uid = asked["request"]["uid"].as_str().unwrap_or_default();
        if response["uid"] != uid || answer["apiVersion"] != asked["apiVersion"] {
            return problem("answers another review");
        }
    } else if allowed {
        return problem("allows what cannot be read");
    }
    if !allowed {
        let code = response["status"]["code"].as_u64();
        let message = response["status"]["message"].as_str().unwrap_or_default();
        let is_told = message.strip_prefix("sidecar injection: ").is_some_and(|reason| !reason.is_empty());
        if !is_told || !code.is_some_and(|code| (400..600).contains(&code)) || !response["patch"].is_null() {
            return problem("denied without a reason");
        }
        return Ok(false);
    }
    let Some(patch) = response["patch"].as_str() else { return Ok(false) };
    let Some(mut asked) = asked.filter(|_| response["patchType"] == "JSONPatch") else {
        return problem("a patch for nothing");
    };
    let patch = STANDARD.decode(patch).map_err(|error| error.to_string())?;
    let patch: json_patch::Patch = serde_json::from_slice(&patch).map_err(|error| error.to_string())?;
    json_patch::patch(&mut asked["request"]["object"], &patch).map_err(|error| error.to_string())?;
    if asked.pointer("/request/object/metadata/annotations/sidecar.istio.io~1status").is_none() {
        return problem("patched, and not injected");
    }
    Ok(true)
}

/// Checks that there was no answer to give to `body`, which was refused with `message`.
pub(crate) fn check_refusal(body: &[u8], message: &str, istio: bool) -> Result<(), String> {
    if message.is_empty() {
        return Err("refused without a reason".to_owned());
    }
    let Ok(asked) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
    let version = asked["apiVersion"].as_str().unwrap_or_default();
    let is_known = matches!(version, "admission.k8s.io/v1" | "admission.k8s.io/v1beta1");
    let uid = asked["request"]["uid"].as_str().unwrap_or_default();
    let has_request = if istio { asked["request"].is_object() } else { !uid.is_empty() };
    if is_known && asked["kind"] == "AdmissionReview" && has_request {
        return Err(format!("refused although it has a UID: {message}"));
    }
    Ok(())
}
