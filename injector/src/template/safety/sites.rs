//! The places of a pod with text that means something to YAML.

use std::cell::Cell;

use serde_json::{Map, Value};
use sidecar_contract::annotation;

use crate::annotations::keeps_to_its_grammar;

/// Annotations that hold a document of their own: what is in them is read, not pasted.
const DOCUMENTS: [&str; 3] = [annotation::PROXY_CONFIG, annotation::STATUS, annotation::OVERRIDES];
/// How much of a key a path repeats, in characters.
const SHOWN: usize = 100;

/// A text with such characters: a key or a value.
pub(super) struct Site {
    /// Its number, from 0, in the order of [`replace`].
    pub(super) number: usize,
    /// As `metadata.annotations[example.com/a]` or `spec.containers[0].name`; for a key the path of what it leads to.
    pub(super) path: String,
}

/// Where in the pod a value is, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Pod,
    Metadata,
    Annotations,
    ManagedFields,
    Elsewhere,
}

impl Place {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Self::Pod, "metadata") => Self::Metadata,
            (Self::Metadata, "annotations") => Self::Annotations,
            (Self::Metadata, "managedFields") => Self::ManagedFields,
            _ => Self::Elsewhere,
        }
    }

    /// Whether the value of `key` here is harmless whatever is in it. Managed fields are the API server's to write, and
    /// templates have no use for them.
    fn is_harmless(self, key: &str, value: &Value) -> bool {
        let keeps = || value.as_str().is_some_and(|value| keeps_to_its_grammar(key, value));
        self.below(key) == Self::ManagedFields || self == Self::Annotations && (DOCUMENTS.contains(&key) || keeps())
    }
}

/// Whether there are any.
pub(super) fn has_any(pod: &Value) -> bool {
    is_suspicious(pod, Place::Pod)
}

/// All of them.
pub(super) fn sites(pod: &Value) -> Vec<Site> {
    let mut sites = Vec::new();
    collect(pod, Place::Pod, "", &mut sites);
    sites
}

/// A copy of `pod` with letters for the dangerous characters of those texts that `is_chosen` by number. Keys that were
/// different stay so.
pub(super) fn replace(pod: &Value, is_chosen: &dyn Fn(usize) -> bool) -> Value {
    replace_in(pod, Place::Pod, is_chosen, &Cell::new(0))
}

/// `text` with letters for its dangerous characters.
pub(super) fn harmless(text: &str) -> String {
    if is_null(text) {
        return "x".repeat(text.len());
    }
    let starts_as_item = starts_as_item(text);
    let mut characters = text.chars().enumerate().peekable();
    let mut copy = String::with_capacity(text.len());
    while let Some((position, c)) = characters.next() {
        let ends_key = c == ':' && characters.peek().is_none_or(|(_, next)| *next == ' ' || is_marking(*next));
        let is_item = position == 0 && starts_as_item;
        copy.push(if is_marking(c) || ends_key || is_item { 'x' } else { c });
    }
    copy
}

/// `text` as part of a path: escaped, and cut where it is long.
pub(super) fn printable(text: &str) -> String {
    text.chars().take(SHOWN).flat_map(char::escape_debug).collect()
}

fn is_suspicious(value: &Value, place: Place) -> bool {
    match value {
        Value::String(text) => is_dangerous(text),
        Value::Array(elements) => elements.iter().any(|element| is_suspicious(element, Place::Elsewhere)),
        Value::Object(entries) => {
            entries.iter().any(|(key, value)| is_dangerous(key) || is_entry_suspicious(place, key, value))
        }
        _ => false,
    }
}

fn is_entry_suspicious(place: Place, key: &str, value: &Value) -> bool {
    !place.is_harmless(key, value) && is_suspicious(value, place.below(key))
}

/// Walks as [`replace_in`] does: the numbers are the same.
fn collect(value: &Value, place: Place, path: &str, sites: &mut Vec<Site>) {
    match value {
        Value::String(text) if is_dangerous(text) => sites.push(Site { number: sites.len(), path: path.to_owned() }),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if is_suspicious(element, Place::Elsewhere) {
                    collect(element, Place::Elsewhere, &format!("{path}[{index}]"), sites);
                }
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                let is_value_suspicious = is_entry_suspicious(place, key, value);
                if is_dangerous(key) {
                    sites.push(Site { number: sites.len(), path: below(path, key) });
                }
                if is_value_suspicious {
                    collect(value, place.below(key), &below(path, key), sites);
                }
            }
        }
        _ => {}
    }
}

fn replace_in(value: &Value, place: Place, is_chosen: &dyn Fn(usize) -> bool, seen: &Cell<usize>) -> Value {
    match value {
        Value::String(text) => replaced(text, is_chosen, seen).map_or_else(|| value.clone(), Value::String),
        Value::Array(elements) => {
            elements.iter().map(|element| replace_in(element, Place::Elsewhere, is_chosen, seen)).collect()
        }
        Value::Object(entries) => {
            let mut copy = Map::with_capacity(entries.len());
            for (key, value) in entries {
                let new_key = match replaced(key, is_chosen, seen) {
                    Some(new_key) => unique(new_key, seen.get(), entries, &copy),
                    None => key.clone(),
                };
                let new_value = match place.is_harmless(key, value) {
                    true => value.clone(),
                    false => replace_in(value, place.below(key), is_chosen, seen),
                };
                copy.insert(new_key, new_value);
            }
            Value::Object(copy)
        }
        _ => value.clone(),
    }
}

fn replaced(text: &str, is_chosen: &dyn Fn(usize) -> bool, seen: &Cell<usize>) -> Option<String> {
    if !is_dangerous(text) {
        return None;
    }
    let number = seen.replace(seen.get() + 1);
    is_chosen(number).then(|| harmless(text))
}

/// Where another key is the same, a key gets its number, so that many alike do not cost a search each.
fn unique(mut key: String, number: usize, before: &Map<String, Value>, after: &Map<String, Value>) -> String {
    let is_taken = |key: &str| before.contains_key(key) || after.contains_key(key);
    if is_taken(&key) {
        key = format!("{key}x{number}");
    }
    while is_taken(&key) {
        key.push('x');
    }
    key
}

/// Whether YAML could take `text` for something else than text, or for more than one, where a template does not quote
/// it. Numbers and booleans are not meant: templates have annotations for numbers, and make them numbers so.
fn is_dangerous(text: &str) -> bool {
    is_null(text) || starts_as_item(text) || text.ends_with(':') || text.contains(": ") || text.contains(is_marking)
}

fn is_marking(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') || "\"'\\{}[]#&*!|>%@`".contains(c)
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

/// A list item, a key, or the line between documents.
fn starts_as_item(text: &str) -> bool {
    matches!(text, "-" | "?") || ["- ", "? ", "---", "..."].iter().any(|start| text.starts_with(start))
}

fn below(path: &str, key: &str) -> String {
    let is_word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (path, is_word) {
        ("", true) => key.to_owned(),
        ("metadata.labels" | "metadata.annotations", _) | (_, false) => format!("{path}[{}]", printable(key)),
        _ => format!("{path}.{key}"),
    }
}
