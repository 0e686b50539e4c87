//! Small documents, what is changed in them, and the text that has to come of it.
//!
//! A file `*.cases` is a topic. A case is `#### name`, the text before, `---- change` with a line for each change
//! (`set`, `add`, `insert` or `remove`, a place, a value in JSON), and `---- after` with the text after.
#![expect(clippy::disallowed_methods, reason = "reads the cases")]

#[path = "../common/read.rs"]
mod read;

use std::fs;
use std::path::Path;

use read::read;
use serde_json::Value;
use yamledit::{Limits, edit};

struct Case {
    name: String,
    before: String,
    changes: Vec<String>,
    after: String,
}

#[test]
fn only_what_changed_changes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut failures = Vec::new();
    let mut count = 0;
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.extension().is_some_and(|ending| ending == "cases")) {
        for case in cases(&fs::read_to_string(file).unwrap()) {
            count += 1;
            // The same holds for other line breaks.
            for eol in ["\n", "\r\n"] {
                let (before, after) = (case.before.replace('\n', eol), case.after.replace('\n', eol));
                let produced = changed(&before, &case.changes);
                if produced != after {
                    let name = &case.name;
                    failures.push(format!("#### {name} ({eol:?})\n{produced}---- instead of\n{after}"));
                    break;
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 40, "{count} cases");
}

fn changed(before: &str, changes: &[String]) -> String {
    let old = read(before).unwrap();
    let mut new = old.clone();
    for change in changes {
        apply(&mut new, change);
    }
    let produced = edit(before, &old, &new, &Limits::default(), read);
    produced.unwrap_or_else(|error| format!("{error}\n"))
}

fn cases(text: &str) -> Vec<Case> {
    text.split("#### ")
        .skip(1)
        .map(|case| {
            let (name, rest) = case.split_once('\n').unwrap();
            let (before, rest) = rest.split_once("---- change\n").unwrap();
            let (changes, after) = rest.split_once("---- after\n").unwrap();
            Case {
                name: name.to_owned(),
                before: before.to_owned(),
                changes: changes.lines().map(str::to_owned).collect(),
                after: after.to_owned(),
            }
        })
        .collect()
}

/// Makes a change: `set /a 1`, `remove /a/0`, `insert /a/0 1`, `add /a 1`, `add /a 1 first`, `add /a 1 after b`.
fn apply(value: &mut Value, change: &str) {
    let (verb, rest) = change.split_once(' ').unwrap();
    let (place, json) = rest.split_once(' ').unwrap_or((rest, "null"));
    if place == "/" {
        *value = serde_json::from_str(json).unwrap();
        return;
    }
    let (parent, name) = place.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap();
    let (json, position) = match json.rsplit_once(" after ") {
        Some((json, after)) => {
            (json, Some(parent.as_object().unwrap().keys().position(|key| key == after).unwrap() + 1))
        }
        None => json.strip_suffix(" first").map_or((json, None), |json| (json, Some(0))),
    };
    let new: Value = serde_json::from_str(json).unwrap();
    match (verb, parent) {
        ("set", parent) => *parent.pointer_mut(&format!("/{name}")).unwrap() = new,
        ("add", Value::Object(map)) => {
            let position = position.unwrap_or(map.len());
            map.shift_insert(position, name.to_owned(), new);
        }
        ("insert", Value::Array(items)) => items.insert(name.parse().unwrap(), new),
        ("remove", Value::Object(map)) => drop(map.shift_remove(name)),
        ("remove", Value::Array(items)) => drop(items.remove(name.parse().unwrap())),
        _ => panic!("{change}"),
    }
}
