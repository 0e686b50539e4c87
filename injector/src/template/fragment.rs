//! The part of a pod that a template renders, read from the rendered text.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use serde_json::{Map, Value};

use super::data::read;
use super::{TemplateError, rendered_place};
use crate::places;
use crate::yaml;

/// How many readings are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(64).unwrap();
/// Longer texts are read each time: what is kept is to stay small.
const MAX_KEPT_BYTES: usize = 16 * 1024;

/// Reads rendered texts, and keeps what came of the latest.
///
/// The pods of one workload differ in names that templates do not print, so they come out as the same text; reading it is
/// the larger part of an injection.
pub(super) struct Fragments {
    latest: Mutex<LruCache<String, Arc<Value>>>,
}

impl Default for Fragments {
    fn default() -> Self {
        Self { latest: Mutex::new(LruCache::new(KEPT)) }
    }
}

impl fmt::Debug for Fragments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fragments").finish_non_exhaustive()
    }
}

impl Fragments {
    /// Reads what `template` rendered: `metadata` and `spec` of a pod, and nothing else but what says that it is one.
    pub(super) fn read(&self, template: &str, rendered: &str) -> Result<Value, TemplateError> {
        // The cache holds whole entries at any time, so a panic elsewhere cannot have left one half-made.
        let latest = || self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        // Copied, made and dropped outside the lock, which all reviews share.
        let known = latest().get(rendered).map(Arc::clone);
        if let Some(fragment) = known {
            return Ok(Value::clone(&fragment));
        }
        let fragment = read_fragment(rendered).map_err(|(problem, line)| TemplateError {
            template: template.to_owned(),
            problem,
            place: line.and_then(|line| rendered_place(rendered, line)),
        })?;
        if rendered.len() <= MAX_KEPT_BYTES {
            let (text, kept) = (rendered.to_owned(), Arc::new(fragment.clone()));
            let former = latest().push(text, kept);
            drop(former);
        }
        Ok(fragment)
    }
}

/// The fragment, or what is wrong in the text, and in which line.
fn read_fragment(rendered: &str) -> Result<Value, (String, Option<usize>)> {
    let fragment = yaml::read_manifest(rendered).map_err(|problem| match problem.line {
        Some(line) => (format!("line {line} of the rendered text is not YAML: {problem}"), Some(line)),
        None => (format!("the rendered text is not YAML: {problem}"), None),
    })?;
    fragment_of(fragment).map_err(|(problem, field)| {
        let place = || places::Outline::read(rendered)?.locate(&field);
        (problem, place().map(|place| place.line))
    })
}

/// The fragment, or what is wrong in it, and with which field first.
fn fragment_of(fragment: Value) -> Result<Value, (String, String)> {
    let mut parts = match fragment {
        Value::Null => return Ok(Value::Object(Map::new())),
        Value::Object(parts) => parts,
        _ => return Err(("renders something else than a mapping".to_owned(), String::new())),
    };
    parts
        .retain(|key, part| !(part.is_null() || key == "apiVersion" && part == "v1" || key == "kind" && part == "Pod"));
    if let Some(key) = parts.keys().find(|key| !matches!(key.as_str(), "metadata" | "spec")) {
        return Err((
            format!("renders the key `{key}`; only `metadata` and `spec` of a pod belong there"),
            key.clone(),
        ));
    }
    if let Some((key, _)) = parts.iter().find(|(_, part)| !part.is_object()) {
        return Err((format!("renders `{key}` as something else than a mapping"), key.clone()));
    }
    let null = Value::Null;
    let mut mistakes = Vec::new();
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        mistakes.extend(read(type_name, parts.get(part).unwrap_or(&null), part).err().into_iter().flatten());
    }
    if mistakes.is_empty() {
        return Ok(Value::Object(parts));
    }
    let first = mistakes.first().map(|mistake| mistake.field.clone()).unwrap_or_default();
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Err((format!("renders what does not belong into a pod: {}", mistakes.join("; ")), first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_gives_the_same_fragment_again_and_no_more_are_kept_than_may_be() {
        let fragments = Fragments::default();
        for index in 0..2 * KEPT.get() {
            let text = format!("spec:\n  hostname: pod-{index}\n");
            let first = fragments.read("sidecar", &text).unwrap();
            assert_eq!(fragments.read("sidecar", &text).unwrap(), first);
            assert_eq!(first["spec"]["hostname"], format!("pod-{index}"));
        }
        assert_eq!(fragments.latest.lock().unwrap().len(), KEPT.get());
        fragments.read("sidecar", &format!("metadata:\n  name: {}\n", "a".repeat(MAX_KEPT_BYTES))).unwrap();
        assert!(!fragments.latest.lock().unwrap().iter().any(|(text, _)| text.len() > MAX_KEPT_BYTES));
    }

    #[test]
    fn mistakes_are_not_kept() {
        let fragments = Fragments::default();
        for _ in 0..2 {
            let error = fragments.read("sidecar", "status: {}\n").unwrap_err();
            assert_eq!(
                error.to_string(),
                "template 'sidecar': renders the key `status`; only `metadata` and `spec` of a pod belong there"
            );
        }
        assert_eq!(fragments.latest.lock().unwrap().len(), 0);
    }
}
