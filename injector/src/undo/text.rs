//! The text form of a record.

use serde_json::{Map, Value};

use super::{DEEPEST, Kind, Level, Was};
use crate::annotations::LONGEST_IN_ALL;

pub(super) fn value(level: &Level) -> Value {
    let mut fields = Map::new();
    match level.was {
        Was::There => {}
        Was::Absent => drop(fields.insert("?".to_owned(), "absent".into())),
        Was::Null => drop(fields.insert("?".to_owned(), "null".into())),
    }
    if !level.added.is_empty() {
        fields.insert("-".to_owned(), level.added.as_slice().into());
    }
    fields.extend(level.changed.iter().map(|(name, value)| (format!("={name}"), value.clone())));
    fields.extend(level.removed.iter().map(|(name, value)| (format!("+{name}"), value.clone())));
    fields.extend(level.places.iter().map(|(name, previous)| (format!(">{name}"), previous.clone().into())));
    fields.extend(level.nested.iter().map(|(name, kind, nested)| match kind {
        Kind::Mapping => (format!("/{name}"), value(nested)),
        Kind::List => (format!("[{name}"), value(nested)),
    }));
    Value::Object(fields)
}

pub(super) fn parse(text: &str) -> Result<Level, String> {
    if text.len() > LONGEST_IN_ALL {
        return Err(format!("it is {} bytes long, the limit is {LONGEST_IN_ALL}", text.len()));
    }
    let fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON object: {error}"))?;
    read(fields)
}

/// Reads the fields of a record.
pub(super) fn read(fields: Map<String, Value>) -> Result<Level, String> {
    let root = level(fields, 0)?;
    if root.was == Was::There { Ok(root) } else { Err("it says that there was no pod".to_owned()) }
}

fn level(fields: Map<String, Value>, depth: usize) -> Result<Level, String> {
    if depth >= DEEPEST {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    let mut level = Level::default();
    for (key, value) in fields {
        let problem = |expected| format!("expected {expected} at '{}'", shown(&key));
        let mut letters = key.chars();
        let (sign, name) = (letters.next(), letters.as_str().to_owned());
        match (sign, value) {
            (Some('?'), value) if name.is_empty() => {
                level.was = was(&value).ok_or_else(|| problem("absent or null"))?;
            }
            (Some('-'), value) if name.is_empty() => {
                level.added = names(value).ok_or_else(|| problem("a list of names"))?;
            }
            (Some('='), value) => level.changed.push((name, value)),
            (Some('+'), value) => level.removed.push((name, value)),
            (Some('>'), Value::String(previous)) => level.places.push((name, Some(previous))),
            (Some('>'), Value::Null) => level.places.push((name, None)),
            (Some('>'), _) => return Err(problem("a name or null")),
            (Some('/'), Value::Object(fields)) => {
                level.nested.push((name, Kind::Mapping, self::level(fields, depth + 1)?));
            }
            (Some('['), Value::Object(fields)) => {
                level.nested.push((name, Kind::List, self::level(fields, depth + 1)?));
            }
            (Some('/' | '['), _) => return Err(problem("an object")),
            _ => return Err(format!("'{}' has no meaning", shown(&key))),
        }
    }
    Ok(level)
}

fn was(value: &Value) -> Option<Was> {
    match value.as_str()? {
        "absent" => Some(Was::Absent),
        "null" => Some(Was::Null),
        _ => None,
    }
}

fn names(value: Value) -> Option<Vec<String>> {
    let Value::Array(names) = value else { return None };
    let name = |name| if let Value::String(name) = name { Some(name) } else { None };
    names.into_iter().map(name).collect()
}

/// The start of a key, fit for a line of a log.
fn shown(key: &str) -> String {
    key.chars().take(80).flat_map(char::escape_default).collect()
}
