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
        for case in cases(&fs::read_to_string(file).unwrap()).unwrap() {
            count += 1;
            // The same holds for other line breaks.
            for eol in ["\n", "\r\n"] {
                let (before, after) = (case.before.replace('\n', eol), case.after.replace('\n', eol));
                let produced = changed(&before, &case.changes).expect(&case.name);
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

#[test]
fn each_line_keeps_its_line_break() {
    let before = "---\n# from a chart\na:\r\n- x\r\nb: {}\r\nc:\n- y\n";
    let changes = ["insert /a/0 1", "insert /a/2 2", "add /b/d 3", "insert /c/1 4", "add /e 5"].map(str::to_owned);
    let after = "---\n# from a chart\na:\r\n- 1\r\n- x\r\n- 2\r\nb:\r\n  d: 3\r\nc:\n- y\n- 4\ne: 5\n";
    assert_eq!(changed(before, &changes).unwrap(), after);
    let back = ["remove /a/0", "remove /a/1", "set /b {}", "remove /c/1", "remove /e"].map(str::to_owned);
    assert_eq!(changed(after, &back).unwrap(), before);
}

/// The text after the changes; `None` for a change that does not fit.
fn changed(before: &str, changes: &[String]) -> Option<String> {
    let old = read(before).ok()?;
    let mut new = old.clone();
    for change in changes {
        apply(&mut new, change)?;
    }
    let produced = edit(before, &old, &new, &Limits::default(), read);
    Some(produced.unwrap_or_else(|error| format!("{error}\n")))
}

/// `None` for a file that is not made of cases.
fn cases(text: &str) -> Option<Vec<Case>> {
    text.split("#### ").skip(1).map(case).collect()
}

fn case(text: &str) -> Option<Case> {
    let (name, rest) = text.split_once('\n')?;
    let (before, rest) = rest.split_once("---- change\n")?;
    let (changes, after) = rest.split_once("---- after\n")?;
    let changes = changes.lines().map(str::to_owned).collect();
    Some(Case { name: name.to_owned(), before: before.to_owned(), changes, after: after.to_owned() })
}

/// Makes a change: `set /a 1`, `remove /a/0`, `insert /a/0 1`, `add /a 1`, `add /a 1 first`, `add /a 1 after b`.
fn apply(value: &mut Value, change: &str) -> Option<()> {
    let (verb, rest) = change.split_once(' ')?;
    let (place, json) = rest.split_once(' ').unwrap_or((rest, "null"));
    if place == "/" {
        *value = serde_json::from_str(json).ok()?;
        return Some(());
    }
    let (parent, name) = place.rsplit_once('/')?;
    let parent = value.pointer_mut(parent)?;
    let (json, position) = match json.rsplit_once(" after ") {
        Some((json, after)) => (json, Some(parent.as_object()?.keys().position(|key| key == after)? + 1)),
        None => json.strip_suffix(" first").map_or((json, None), |json| (json, Some(0))),
    };
    let new: Value = serde_json::from_str(json).ok()?;
    match (verb, parent) {
        ("set", parent) => *parent.pointer_mut(&format!("/{name}"))? = new,
        ("add", Value::Object(map)) => drop(map.shift_insert(position.unwrap_or(map.len()), name.to_owned(), new)),
        ("insert", Value::Array(items)) => items.insert(name.parse().ok()?, new),
        ("remove", Value::Object(map)) => drop(map.shift_remove(name)?),
        ("remove", Value::Array(items)) => drop(items.remove(name.parse().ok()?)),
        _ => return None,
    }
    Some(())
}
