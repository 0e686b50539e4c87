//! Where nodes stand.

use super::*;

/// What the text of each node is, with its properties.
fn texts(text: &str) -> Vec<&str> {
    let tree = Tree::parse(text, &Limits::default()).unwrap();
    (0..tree.nodes.len()).map(|id| &text[tree.start(id)..tree.end(id)]).collect()
}

#[test]
fn nodes_stand_where_their_text_is() {
    let text = "é: [ü, {ß: \"€\"}]\nb: |2-\n   x\n\n# c\nc:\n- 'd'\n-\n  e: f # g\n";
    let items = "- 'd'\n-\n  e: f";
    let flow = "[ü, {ß: \"€\"}]";
    let expected = [
        &text[..text.len() - 5],
        "é",
        flow,
        "ü",
        "{ß: \"€\"}",
        "ß",
        "\"€\"",
        "b",
        "|2-\n   x",
        "c",
        items,
        "'d'",
        "e: f",
        "e",
        "f",
    ];
    assert_eq!(texts(text), expected);
}

#[test]
fn a_byte_order_mark_and_carriage_returns_move_nothing() {
    let text = "\u{feff}a: 1\r\né:\r\n  - |\r\n    l1\r\n    l2\r\n\r\n  - x\r\n";
    let list = "- |\r\n    l1\r\n    l2\r\n\r\n  - x";
    let whole = &text[3..text.len() - 2];
    assert_eq!(texts(text), [whole, "a", "1", "é", list, "|\r\n    l1\r\n    l2", "x"]);
}

#[test]
fn properties_belong_to_their_node() {
    let text = "a: &x !!map\n  b: !!str\n  c: &y\n&z d: *x\n";
    let inner = "&x !!map\n  b: !!str\n  c: &y";
    let expected = [&text[..text.len() - 1], "a", inner, "b", "!!str", "c", "&y", "&z d", "*x"];
    assert_eq!(texts(text), expected);
}

#[test]
fn block_scalars_end_with_what_counts() {
    for (text, expected) in [
        ("a: |\n  x\n\n\n", "|\n  x"),
        ("a: |+\n  x\n\n\n", "|+\n  x\n\n"),
        ("a: |\n  x\n    \n", "|\n  x\n    "),
        ("a: |\n  x\n  \n \n\n", "|\n  x"),
        ("a: |\n\n\nb: 1\n", "|"),
        ("a: |\n  x\n   ", "|\n  x\n   "),
        ("a: | # c\n  x", "| # c\n  x"),
        ("a: |  # c\n", "|"),
        ("a: >\n\n\n  x\n\n# c\n", ">\n\n\n  x"),
        ("a:\n  |\n  x\nb: 1\n", "|\n  x"),
    ] {
        assert_eq!(texts(text)[2], expected, "{text:?}");
    }
}

#[test]
fn indicators_are_found_past_comments() {
    let text = "? a # :\n# : -\n: # -\n  - # x\n    b\n?\n: c\n";
    let tree = Tree::parse(text, &Limits::default()).unwrap();
    let Kind::Mapping { entries, .. } = &tree.node(tree.root.unwrap()).kind else { panic!() };
    let found: Vec<_> = entries.iter().map(|entry| (entry.at, entry.colon)).collect();
    assert_eq!(found, [(0, text.find(": #")), (text.find("?\n").unwrap(), text.find(": c"))]);
}

#[test]
fn an_absent_node_stands_behind_its_indicator() {
    let text = "a:   # c\nb:\n- \n- x\n";
    let tree = Tree::parse(text, &Limits::default()).unwrap();
    let absent: Vec<_> = (0..tree.nodes.len()).filter(|id| tree.is_absent(*id)).map(|id| tree.start(id)).collect();
    assert_eq!(absent, [2, text.find("- ").unwrap() + 1]);
}
