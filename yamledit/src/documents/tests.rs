//! Streams and their documents.

use super::*;

fn texts(stream: &str) -> Vec<&str> {
    documents(stream).map(|document| document.text).collect()
}

#[test]
fn markers_begin_and_end_documents() {
    let stream = "# head\na: 1\n---\nb: |\n  ---\n  x\n--- # third\n\nc: 1\n...\n# fourth\n%YAML 1.2\n---\nd\n---";
    let expected = [
        "# head\na: 1\n",
        "---\nb: |\n  ---\n  x\n",
        "--- # third\n\nc: 1\n...\n",
        "# fourth\n%YAML 1.2\n---\nd\n",
        "---",
    ];
    assert_eq!(texts(stream), expected);
    let lines: Vec<_> = documents(stream).map(|document| (document.line, document.first_line())).collect();
    assert_eq!(lines, [(1, 2), (3, 4), (7, 9), (11, 14), (15, 15)]);
}

#[test]
fn what_only_looks_like_a_marker_is_none() {
    for stream in [
        "a: 1\n----\n---b\n ---\n....\n...c\n",
        "a: \"\n  --- \n\"\n",
        "a: |\n ---\n ...\n",
        "# ---\n#---\n",
        "a ---\n",
    ] {
        assert_eq!(texts(stream), [stream]);
    }
}

#[test]
fn comments_belong_to_the_document_behind_them_or_to_the_last() {
    assert_eq!(texts("# a\n---\na: 1\n"), ["# a\n---\na: 1\n"]);
    assert_eq!(texts("a: 1\n...\n# b\n"), ["a: 1\n...\n# b\n"]);
    assert_eq!(texts("a\n...\n...\n# b\n---\nb\n"), ["a\n...\n", "...\n# b\n---\nb\n"]);
}

#[test]
fn every_line_break_and_byte_order_marks_are_known() {
    assert_eq!(texts("a: 1\r\n---\r\nb: 1\r\n"), ["a: 1\r\n", "---\r\nb: 1\r\n"]);
    assert_eq!(texts("a: 1\r---\rb: 1\r"), ["a: 1\r", "---\rb: 1\r"]);
    assert_eq!(
        texts("\u{feff}---\na: 1\n...\n\u{feff}# x\n---\nb: 1\n"),
        ["\u{feff}---\na: 1\n...\n", "\u{feff}# x\n---\nb: 1\n"]
    );
}

#[test]
fn a_document_without_content_is_empty() {
    for nothing in ["\n", "---\n", "# a\n\n---   # b\n", "\u{feff}# a\n", "%YAML 1.2\n---\n", "---\r\n...\n", " # a"] {
        assert!(documents(nothing).all(|document| document.is_empty()), "{nothing:?}");
    }
    for something in ["--- {a: 1}\n", "# a\n\"\"", "--- !!map\na: 1\n", "--- |\n"] {
        assert!(documents(something).all(|document| !document.is_empty()), "{something:?}");
    }
    assert_eq!(documents("").count(), 0);
}

#[test]
fn many_markers_take_no_more_time_than_few() {
    // Quadratic time would be minutes.
    assert_eq!(documents(&"a\n...\n".repeat(200_000)).count(), 200_000);
    assert_eq!(documents(&"---\n".repeat(200_000)).count(), 200_000);
    assert_eq!(documents(&"-".repeat(2_000_000)).count(), 1);
    assert_eq!(documents(&"...\n".repeat(500_000)).count(), 1);
}

#[test]
fn json_needs_no_markers() {
    let stream = "\u{feff}{\"a\": \"}{\"}\r\n{\"b\": {}}{}\n\n# c\n{\"d\": 1}\n---\n{}\n{}\n---\n{}";
    let expected =
        ["\u{feff}{\"a\": \"}{\"}\r\n", "{\"b\": {}}", "{}\n\n# c\n{\"d\": 1}\n", "---\n{}\n", "{}\n", "---\n{}"];
    assert_eq!(texts(stream), expected);
    let followers: Vec<_> = documents(stream).map(|document| document.follows_json).collect();
    assert_eq!(followers, [false, true, true, false, true, false]);
    for one in ["{a: 1}\n{b: 2}\n", "{}\n[]\n", "{}\n}\n", "{\"a\": 1,\n{}\n", "{}\n", "[]\n{}\n", "a:\n{}\n{}\n"] {
        assert_eq!(texts(one), [one]);
    }
    assert_eq!(documents(&"{\"a\": [1, 2]}\n".repeat(100_000)).count(), 100_000);
}
