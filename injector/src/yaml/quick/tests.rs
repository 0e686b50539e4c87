//! The promise: what the quick reader reads, the parser reads as the same.
#![expect(clippy::disallowed_methods, reason = "manifests of the tests are files")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use serde_saphyr::DuplicateKeyPolicy;
use yamledit::documents;

use super::super::{MAX_NODES, read_value as parse};
use super::read as quick;

/// What lines are made of; together they make a mistake more often than not.
const PARTS: &[&str] = &[
    "a: ",
    "b:",
    "\"c\": ",
    "'d' :",
    "- ",
    "-",
    "  ",
    " ",
    "    ",
    "x",
    "y",
    "1",
    "-1",
    "0",
    "007",
    "1.5",
    "1.0",
    "1.2.3",
    "1e3",
    "0x1f",
    "12h",
    "-a",
    "--",
    "true",
    "True",
    "null",
    "~",
    "|",
    "|-",
    ">",
    "|2",
    "\"t\\n\"",
    "\"e\\x41\"",
    "'it''s'",
    "\"",
    "'",
    "{}",
    "[]",
    "{a: 1, b: x}",
    "{\"a\":1}",
    "[x, \"y\", [1]]",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ": ",
    "#",
    " # c",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "? ",
    "---",
    "...",
    "%A",
    "\t",
    "\u{e9}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "@",
    "`",
    ".",
    "_",
    "/",
    "$(A)",
    "=",
    "+1",
    "-.inf",
    ".5",
    "1_0",
    "1:30",
    "2001-01-01",
    "key: value",
    "null:",
    "- item",
    "nan",
    "-0",
    "0.0",
    "00.5",
];
const ENDS: &[&str] = &["\n", "\n", "\n", "\r\n", "\n\n", "\n  \n", "\r", ""];

/// Asserts that what the quick reader reads, the parser reads as the same, in the same order.
fn agree(text: &str) -> bool {
    let Some(value) = quick(text, MAX_NODES) else { return false };
    let parsed = parse(text, DuplicateKeyPolicy::Error).unwrap_or_else(|error| panic!("{error} in {text:?}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), serde_json::to_string(&parsed).unwrap(), "{text:?}");
    true
}

/// Manifests of the tests.
fn manifests() -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folders = ["corpus", "golden"].map(|folder| tests.join(folder));
    let cases = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap().map(|case| case.unwrap().path()));
    let files = cases.flat_map(|case| ["input.yaml", "expected.yaml"].map(|name| case.join(name)));
    let texts = files.filter_map(|file: PathBuf| fs::read_to_string(file).ok());
    texts.flat_map(|text| documents(&text).map(|document| document.text.to_owned()).collect::<Vec<_>>()).collect()
}

fn lines() -> impl Strategy<Value = String> {
    let line = (0..4_usize, prop::collection::vec(select(PARTS), 1..5), select(ENDS))
        .prop_map(|(indentation, parts, end)| format!("{}{}{end}", "  ".repeat(indentation), parts.concat()));
    prop::collection::vec(line, 1..7).prop_map(|lines| lines.concat())
}

/// An edit of a text: a part put somewhere, in the place of so many characters.
fn edited(text: &str, at: &Index, part: &str, removed: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = at.index(characters.len() + 1);
    let behind = &characters[(at + removed).min(characters.len())..];
    characters[..at].iter().copied().chain(part.chars()).chain(behind.iter().copied()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_parser_agrees_on_made_up_texts(text in lines()) {
        agree(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn the_parser_agrees_on_edited_manifests(
        manifest in select(manifests()),
        edits in prop::collection::vec((any::<Index>(), select([PARTS, ENDS].concat()), 0..3_usize), 0..4),
    ) {
        agree(&edits.iter().fold(manifest, |text, (at, part, removed)| edited(&text, at, part, *removed)));
    }
}

#[test]
fn most_manifests_are_read_quickly() {
    let manifests = manifests();
    let quickly = manifests.iter().filter(|text| agree(text)).count();
    assert!(quickly * 10 > manifests.len() * 7, "{quickly} of {}", manifests.len());
}

#[test]
fn the_usual_forms_are_read() {
    let text = "--- # of a chart\n# comment\nkind: Pod   # pod\nmetadata:\n  labels: {app: \"x\", \"b\": 'it''s', c: []}\nspec:\n  \
                containers:\n  - name: app\n    args: [\"-c\", sleep]\n    command:\n    - sh\n    - |\n      a\n\n       b: c\n    \
                image: example/app:1.2\n  -   name: b\n      empty:\n  - - 1\n    - 2.5\n  volumes:\n  - \n  other: 500m\r\n";
    let expected = json!({
        "kind": "Pod",
        "metadata": {"labels": {"app": "x", "b": "it's", "c": []}},
        "spec": {
            "containers": [
                {
                    "name": "app", "args": ["-c", "sleep"], "command": ["sh", "a\n\n b: c\n"],
                    "image": "example/app:1.2",
                },
                {"name": "b", "empty": null},
                [1, 2.5],
            ],
            "volumes": [null],
            "other": "500m",
        },
    });
    assert_eq!(quick(text, MAX_NODES), Some(expected));
    assert!(agree(text));
}

#[test]
fn limits_are_left_to_the_parser() {
    assert_eq!(quick("a: [1, 2]\n", 3), None);
    assert!(quick("a: [1, 2]\n", 4).is_some());
    let deep: String = (0..64).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    assert_eq!(quick(&deep, MAX_NODES), None);
}

#[test]
fn brackets_may_go_over_lines() {
    let text = "a: {\n    b: \"x\",\n    # and\n    \"c\":[1,\n     z ],\n  }\nd: [\n ] # none\n";
    assert!(agree("a: {\n    b: \"x\",\n    # and\n    \"c\":[1,\n     z ],\n  }\nd: [\n ]\n"));
    assert_eq!(quick(text, MAX_NODES), None);
    assert!(agree("{\n\"a\":{\n\"b\":[1,2 ],\"c\":{}}}\n"));
    assert!(agree("a:\n  b: {\n    c: 1,\n  }\n"));
    assert_eq!(quick("a: {b: 1,\nc: 2}\n", MAX_NODES), None);
    assert_eq!(quick("a: {b: 1 # [\n  }\nc: ]\n", MAX_NODES), None);
}
