//! What templates can do, and what stops them.

use super::*;
use serde_json::{Value as Json, json};

fn render(text: &str, data: &Json) -> Result<String, String> {
    let data = Value::from(data.clone());
    Template::parse("test", text).and_then(|template| template.render(&data)).map_err(|error| error.to_string())
}

fn render_metadata(text: &str, metadata: &Json) -> Result<String, String> {
    let metadata = read("v1.ObjectMeta", metadata, "metadata").unwrap();
    Template::parse("test", text).and_then(|template| template.render(&metadata)).map_err(|error| error.to_string())
}

#[test]
fn functions_work_together() {
    let metadata = json!({"annotations": {"a": "x\"y"}});
    assert_eq!(render_metadata("{{ annotation . `a` `z` | quote }}", &metadata).unwrap(), r#""x\"y""#);
    assert_eq!(render_metadata("{{ annotation . `b` `z` }}", &metadata).unwrap(), "z");
    let data = json!({"list": {"b": [1, "c"]}});
    assert_eq!(render("x:\n  {{ toYaml .list | indent 2 }}", &data).unwrap(), "x:\n  b:\n  - 1\n  - c\n  ");
}

#[test]
fn what_the_data_lacks_is_an_error_with_a_line() {
    let error = render("a: 1\nb: {{ .nothing }}\n", &json!({})).unwrap_err();
    assert!(error.contains("template 'test'") && error.contains("line 2"), "{error}");
}

#[test]
fn what_a_function_gets_and_is_not_there_is_an_error_too() {
    for template in
        ["a: {{ annotation . `k` nil }}", "a: {{ printf `%v` (index .Labels `x` | empty | ternary nil 1) }}"]
    {
        assert!(render_metadata(template, &json!({})).is_err(), "{template}");
    }
    let error = render("a: {{ printf `%v` .x }}", &json!({})).unwrap_err();
    assert!(error.contains("line 1"), "{error}");
}

#[test]
fn what_is_not_there_may_be_compared_and_commented_on() {
    let text = "{{ if eq (printf `%v` .x) `true` }}no{{ end }}# {{ .x }}";
    assert_eq!(render(text, &json!({})).unwrap(), "# <no value>");
    assert_eq!(render("test $A != '<no value>'", &json!({})).unwrap(), "test $A != '<no value>'");
}

#[test]
fn a_user_may_write_what_go_prints_for_nothing() {
    let metadata = json!({"annotations": {"a": "<no value>", "b": "<nil>"}});
    let text = "{{ annotation . `a` `` }} {{ annotation . `b` `` }}";
    assert_eq!(render_metadata(text, &metadata).unwrap(), "<no value> <nil>");
}

#[test]
fn an_unknown_function_does_not_parse() {
    let error = Template::parse("test", "{{ noSuchFunction 1 }}").unwrap_err().to_string();
    assert!(error.contains("noSuchFunction"), "{error}");
}

#[test]
fn a_field_that_the_type_lacks_is_an_error_with_its_place() {
    let error = render_metadata("a\n{{ .Nmae }}", &json!({"name": "x"})).unwrap_err();
    assert!(error.contains("2:") && error.contains("Nmae") && error.contains("v1.ObjectMeta"), "{error}");
}

#[test]
fn output_and_loops_are_limited() {
    let data = json!({"long": "x".repeat((1 << 19) + 1)});
    assert!(render("{{ .long }}{{ .long }}", &data).unwrap_err().contains("1048576"));
    assert!(render("{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}", &data).is_err());
    assert!(render("{{ define `a` }}{{ template `a` }}{{ end }}{{ template `a` }}", &data).is_err());
    assert!(render("{{ repeat 1000000000 .long }}", &data).is_err());
}

#[test]
fn a_template_changes_data_for_itself_only() {
    let data = Value::from(json!({"a": {"b": 1}}));
    let template = Template::parse("test", "{{ $_ := set .a `b` 2 }}{{ .a.b }}").unwrap();
    assert_eq!(template.render(&data).unwrap(), "2");
    assert_eq!(Template::parse("test", "{{ .a.b }}").unwrap().render(&data).unwrap(), "1");
}

#[test]
fn a_template_can_refuse() {
    let error = render("{{ fail `not with this proxy` }}", &json!({})).unwrap_err();
    assert!(error.contains("not with this proxy"), "{error}");
}
