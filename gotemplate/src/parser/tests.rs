//! What parses, how it is shown, and what is said of what does not parse.

use super::*;

fn functions(names: &[&str]) -> Functions {
    let mut functions = Functions::new();
    for &name in names {
        functions.add(name, || true);
    }
    functions
}

fn parsed(text: &str) -> Result<Parsed, ParseError> {
    let functions = functions(&["f", "g"]);
    let delimiters = Delimiters { left: b"", right: b"" };
    parse(&"test".into(), text.as_bytes(), delimiters, &functions, ParseLimits::default())
}

/// The templates in the order in which they were first defined.
fn shown(parsed: &Parsed) -> String {
    let mut shown = String::new();
    for tree in &parsed.trees {
        shown.push_str(&format!("{}:", tree.name));
        for node in parsed.syntax.block(tree.root) {
            shown.push_str(&parsed.syntax.node_text(node).to_text());
        }
        shown.push(';');
    }
    shown
}

fn message(text: &str) -> String {
    parsed(text).map(|parsed| shown(&parsed)).unwrap_err().to_string()
}

#[test]
fn a_tree_is_shown_with_spacing_of_its_own() {
    let cases = [
        ("a{{- .x.y  -}} b", "a{{.x.y}}b"),
        ("{{ f (.a|g)  $.b \"c\\t\" 'd' 0x1F }}", "{{f (.a | g) $.b \"c\\t\" 'd' 0x1F}}"),
        ("{{(f).x.y | g.z}}", "{{(f).x.y | g.z}}"),
        ("{{$x:=1}}{{$x =$x.y}}", "{{$x := 1}}{{$x = $x.y}}"),
        ("{{range $k,$v:=.}}{{break}}{{else}}-{{end}}", "{{range $k, $v := .}}{{break}}{{else}}-{{end}}"),
        ("{{if .}}1{{else if f}}2{{end}}", "{{if .}}1{{else}}{{if f}}2{{end}}{{end}}"),
        ("{{with .}}1{{else with nil}}2{{end}}", "{{with .}}1{{else}}{{with nil}}2{{end}}{{end}}"),
        ("{{template `t`}}{{template \"u\"  .}}", "{{template \"t\"}}{{template \"u\" .}}"),
        ("{{/* nothing */}}", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&parsed(text).unwrap()), format!("test:{expected};"));
    }
}

#[test]
fn surprises_parse_as_in_go() {
    for text in [
        "{{$nope = 1}}{{$nope}}",
        "{{$b := 1}}{{range $a, $b}}{{$a}}{{end}}",
        "{{if $x := 1}}{{else}}{{$x}}{{end}}",
        "{{.x |}}",
        "{{f ($y := 1)}}{{$y}}",
        "{{range .}}{{if .}}{{continue}}{{end}}{{end}}",
    ] {
        assert!(parsed(text).is_ok(), "{text}");
    }
}

#[test]
fn messages_are_those_of_go() {
    let cases = [
        ("{{nope}}", "1: function \"nope\" not defined"),
        ("\n{{$x}}", "2: undefined variable \"$x\""),
        ("{{if $x := 1}}{{end}}{{$x}}", "1: undefined variable \"$x\""),
        ("{{}}", "1: missing value for command"),
        ("{{range}}", "1: missing value for range"),
        ("{{1 | f | 2}}", "1: non executable command in pipeline stage 3"),
        ("{{f \"a\"\"bcdefghijklm\"}}", "1: unexpected \"\\\"bcdefghij\"... in operand"),
        ("{{1.x}}", "1: bad number syntax: \"1.x\""),
        ("{{nil.x}}", "1: unexpected . after term \"nil\""),
        ("{{$x.y := 1}}", "1: undefined variable \"$x\""),
        ("{{$.y := 1}}", "1: unexpected \":=\" in operand"),
        ("{{$x, $y := 1}}", "1: too many declarations in command"),
        ("{{range $x, 1}}", "1: range can only initialize variables"),
        ("{{range $x, $y, $z := .}}", "1: too many declarations in range"),
        ("{{if .}}", "1: unexpected EOF"),
        ("{{end}}", "1: unexpected {{end}}"),
        ("{{else}}", "1: unexpected {{else}}"),
        ("{{if .}}{{else}}{{else}}{{end}}", "1: expected end; found {{else}}"),
        ("{{range .}}{{else if .}}{{end}}", "1: unexpected <if> in input"),
        ("{{define \"x\"}}{{else}}{{end}}", "1: unexpected {{else}} in define clause"),
        ("{{block \"x\" .}}\n{{else}}{{end}}", "1: unexpected {{else}} in block clause"),
        ("{{if .}}{{define \"x\"}}{{end}}{{end}}", "1: unexpected <define> in command"),
        ("{{define x}}", "1: unexpected \"x\" in define clause"),
        ("{{template \"\\q\"}}", "1: invalid syntax"),
        ("{{break}}", "1: {{break}} outside {{range}}"),
        ("{{range .}}{{else}}{{continue}}{{end}}", "1: {{continue}} outside {{range}}"),
        ("{{range .}}{{block \"x\" .}}{{break}}{{end}}{{end}}", "1: {{break}} outside {{range}}"),
        ("{{end x}}", "1: unexpected \"x\" in end"),
        ("{{f\n", "2: unclosed action started at test:1"),
        ("{{f\n\"", "2: unterminated quoted string in action started at test:1"),
        ("{{f\n\nif}}", "3: unexpected <if> in operand"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), format!("template: test:{expected}"), "{text}");
    }
}

#[test]
fn an_error_tells_where_it_is() {
    let error = parsed("one\n {{f nope}}").unwrap_err();
    assert_eq!((error.template().to_text().as_ref(), error.line(), error.column()), ("test", 2, 6));
    assert_eq!(*error.message(), "function \"nope\" not defined");
}

#[test]
fn definitions_add_templates() {
    let text = "{{define \"a\"}}1{{end}} {{block \"b\" .x}}2{{block \"c\" .}}3{{end}}{{end}}";
    let expected = "a:1;c:3;b:2{{template \"c\" .}};test: {{template \"b\" .x}};";
    assert_eq!(shown(&parsed(text).unwrap()), expected);
}

#[test]
fn only_an_empty_template_is_defined_again() {
    let again = |first: &str, second: &str| {
        parsed(&format!("{{{{define \"a\"}}}}{first}{{{{end}}}}{{{{define \"a\"}}}}{second}{{{{end}}}}"))
    };
    assert_eq!(shown(&again(" \n\u{2003}", "2").unwrap()), "a:2;test:;");
    assert_eq!(shown(&again("1", "{{/* x */}} ").unwrap()), "a:1;test:;");
    let expected = "template: test:1: template: multiple definition of template \"a\"";
    assert_eq!(again("1", "2").unwrap_err().to_string(), expected);
    assert_eq!(shown(&parsed("{{define \"test\"}}1{{end}} ").unwrap()), "test:1;");
}

#[test]
fn break_is_a_function_where_one_has_that_name() {
    let delimiters = Delimiters { left: b"", right: b"" };
    let functions = functions(&["break"]);
    let parse = |text: &[u8]| parse(&"test".into(), text, delimiters, &functions, ParseLimits::default());
    assert_eq!(shown(&parse(b"{{break | break}}").unwrap()), "test:{{break | break}};");
    assert!(parse(b"{{continue}}").is_err());
}

#[test]
fn limits_hold() {
    let functions = Functions::default();
    let check = |text: &str, limits| {
        let delimiters = Delimiters { left: b"", right: b"" };
        parse(&"test".into(), text.as_bytes(), delimiters, &functions, limits).map_err(|error| error.to_string()).err()
    };
    let limits = ParseLimits { text: 40, expression_depth: 2, block_depth: 2 };
    assert_eq!(check("{{((.))}}", limits), None);
    assert_eq!(check("{{(((.)))}}", limits).as_deref(), Some("template: test:1: max expression depth exceeded"));
    assert_eq!(check("{{if .}}{{if .}}{{end}}{{end}}", limits), None);
    assert_eq!(
        check("{{if .}}{{with .}}{{range .}}", limits).as_deref(),
        Some("template: test:1: max block depth exceeded")
    );
    assert_eq!(check(&"x".repeat(41), limits).as_deref(), Some("template: test:1: text is longer than 40 bytes"));
}

#[test]
fn what_nests_deep_is_parsed_shown_and_dropped_on_a_small_stack() {
    let nested =
        |open: &str, inside: &str, close: &str, depth| format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
    let run = move || {
        let parentheses = nested("(", ".", ")", 10_000);
        let blocks = nested("{{if .}}", &format!("{{{{{parentheses}}}}}"), "{{end}}", 10_000);
        let else_ifs = format!("{{{{if .}}}}{}{{{{end}}}}", "{{else if .}}".repeat(9_999));
        let text = format!("{blocks}{else_ifs}");
        let parsed = parsed(&text).unwrap();
        assert!(shown(&parsed).len() > text.len());
        let deeper = format!("{{{{if .}}}}{text}");
        assert_eq!(message(&deeper), "template: test:1: max block depth exceeded");
        assert!(message(&nested("{{block \"x\" .}}", "", "", 10_001)).contains("max block depth"));
        assert!(message(&format!("{{{{({parentheses})}}}}")).contains("max expression depth"));
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn locations_are_lines_and_bytes_within_them() {
    let parsed = parsed("\u{e9}\n{{.x}}").unwrap();
    assert_eq!(parsed.syntax.location(0), (1, 0));
    assert_eq!(parsed.syntax.location(2), (1, 2));
    assert_eq!(parsed.syntax.location(5), (2, 2));
}
