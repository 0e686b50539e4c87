//! Random values, and random changes of them.

use serde_json::{Map, Value, json};

use crate::choices::Choices;

const STRINGS: [&str; 26] = [
    "x",
    "app",
    "two words",
    "",
    "yes",
    "null",
    "1",
    "0777",
    "1.5",
    "# no comment",
    "a: b",
    "- x",
    "é ü",
    "it's",
    "say \"hi\"",
    "line\nline two",
    "line\nline two\n",
    "  indented\nless",
    "end\n\n",
    "\n\nfront",
    "a\tb",
    "---",
    "[x]",
    "{{ x }}",
    "https://example.org/a?b=c#d",
    "trailing ",
];
const KEYS: [&str; 16] =
    ["a", "b", "c", "name", "spec", "on", "1", "two words", "é", "a/b.c-d", "k: v", "x", "", "null", "z", "#"];

/// A document, most often a mapping.
pub(crate) fn document(choices: &mut Choices<'_>) -> Value {
    let value = value(choices, 4);
    if value.is_object() || choices.chance(20) { value } else { json!({"doc": value, "last": 1}) }
}

fn value(choices: &mut Choices<'_>, depth: usize) -> Value {
    match choices.pick(if depth == 0 { 6 } else { 14 }) {
        0..=2 => Value::from(*choices.one_of(&STRINGS)),
        3 => Value::from(choices.pick(100)),
        4 => [Value::Null, Value::from(-1.5), Value::from(u64::MAX), Value::from(1e300)][choices.pick(4)].clone(),
        5 => Value::from(choices.chance(50)),
        6..=8 => list(choices, depth - 1),
        _ => (0..choices.pick(5)).map(|_| (key(choices), value(choices, depth - 1))).collect::<Map<_, _>>().into(),
    }
}

/// Objects in a list have different names.
fn list(choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut items: Vec<Value> = (0..choices.pick(5)).map(|_| value(choices, depth)).collect();
    for (index, item) in items.iter_mut().enumerate() {
        if let Value::Object(map) = item {
            map.insert("name".to_owned(), format!("item-{index}").into());
        }
    }
    // So that an alias can stand for something.
    if items.len() > 1 && choices.chance(20) && !items[0].is_object() {
        items[1] = items[0].clone();
    }
    items.into()
}

fn key(choices: &mut Choices<'_>) -> String {
    (*choices.one_of(&KEYS)).to_owned()
}

/// Makes some changes of any kind.
pub(crate) fn change(choices: &mut Choices<'_>, value: &mut Value) {
    for _ in 0..=choices.pick(4) {
        any_change(choices, value);
    }
}

fn any_change(choices: &mut Choices<'_>, value: &mut Value) {
    if choices.chance(75) && descend(choices, value, any_change) {
        return;
    }
    match value {
        Value::Object(map) if choices.chance(80) => match choices.pick(3) {
            0 => add_entry(choices, map),
            1 if !map.is_empty() => {
                let at = choices.pick(map.len());
                *map = std::mem::take(map)
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| *index != at)
                    .map(|(_, entry)| entry)
                    .collect();
            }
            _ => add_entry(choices, map),
        },
        Value::Array(items) if choices.chance(80) => match choices.pick(3) {
            1 if !items.is_empty() => drop(items.remove(choices.pick(items.len()))),
            2 if items.len() > 1 => items.swap(0, 1),
            _ => items.insert(choices.pick(items.len() + 1), self::value(choices, 2)),
        },
        other => *other = self::value(choices, 2),
    }
}

/// Adds something somewhere, and changes nothing that is there.
pub(crate) fn addition(choices: &mut Choices<'_>, value: &mut Value) {
    for number in 0..=choices.pick(3) {
        add(choices, value, number);
    }
}

fn add(choices: &mut Choices<'_>, value: &mut Value, number: usize) {
    if choices.chance(75) && descend(choices, value, |choices, value| add(choices, value, number)) {
        return;
    }
    match value {
        Value::Object(map) => add_entry(choices, map),
        // Which of two lists is which can only be told when nothing else in them changes.
        Value::Array(items) if !items.iter().any(Value::is_array) => {
            let new = match self::value(choices, 2) {
                Value::Array(_) => Value::Null,
                Value::Object(mut map) => {
                    map.insert("name".to_owned(), format!("added-{number}").into());
                    map.into()
                }
                // Nor can it be told from an object without a name.
                other => other,
            };
            items.insert(choices.pick(items.len() + 1), new);
        }
        _ => {}
    }
}

fn add_entry(choices: &mut Choices<'_>, map: &mut Map<String, Value>) {
    let (key, value) = (format!("{}{}", key(choices), choices.pick(9)), value(choices, 2));
    if !map.contains_key(&key) {
        let at = choices.pick(map.len() + 1);
        map.shift_insert(at, key, value);
    }
}

/// Goes into one of the collections in a collection, if there is one.
fn descend(choices: &mut Choices<'_>, value: &mut Value, walk: impl Fn(&mut Choices<'_>, &mut Value)) -> bool {
    let mut inner: Vec<&mut Value> = match value {
        Value::Object(map) => map.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => return false,
    };
    inner.retain(|value| value.is_object() || value.is_array());
    if inner.is_empty() {
        return false;
    }
    let at = choices.pick(inner.len());
    walk(choices, inner.swap_remove(at));
    true
}
