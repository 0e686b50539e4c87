//! The crate as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gotemplate::{FunctionError, Functions, Limits, MissingKey, Options, Str, Template, Value, Variadic};
use serde_json::json;

fn render(text: &str, data: &serde_json::Value) -> String {
    Template::parse("test", text, &Functions::sprig()).unwrap().render(&Value::from(data), &Limits::default()).unwrap()
}

#[test]
fn a_template_is_shared_by_threads() {
    let counter = Arc::new(AtomicUsize::new(0));
    let mut functions = Functions::new();
    let count = Arc::clone(&counter);
    functions.add("count", move || count.fetch_add(1, Ordering::Relaxed));
    let template = Template::parse("test", "{{range .}}{{.}}{{end}}{{if count}}{{end}}", &functions).unwrap();
    thread::scope(|scope| {
        for number in 0..4 {
            let template = &template;
            scope.spawn(move || {
                let data = Value::from(json!([number, number]));
                for _ in 0..100 {
                    assert_eq!(template.render(&data, &Limits::default()).unwrap(), format!("{number}{number}"));
                }
            });
        }
    });
    assert_eq!(counter.load(Ordering::Relaxed), 400);
}

#[test]
fn functions_of_rust_say_by_their_parameters_what_they_take() {
    let mut functions = Functions::new();
    functions
        .add("add", |a: isize, b: isize| a + b)
        .add("half", |number: f64| number / 2.0)
        .add("shout", |text: Str| format!("{text}!"))
        .add("count", |rest: Variadic<Value>| rest.0.len())
        .add("refuse", |why: String| Err::<Value, _>(FunctionError::new(why)));
    let render = |text: &str| {
        let template = Template::parse("test", text, &functions).map_err(|error| error.to_string())?;
        template.render(&Value::Nil, &Limits::default()).map_err(|error| error.to_string())
    };
    assert_eq!(
        render("{{add 1 2}} {{half 3}} {{shout `a`}} {{count 1 `b` nil}} {{4 | add 3}}").unwrap(),
        "3 1.5 a! 3 7"
    );
    let error = |text: &str| render(text).unwrap_err();
    assert_eq!(error("{{add 1 `b`}}"), "template: test:1:8: executing \"test\" at <`b`>: expected integer; found `b`");
    assert_eq!(
        error("{{add 1}}"),
        "template: test:1:2: executing \"test\" at <add>: wrong number of args for add: want 2 got 1"
    );
    assert_eq!(
        error("{{refuse `no`}}"),
        "template: test:1:2: executing \"test\" at <refuse `no`>: error calling refuse: no"
    );
    assert_eq!(error("{{missing}}"), "template: test:1: function \"missing\" not defined");
}

#[test]
fn functions_that_reach_outside_are_there_only_when_added() {
    let error = Template::parse("test", "\n{{now}}", &Functions::sprig()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: test:2: function \"now\" not defined: it reads the clock, so only the caller can add it"
    );
    assert_eq!((error.line(), error.column()), (2, 3));
    let mut functions = Functions::sprig();
    functions.add("now", || "noon");
    assert_eq!(
        Template::parse("test", "{{now | upper}}", &functions)
            .unwrap()
            .render(&Value::Nil, &Limits::default())
            .unwrap(),
        "NOON"
    );
}

#[test]
fn errors_say_where() {
    let template =
        Template::parse("page", "{{define \"part\"}}\n  {{.a.b.c}}{{end}}{{template \"part\" .}}", &Functions::new())
            .unwrap();
    let data = Value::from(json!({"a": {"b": null}}));
    let error = template.render(&data, &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template: page:2:6: executing \"part\" at <.a.b.c>: nil pointer evaluating interface {}.c"
    );
    assert_eq!((error.template().to_string().as_str(), error.line(), error.column()), ("part", Some(2), Some(6)));
    assert_eq!(error.action().unwrap(), ".a.b.c");
    assert!(!error.is_limit() && error.writer_error().is_none());
}

#[test]
fn texts_of_a_set_call_each_other() {
    let functions = Functions::new();
    let mut template = Template::parse("main", "{{template \"head\" .}} {{template \"tail\"}}", &functions).unwrap();
    template.add("parts", "{{define \"head\"}}[{{.}}]{{end}}{{define \"tail\"}}end{{end}}", &functions).unwrap();
    assert_eq!(template.render(&Value::from("x"), &Limits::default()).unwrap(), "[x] end");
    assert_eq!(template.names().map(ToString::to_string).collect::<Vec<_>>(), ["head", "main", "parts", "tail"]);
    // An error leaves the set as it was.
    assert!(template.add("parts", "{{define \"head\"}}other{{end}}{{", &functions).is_err());
    assert_eq!(template.render(&Value::from("x"), &Limits::default()).unwrap(), "[x] end");
    let mut output = Vec::new();
    template.execute_template("head", &Value::from("y"), &mut output, &Limits::default()).unwrap();
    assert_eq!(output, b"[y]");
    let error = template.execute_template("none", &Value::Nil, &mut output, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "template: no template \"none\" associated with template \"main\"");
}

#[test]
fn options_choose_delimiters_and_what_is_missing() {
    let options = Options { delimiters: ("<%".to_owned(), "%>".to_owned()), missing_key: MissingKey::Error };
    let template = Template::parse_with("test", "{{.a}} <% .a %>", &Functions::new(), &options).unwrap();
    assert_eq!(template.render(&Value::from(json!({"a": 1})), &Limits::default()).unwrap(), "{{.a}} 1");
    let error = template.render(&Value::from(json!({})), &Limits::default()).unwrap_err();
    assert!(error.to_string().ends_with("map has no entry for key \"a\""), "{error}");
}

#[test]
fn a_change_of_a_map_is_seen_by_all_who_hold_it() {
    let data = Value::from(json!({"m": {"a": 1}}));
    let template = Template::parse("test", "{{$_ := set .m `a` 2}}{{.m.a}}", &Functions::sprig()).unwrap();
    let copy = data.deep_clone();
    assert_eq!(template.render(&copy, &Limits::default()).unwrap(), "2");
    assert_eq!(data.to_text(&gotemplate::Budget::default()).unwrap(), "map[m:map[a:1]]");
    assert_eq!(copy.to_text(&gotemplate::Budget::default()).unwrap(), "map[m:map[a:2]]");
}

#[test]
fn numbers_of_json_are_float64() {
    let data = json!({"small": 3, "large": 1_500_000, "tiny": 0.00001, "huge": u64::MAX});
    assert_eq!(
        render("{{.small}} {{.large}} {{.tiny}} {{.huge}} {{printf `%T` .small}}", &data),
        "3 1.5e+06 1e-05 1.8446744073709552e+19 float64"
    );
}

#[test]
fn a_writer_that_fails_ends_the_execution() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("disk full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let template = Template::parse("test", "{{range 100000}}text{{end}}", &Functions::new()).unwrap();
    let error = template.execute(&Value::Nil, &mut Full, &Limits::default()).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.writer_error().is_some()), ("disk full", true));
}

#[test]
fn a_text_need_not_be_utf_8() {
    let template = Template::parse("test", b"\xff{{\"\\xfe\"}}{{len .}}", &Functions::new()).unwrap();
    let mut output = Vec::new();
    template.execute(&Value::string(&b"\x80\x81"[..]), &mut output, &Limits::default()).unwrap();
    assert_eq!(output, b"\xff\xfe2");
}
