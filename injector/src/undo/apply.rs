//! Undoing an injection.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Kind, Level, UndoError, Was};
use crate::{keyed, pod_schema};

pub(super) fn root(level: &Level, pod: &mut Value) -> Result<(), UndoError> {
    if !pod.is_object() {
        return Err(misfit("", "the pod is not an object"));
    }
    apply(level, Kind::Mapping, pod, "", "")
}

/// A value in a mapping or list, with its name; elements that others added to a list may have none.
struct Entry {
    name: Option<String>,
    value: Value,
}

/// `schema` is where the value stands in the API (`containers.env`), `path` where it stands in this pod.
fn apply(level: &Level, kind: Kind, value: &mut Value, schema: &str, path: &str) -> Result<(), UndoError> {
    let below = |name: &str| match kind {
        Kind::Mapping => (pod_schema::field(schema, name), pod_schema::field(path, name)),
        Kind::List => (pod_schema::element(schema).to_owned(), format!("{path}[{name}]")),
    };
    match (kind, value) {
        // Someone removed it.
        (_, Value::Null) => {}
        (Kind::Mapping, Value::Object(mapping)) => {
            let entries = std::mem::take(mapping).into_iter().map(|(key, value)| Entry { name: Some(key), value });
            let entries = undo(level, entries.collect(), below, path)?.into_iter();
            *mapping = entries.filter_map(|entry| Some((entry.name?, entry.value))).collect();
        }
        (Kind::List, Value::Array(list)) => {
            let key = pod_schema::merge_key(schema).ok_or_else(|| misfit(path, "is no list with a merge key"))?;
            let entry = |value| Entry { name: keyed::id(&value, key), value };
            let entries = std::mem::take(list).into_iter().map(entry).collect();
            *list = undo(level, entries, below, path)?.into_iter().map(|entry| entry.value).collect();
        }
        (Kind::Mapping, _) => return Err(misfit(path, "is not a mapping")),
        (Kind::List, _) => return Err(misfit(path, "is not a list")),
    }
    Ok(())
}

fn undo(
    level: &Level,
    mut entries: Vec<Entry>,
    below: impl Fn(&str) -> (String, String),
    path: &str,
) -> Result<Vec<Entry>, UndoError> {
    remove(&mut entries, level.added.iter().map(String::as_str).collect());
    let positions = positions(&entries);
    let mut emptied = HashSet::new();
    for (name, kind, nested) in &level.nested {
        let Some(position) = positions.get(name) else { continue };
        let (value, (schema, path)) = (&mut entries[*position].value, below(name));
        apply(nested, *kind, value, &schema, &path)?;
        match nested.was {
            Was::There => {}
            _ if !is_nothing(value) => {}
            Was::Null => *value = Value::Null,
            Was::Absent => drop(emptied.insert(name.as_str())),
        }
    }
    let mut missing = Vec::new();
    for (name, original) in &level.removed {
        match positions.get(name) {
            Some(position) => join(&mut entries[*position].value, original, &below(name).0),
            None => missing.push((name, original)),
        }
    }
    for (name, original) in &level.changed {
        match positions.get(name) {
            Some(position) => entries[*position].value = original.clone(),
            None => missing.push((name, original)),
        }
    }
    let back = missing.into_iter().map(|(name, value)| Entry { name: Some(name.clone()), value: value.clone() });
    entries.extend(back);
    remove(&mut entries, emptied);
    arrange(entries, &level.places, path)
}

/// Removes the first entry of each name. Where others added an element with the same merge key, as a port number for
/// UDP beside TCP, that one stays.
fn remove(entries: &mut Vec<Entry>, mut names: HashSet<&str>) {
    if !names.is_empty() {
        entries.retain(|entry| !entry.name.as_deref().is_some_and(|name| names.remove(name)));
    }
}

fn positions(entries: &[Entry]) -> HashMap<String, usize> {
    let mut positions = HashMap::with_capacity(entries.len());
    for (position, entry) in entries.iter().enumerate() {
        if let Some(name) = &entry.name {
            positions.entry(name.clone()).or_insert(position);
        }
    }
    positions
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(mapping) => mapping.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Brings back what injection had removed, and keeps of `present`, which others put there since, what the original says
/// nothing about.
fn join(present: &mut Value, original: &Value, schema: &str) {
    match (&mut *present, original) {
        (present, Value::Null) if !present.is_null() => {}
        (Value::Object(mapping), Value::Object(original)) => {
            let mut joined = original.clone();
            for (key, mut value) in std::mem::take(mapping) {
                if let Some(original) = original.get(&key) {
                    join(&mut value, original, &pod_schema::field(schema, &key));
                }
                joined.insert(key, value);
            }
            *mapping = joined;
        }
        (Value::Array(list), Value::Array(original)) if pod_schema::merge_key(schema).is_some() => {
            let key = pod_schema::merge_key(schema).unwrap_or_default();
            let mut joined = original.clone();
            let known: HashMap<_, _> = original.iter().enumerate().map(|(at, one)| (keyed::id(one, key), at)).collect();
            for mut value in std::mem::take(list) {
                let id = keyed::id(&value, key);
                match known.get(&id).filter(|_| id.is_some()) {
                    Some(at) => {
                        join(&mut value, &original[*at], pod_schema::element(schema));
                        joined[*at] = value;
                    }
                    None => joined.push(value),
                }
            }
            *list = joined;
        }
        (present, original) => *present = original.clone(),
    }
}

/// Puts what has a place right after the entry it belongs after. Where others removed that one, it stays where it is.
fn arrange(entries: Vec<Entry>, places: &[(String, Option<String>)], path: &str) -> Result<Vec<Entry>, UndoError> {
    if places.is_empty() {
        return Ok(entries);
    }
    let positions = positions(&entries);
    let mut is_placed = vec![false; entries.len()];
    let mut first = Vec::new();
    let mut followers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (name, previous) in places {
        let Some(position) = positions.get(name) else { continue };
        let behind = match previous {
            None => &mut first,
            Some(previous) => match positions.get(previous) {
                Some(previous) => followers.entry(*previous).or_default(),
                None => continue,
            },
        };
        behind.push(*position);
        is_placed[*position] = true;
    }
    let count = entries.len();
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    let mut arranged = Vec::with_capacity(count);
    let unplaced = (0..count).filter(|position| !is_placed[*position]);
    for start in first.into_iter().chain(unplaced) {
        let mut next = vec![start];
        while let Some(position) = next.pop() {
            arranged.extend(entries[position].take());
            next.extend(followers.remove(&position).unwrap_or_default().into_iter().rev());
        }
    }
    if arranged.len() < count {
        return Err(misfit(path, "its entries are to follow each other in a circle"));
    }
    Ok(arranged)
}

fn misfit(path: &str, problem: &str) -> UndoError {
    UndoError::OfAnotherPod { path: path.to_owned(), problem: problem.to_owned() }
}
