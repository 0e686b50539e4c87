//! What is too much is refused, and what is much takes no longer than it should.

#[path = "../common/read.rs"]
mod read;

use read::read;
use serde_json::{Value, json};
use yamledit::{Error, Limits, edit};

/// The sentence that says what is too much; the error itself if it is another one.
fn refused(text: &str, limits: &Limits) -> String {
    match edit(text, &Value::Null, &json!({}), limits, read) {
        Err(Error::Limit(sentence)) => sentence,
        other => format!("{other:?}"),
    }
}

#[test]
fn what_nests_too_deep_is_refused() {
    let limits = Limits { depth: 1_000_000, ..Limits::default() };
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("{}x{}", open.repeat(10_000), close.repeat(10_000));
        let result = edit(&text, &Value::Null, &json!({}), &limits, read);
        assert!(matches!(result, Err(Error::Limit(_) | Error::Syntax { .. })), "{open}: {result:?}");
    }
    assert!(refused(&format!("{}{}", "[".repeat(129), "]".repeat(129)), &Limits::default()).contains("128 levels"));
    let deep = (0..10_000).fold(Value::Null, |value, _| Value::Array(vec![value]));
    assert!(matches!(edit("a: 1", &Value::Null, &deep, &Limits::default(), read), Err(Error::Limit(_))));
    // Dropping it takes a level of stack for each of its own.
    std::mem::forget(deep);
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg", "gh"].iter().map(|pair| pair.split_at(1)) {
        text.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(",")));
    }
    assert!(refused(&text, &Limits::default()).contains("aliases expanded"));
}

#[test]
fn what_is_too_large_is_refused() {
    assert!(refused("a: 12345", &Limits { bytes: 7, ..Limits::default() }).contains("7 bytes"));
    assert!(refused("[1, 2, 3]", &Limits { nodes: 3, ..Limits::default() }).contains("3 nodes"));
}

#[test]
fn what_is_no_document_is_refused() {
    let result = |text: &str| edit(text, &Value::Null, &json!({}), &Limits::default(), read);
    assert!(matches!(result("a: 1\nb: {"), Err(Error::Syntax { line: 2, .. })));
    assert!(matches!(result("a: *b\n"), Err(Error::Syntax { line: 1, .. })));
    assert_eq!(result("a: 1\n---\nb: 1\n"), Err(Error::SeveralDocuments { line: 2 }));
}

#[test]
fn a_reader_that_never_reads_the_wanted_value_is_told_about() {
    let result =
        edit("a: 1\n", &json!({"a": 1}), &json!({"a": 2}), &Limits::default(), |_| Ok::<_, String>(Value::Null));
    assert!(matches!(result, Err(Error::Unfaithful(_))), "{result:?}");
    let result = edit("a: 1\n", &json!({"a": 1}), &json!({"a": 2}), &Limits::default(), |_| Err("no"));
    assert_eq!(result, Err(Error::Unfaithful("no".to_owned())));
}

#[test]
fn a_wrong_old_value_gives_no_wrong_result() {
    for old in [json!({"b": 1}), json!([1]), json!(null), json!({"a": {"x": 1}})] {
        let new = json!({"a": {"x": [1, "y"]}, "c": 2});
        let result = edit("a: # x\n  x: [1]\nc: 3\n", &old, &new, &Limits::default(), read).unwrap();
        assert_eq!(read(&result), Ok(new));
    }
}

/// Thousands of objects, in which each gets something.
#[test]
fn long_lists_are_edited_item_by_item() {
    let item = |number: usize| {
        format!("- kind: Pod # {number}\n  metadata: {{name: pod-{number}}}\n  spec:\n    containers: []\n")
    };
    let yaml = "items:\n".to_owned() + &(0..3000).map(item).collect::<String>();
    let json = serde_json::to_string(&read(&yaml).unwrap()).unwrap();
    for text in [yaml, json] {
        let old = read(&text).unwrap();
        let mut new = old.clone();
        for item in new["items"].as_array_mut().unwrap() {
            item["spec"]["containers"] = json!([{"name": "proxy"}]);
        }
        let limits = Limits::default();
        let there = edit(&text, &old, &new, &limits, read).unwrap();
        assert_eq!(edit(&there, &new, &old, &limits, read).unwrap(), text);
    }
}

#[test]
fn the_deepest_that_is_allowed_fits_on_a_small_stack() {
    let limits = Limits { depth: 255, ..Limits::default() };
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
        let text = |inner: &str| format!("{}{inner}{}", open.repeat(254), close.repeat(254));
        let (old, new) = (nested(open, json!("x")), nested(open, json!("z")));
        // Reading has limits of its own.
        let wanted = text("z");
        let read = |found: &str| if found == wanted { Ok(new.clone()) } else { Err("another text") };
        assert_eq!(edit(&text("x"), &old, &new, &limits, read).as_ref(), Ok(&wanted), "{open}");
    }
}

fn nested(open: &str, inner: Value) -> Value {
    let is_mapping = open.starts_with('{');
    (0..254).fold(inner, |value, _| if is_mapping { json!({ "a": value }) } else { Value::Array(vec![value]) })
}
