//! Hostile templates and data end in an error, on the stack and in the memory that there is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::thread;

use gotemplate::{Budget, Functions, Limits, List, Map, Template, Type, Value};

/// Small enough that a test is soon over.
const LIMITS: Limits = Limits { output: 1 << 16, memory: 1 << 20, iterations: 10_000, steps: 100_000, depth: 1_000 };

fn parse(text: &str) -> Result<Template, String> {
    Template::parse("test", text, &Functions::sprig()).map_err(|error| error.to_string())
}

/// The error of an execution, which must be about a limit.
fn limit(text: &str) -> String {
    let error = parse(text).unwrap().render(&Value::Nil, &LIMITS).unwrap_err();
    assert!(error.is_limit(), "{text}: {error}");
    error.to_string()
}

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(512 * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn nesting_without_end_does_not_parse() {
    on_a_small_stack(|| {
        let parentheses = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&parentheses).unwrap_err(), "template: test:1: max expression depth exceeded");
        for block in ["{{if 1}}", "{{range .}}", "{{with 1}}", "{{block \"b\" .}}", "{{if 0}}{{else if 1}}"] {
            assert!(parse(&block.repeat(100_000)).is_err(), "{block}");
        }
        assert!(parse(&format!("{{{{{}", "(".repeat(1_000_000))).is_err());
    });
}

#[test]
fn a_name_that_does_not_unquote_does_not_parse() {
    for text in [r#"{{template "\x"}}"#, r#"{{define "\x"}}{{end}}"#, r#"{{block "\x" .}}{{end}}"#] {
        assert_eq!(parse(text).unwrap_err(), "template: test:1: invalid syntax");
    }
}

#[test]
fn a_template_that_calls_itself_ends() {
    on_a_small_stack(|| {
        let text = "{{define \"t\"}}{{if true}}{{template \"t\" .}}{{end}}{{end}}{{template \"t\" .}}";
        assert!(limit(text).contains("exceeded maximum template depth (1000)"));
        let error = parse(text).unwrap().render(&Value::Nil, &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("exceeded maximum template depth (10000)"), "{error}");
    });
}

#[test]
fn loops_end() {
    assert!(limit("{{range 1000000000000}}{{end}}").contains("10000 rounds"));
    assert!(limit("{{range 9000}}{{range 9000}}{{end}}{{end}}").contains("10000 rounds"));
    let twice = "{{template \"t\" (sub . 1)}}".repeat(2);
    let text = format!("{{{{define \"t\"}}}}{{{{if .}}}}{twice}{{{{end}}}}{{{{end}}}}{{{{template \"t\" 100}}}}");
    assert!(limit(&text).contains("100000 steps"));
}

#[test]
fn output_and_values_do_not_grow_without_end() {
    assert!(limit("{{range 9000}}0123456789{{end}}").contains("65536 bytes"));
    for text in [
        "{{$s := `0123456789abcdef`}}{{range 60}}{{$s = print $s $s}}{{end}}",
        "{{$l := list 1 2 3}}{{range 60}}{{$l = concat $l $l}}{{end}}",
        "{{repeat 1000000000 `x`}}",
        "{{until 1000000000 | len}}",
        "{{seq 1000000000}}",
        "{{untilStep 0 1000000000 1 | len}}",
        "{{indent 1000000000 `x`}}",
        "{{printf `%1000000d%1000000d` 1 2}}",
        "{{replace `` (repeat 1000 `x`) (repeat 10000 `y`)}}",
        "{{regexReplaceAll `` (repeat 10000 `y`) (repeat 1000 `x`)}}",
        "{{range 9000}}{{join (repeat 10000 `x`) (list 1 2 3 4 5 6 7 8 9)}}{{end}}",
    ] {
        assert!(limit(text).contains("limit of"), "{text}");
    }
}

#[test]
fn values_that_share_their_items_are_not_walked_without_end() {
    // Forty lists, each twice in the next: as a tree it has 2^40 leaves.
    let shared = "{{$l := list 1}}{{range 40}}{{$l = list $l $l}}{{end}}";
    for call in ["print $l", "toJson $l", "toString $l", "deepEqual $l (deepCopy $l)", "$l"] {
        limit(&format!("{shared}{{{{{call}}}}}"));
    }
}

#[test]
fn values_nested_deeply_are_made_printed_and_dropped() {
    on_a_small_stack(|| {
        let mut list = Value::Nil;
        for _ in 0..100_000 {
            list = List::any(vec![list]).into();
        }
        let text = list.to_text(&Budget::default()).unwrap();
        assert_eq!(text.len(), 200_000 + "<nil>".len());
        let copy = list.deep_clone();
        drop(list);
        drop(copy);

        let top = Map::any();
        let mut map = top.clone();
        for _ in 0..100_000 {
            let inner = Map::any();
            map.insert("m", Value::from(inner.clone()));
            map = inner;
        }
        drop(map);
        drop(top);
    });
}

#[test]
fn a_map_cannot_become_a_part_of_itself() {
    for text in [
        "{{$m := dict}}{{$_ := set $m `m` $m}}",
        "{{$m := dict}}{{$n := dict `a` (list $m)}}{{$_ := set $m `n` $n}}",
        "{{$m := dict `a` dict}}{{$_ := set $m.a `b` $m}}",
        "{{$m := dict `a` dict}}{{$_ := merge $m.a (dict `b` $m)}}",
    ] {
        let error = parse(text).unwrap().render(&Value::Nil, &LIMITS).unwrap_err();
        assert!(error.message().to_string().ends_with("the map would contain itself"), "{text}: {error}");
    }
}

#[test]
fn nothing_is_charged_beyond_what_is_used() {
    let text = "{{range until 100}}{{printf `%03d` .}}{{end}}";
    let limits = Limits { output: 300, iterations: 100, ..LIMITS };
    assert_eq!(parse(text).unwrap().render(&Value::Nil, &limits).unwrap().len(), 300);
    let data = Value::from(List::new(Type::INT, vec![Value::int(1); 101]));
    let template = parse("{{range .}}{{end}}").unwrap();
    assert!(template.render(&data, &limits).unwrap_err().is_limit());
}

#[test]
fn work_is_charged_by_its_size() {
    let entries = |prefix: &'static str| (0..1000).map(move |number| (format!("{prefix}{number}"), Value::int(number)));
    let text = "0".repeat(100_000);
    let data = Map::of(
        Type::Any,
        [
            ("map", Value::from(Map::of(Type::Any, entries("a")))),
            ("list", List::any(vec![Value::int(0); 10_000]).into()),
            ("text", text.as_str().into()),
            ("same", text.as_str().into()),
        ],
    )
    .into();
    for text in [
        "{{range 1000}}{{range $.map}}{{break}}{{end}}{{end}}",
        "{{range 1000}}{{$_ := omit $.map}}{{end}}",
        "{{range 1000}}{{$_ := compact $.list}}{{end}}",
        "{{range 1000}}{{$_ := eq $.text $.same}}{{end}}",
        "{{range 1000}}{{$_ := contains `1` $.text}}{{end}}",
        "{{range 1000}}{{$_ := trimAll `0` $.text}}{{end}}",
        "{{range 1000}}{{$_ := float64 $.text}}{{end}}",
        "{{range 1000}}{{$_ := regexMatch $.text `x`}}{{end}}",
        r"{{range 1000}}{{$_ := regexMatch `(\pL{30}){30}` `x`}}{{end}}",
        r"{{$_ := regexMatch (repeat 10000 `\p{Vai}`) `x`}}",
        r"{{$_ := regexMatch (print `(?i)` (repeat 10000 `x`)) `x`}}",
        r"{{$_ := regexMatch (print `[` (repeat 10000 `[:`)) `x`}}",
    ] {
        let error = parse(text).unwrap().render(&data, &LIMITS).unwrap_err();
        assert!(error.is_limit(), "{text}: {error}");
    }
    let variables: String = (0..1000).map(|number| format!("{{{{$v{number} := 1}}}}")).collect();
    limit(&format!("{variables}{{{{range 9000}}}}{{{{$v0}}}}{{{{end}}}}"));
}
