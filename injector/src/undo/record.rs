//! What an injection did.

use std::collections::HashMap;

use serde_json::Value;

use super::{DEEPEST, Kind, Level, Was};
use crate::{keyed, pod_schema};

/// Names and values, in order.
type Entries<'a> = Vec<(String, &'a Value)>;

/// Where two entries of the same name, or a new one, are.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// In the API.
    schema: &'a str,
    /// Below how many mappings and lists.
    depth: usize,
}

pub(super) fn root(original: &Value, injected: &Value) -> Level {
    match (entries(original, "", 0), entries(injected, "", 0)) {
        (Some((kind, original)), Some((_, injected))) => {
            level(kind, &original, &injected, Place { schema: "", depth: 0 })
        }
        _ => Level::default(),
    }
}

fn level(kind: Kind, original: &Entries<'_>, injected: &Entries<'_>, place: Place<'_>) -> Level {
    let mut level = Level::default();
    let positions = by_name(injected.iter().map(|(name, _)| name.as_str()));
    let known = by_name(original.iter().map(|(name, _)| name.as_str()));
    let below = |name: &str| match kind {
        Kind::Mapping => pod_schema::field(place.schema, name),
        Kind::List => pod_schema::element(place.schema).to_owned(),
    };
    for (name, value) in original {
        match positions.get(name.as_str()) {
            Some(position) => {
                let inside = Place { schema: &below(name), depth: place.depth + 1 };
                change(&mut level, name, value, injected[*position].1, inside);
            }
            None => level.removed.push((name.clone(), (*value).clone())),
        }
    }
    for (name, value) in injected.iter().filter(|(name, _)| !known.contains_key(name.as_str())) {
        // Others may write to a mapping or list that injection made, but an element that it made is its own.
        let inside = Place { schema: &below(name), depth: place.depth + 1 };
        match (kind == Kind::Mapping).then(|| made(value, Was::Absent, inside)).flatten() {
            Some((kind, made)) => level.nested.push((name.clone(), kind, made)),
            None => level.added.push(name.clone()),
        }
    }
    level.places = places(original, &positions);
    level
}

fn change(level: &mut Level, name: &str, original: &Value, injected: &Value, place: Place<'_>) {
    if is_same(original, injected) {
        return;
    }
    let (name, sides) =
        (name.to_owned(), (entries(original, place.schema, place.depth), entries(injected, place.schema, place.depth)));
    match sides {
        (Some((kind, before)), Some((after_kind, after))) if kind == after_kind => {
            level.nested.push((name, kind, self::level(kind, &before, &after, place)));
        }
        _ if injected.is_null() => level.removed.push((name, original.clone())),
        _ => match original.is_null().then(|| made(injected, Was::Null, place)).flatten() {
            Some((kind, made)) => level.nested.push((name, kind, made)),
            None => level.changed.push((name, original.clone())),
        },
    }
}

/// A mapping or list that injection made; `None` for a value that stands or falls as a whole.
fn made(injected: &Value, was: Was, place: Place<'_>) -> Option<(Kind, Level)> {
    let (kind, entries) = entries(injected, place.schema, place.depth)?;
    Some((kind, Level { was, ..level(kind, &Vec::new(), &entries, place) }))
}

/// Says where to put what moved or was removed, each after the one before it in the original. What was removed at the
/// end needs no place: it is put there by itself.
fn places(original: &Entries<'_>, positions: &HashMap<&str, usize>) -> Vec<(String, Option<String>)> {
    let position = |(name, _): &(String, &Value)| positions.get(name.as_str()).copied();
    let order: Vec<usize> = original.iter().filter_map(position).collect();
    let mut stays = keyed::ascending(&order).into_iter();
    let at_the_end = original.iter().rev().take_while(|entry| position(entry).is_none()).count();
    let mut places = Vec::new();
    let mut previous: Option<&String> = None;
    for entry in &original[..original.len() - at_the_end] {
        if position(entry).is_none() || stays.next() == Some(false) {
            places.push((entry.0.clone(), previous.cloned()));
        }
        previous = Some(&entry.0);
    }
    places
}

/// The entries of a mapping or a keyed list; `None` for any other value, and for all that is too deep.
fn entries<'a>(value: &'a Value, schema: &str, depth: usize) -> Option<(Kind, Entries<'a>)> {
    match value {
        _ if depth >= DEEPEST => None,
        Value::Object(mapping) => {
            Some((Kind::Mapping, mapping.iter().map(|(key, value)| (key.clone(), value)).collect()))
        }
        Value::Array(list) => {
            let ids = keyed::ids(list, pod_schema::merge_key(schema)?)?;
            Some((Kind::List, ids.into_iter().zip(list).collect()))
        }
        _ => None,
    }
}

fn by_name<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    names.enumerate().map(|(index, name)| (name, index)).collect()
}

/// Whether both have the same JSON text. Equality will not do: it is blind to the order of keys and the sign of zero.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs.all(|((key, one), (other_key, other))| key == other_key && is_same(one, other))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => {
            one == other && one.as_f64().map(f64::to_bits) == other.as_f64().map(f64::to_bits)
        }
        (one, other) => one == other,
    }
}
