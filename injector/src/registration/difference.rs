//! What an apply would change, for people.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use similar::TextDiff;

use super::Configuration;
use crate::yaml;

/// Lines around a change.
const CONTEXT: usize = 3;

/// What an apply would change in one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    name: String,
    /// What the API server has of what we own or want; none when there is no such object.
    present: Option<Value>,
    wanted: Value,
}

impl Difference {
    /// That the object is not there at all.
    pub fn missing(wanted: &Configuration) -> Self {
        Self::new(None, wanted)
    }

    pub(super) fn new(present: Option<Value>, wanted: &Configuration) -> Self {
        Self { name: wanted.name.clone(), present, wanted: wanted.object.clone() }
    }

    /// As a unified diff of YAML, from what is there to what is wanted. A `caBundle` stands there as the digest of its text.
    pub fn unified(&self) -> String {
        let present = self.present.as_ref().map(readable).unwrap_or_default();
        let wanted = readable(&self.wanted);
        TextDiff::from_lines(&present, &wanted)
            .unified_diff()
            .context_radius(CONTEXT)
            .header(&format!("{} (live)", self.name), &format!("{} (wanted)", self.name))
            .to_string()
    }

    /// The fields that differ, as `webhooks[rev.object.sidecar-injector.istio.io].timeoutSeconds`.
    pub fn fields(&self) -> Vec<String> {
        let mut found = Vec::new();
        match &self.present {
            Some(present) => differing(present, &self.wanted, "", &mut found),
            None => found.push("the whole object".to_owned()),
        }
        found
    }
}

fn differing(present: &Value, wanted: &Value, path: &str, found: &mut Vec<String>) {
    match (present, wanted) {
        (Value::Object(present), Value::Object(wanted)) => {
            for key in present.keys().chain(wanted.keys().filter(|key| !present.contains_key(*key))) {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                differing(
                    present.get(key).unwrap_or(&Value::Null),
                    wanted.get(key).unwrap_or(&Value::Null),
                    &path,
                    found,
                );
            }
        }
        (Value::Array(present), Value::Array(wanted)) if path == "webhooks" => {
            let named = |list: &[Value], name: &Value| {
                list.iter().find(|item| item["name"] == *name).cloned().unwrap_or_default()
            };
            let names = present.iter().chain(wanted).map(|item| &item["name"]);
            let mut seen = Vec::new();
            for name in names.filter(|name| !name.is_null()) {
                if !seen.contains(&name) {
                    seen.push(name);
                    let path = format!("{path}[{}]", name.as_str().unwrap_or_default());
                    differing(&named(present, name), &named(wanted, name), &path, found);
                }
            }
            if found.is_empty() && present != wanted {
                found.push(format!("{path} (order)"));
            }
        }
        _ if present != wanted => found.push(path.to_owned()),
        _ => {}
    }
}

fn readable(object: &Value) -> String {
    let mut object = object.clone();
    for webhook in object["webhooks"].as_array_mut().into_iter().flatten() {
        if let Some(bundle) = webhook["clientConfig"].get_mut("caBundle") {
            *bundle = digest(bundle).into();
        }
    }
    // Writing what was read as JSON does not fail.
    yaml::write(&object).unwrap_or_default()
}

fn digest(bundle: &Value) -> String {
    let Some(text) = bundle.as_str() else { return bundle.to_string() };
    let Ok(pem) = STANDARD.decode(text) else { return format!("not base64: {text}") };
    let count = String::from_utf8_lossy(&pem).matches("-----BEGIN CERTIFICATE-----").count();
    let digest = Sha256::digest(&pem);
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("<{count} certificate{}, sha256 {digest}…>", if count == 1 { "" } else { "s" })
}
