//! Pods with text that would break out of a template, and pods that only look so.

use super::*;
use crate::template::Template;
use crate::yaml::read_manifest;
use serde_json::json;

/// A template in the ways in which Istio's put text into YAML, and some that they do not.
const TEMPLATE: &str = r#"
spec:
  initContainers:
  - name: istio-init
    args:
    - "-q"
    - "{{ index .metadata.annotations `ports` }}"
    - {{ index .metadata.annotations `bare` }}
    - {{ index .metadata.annotations `quoted` | quote }}
  {{- range $key, $value := fromJSON (index .metadata.annotations `json`) }}
  - name: "{{ $key }}"
  {{- end }}
  containers:
  - name: istio-proxy
    env:
    - name: NAMES
      value: '{{ range .spec.containers }}{{ .name }},{{ end }}'
"#;

fn pod(annotations: &[(&str, &str)], container: &str) -> Value {
    let mut all = json!({"ports": "80", "bare": "text", "quoted": "", "json": "{}"});
    annotations.iter().for_each(|(name, value)| all[*name] = json!(value));
    json!({"metadata": {"annotations": all}, "spec": {"containers": [{"name": container}]}})
}

fn render(pod: &Value) -> Option<Value> {
    let template = Template::parse("test", TEMPLATE).unwrap();
    read_manifest(&template.render(&pod.clone().into()).ok()?).ok()
}

fn found(pod: &Value) -> Vec<String> {
    let rendered = render(pod).unwrap();
    match neutral(pod) {
        Some(neutral) if !render(&neutral).is_some_and(|harmless| same_shape(&rendered, &harmless)) => {
            culprits(pod, &rendered, render)
        }
        _ => Vec::new(),
    }
}

#[test]
fn text_that_adds_to_the_result_is_named() {
    let extra = "80\"\n    - \"--extra-arg";
    assert_eq!(found(&pod(&[("ports", extra)], "app")), ["metadata.annotations[ports]"]);
    assert_eq!(found(&pod(&[("bare", "a\n    - b")], "app")), ["metadata.annotations[bare]"]);
    for other in ["a: b", "{a: b}", "[a]", "# a", "~", "null", "- a", "a:", "!!int 1"] {
        assert_eq!(found(&pod(&[("bare", other)], "app")), ["metadata.annotations[bare]"], "{other}");
    }
    let name = "app'\n    args: ['--evil']\n    workingDir: '";
    assert_eq!(found(&pod(&[("ports", extra)], name)), ["metadata.annotations[ports]", "spec.containers[0].name"]);
}

#[test]
fn text_that_stays_text_is_no_mistake() {
    for (name, value) in [
        ("quoted", "80\"\n    - \"--extra-arg"),
        ("ports", "it's: a [list] # & more"),
        ("bare", "a#b"),
        ("bare", "8080"),
        ("bare", "true"),
        ("json", "{\"volume\": 1}"),
        ("other", "\"\n- {"),
    ] {
        let pod = pod(&[(name, value)], "app");
        assert_eq!(found(&pod), Vec::<String>::new(), "{name} {value}");
    }
    let taken_apart_beside_harmless = pod(&[("json", "{\"volume\": 1}"), ("quoted", "\"")], "app");
    assert!(found(&taken_apart_beside_harmless).is_empty());
    let taken_apart_beside_harm = pod(&[("json", "{\"volume\": 1}"), ("bare", "[a]")], "app");
    assert_eq!(found(&taken_apart_beside_harm), ["metadata.annotations[bare]"]);
}

#[test]
fn harm_that_is_done_together_is_found() {
    let render = |pod: &Value| {
        let text = |key: &str| pod.pointer(&format!("/metadata/labels/{key}")).and_then(Value::as_str) != Some("x");
        Some(if text("a") || text("b") { json!({"extra": 1}) } else { json!({}) })
    };
    let pod = json!({"metadata": {"labels": {"a": "\"", "b": "\""}}});
    assert_eq!(culprits(&pod, &json!({"extra": 1}), render), ["metadata.labels[a]", "metadata.labels[b]"]);
}

#[test]
fn a_harmless_pod_is_not_rendered_twice() {
    let harmless = json!({"metadata": {"labels": {"app": "web-1.2_x", "a.b/c": "true"}, "annotations": {
            "sidecar.istio.io/userVolume": "{\"a\": {\"emptyDir\": {}}}", "proxy.istio.io/config": "{a: b}",
            "traffic.sidecar.istio.io/includeInboundPorts": "*"},
            "managedFields": [{"fieldsV1": {"k:{\"name\":\"x\"}": {}}}]},
        "spec": {"containers": [{"name": "a", "image": "h:5000/a:1", "args": ["--a=b:c", "-v"]}]}});
    assert_eq!(neutral(&harmless), None);
    let broken = json!({"metadata": {"annotations": {"sidecar.istio.io/proxyCPU": "1\n"}}});
    assert_eq!(neutral(&broken).unwrap()["metadata"]["annotations"]["sidecar.istio.io/proxyCPU"], "1x");
    assert!(neutral(&json!({"metadata": {"labels": {"proxy.istio.io/config": "{a: b}"}}})).is_some());
}

#[test]
fn letters_take_the_place_of_marks_and_keys_stay_apart() {
    for (text, expected) in [
        ("a\"b'c\\d\n\u{85}\u{2028}e", "axbxcxdxxxe"),
        ("- a", "x a"),
        ("a: b:c:", "ax b:cx"),
        ("null", "xxxx"),
        ("-1", "-1"),
        ("--- a", "x-- a"),
    ] {
        assert_eq!(sites::harmless(text), expected);
        assert_eq!(is_plain(text), text == expected || text == "null", "{text}");
    }
    let keys = neutral(&json!({"a'": 1, "a\"": 2, "ax": 3, "b'": 4})).unwrap();
    let keys: Vec<_> = keys.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["axx1", "axx2", "ax", "bx"]);
}

#[test]
fn shapes_are_types_keys_and_lengths() {
    let one = json!({"a": ["x", 1, null], "b": {"c": true}});
    assert!(same_shape(&one, &json!({"a": ["y", 2.5, null], "b": {"c": false}})));
    for other in [
        json!({"a": ["x", 1], "b": {"c": true}}),
        json!({"a": ["x", "1", null], "b": {"c": true}}),
        json!({"b": {"c": true}, "a": ["x", 1, null]}),
        json!({"a": ["x", 1, null], "b": {"d": true}}),
        json!({"a": ["x", 1, null], "b": []}),
    ] {
        assert!(!same_shape(&one, &other), "{other}");
    }
}

#[test]
fn many_texts_are_named_in_part_and_rendered_a_bounded_number_of_times() {
    let args: Vec<_> = (0..10_000).map(|number| format!("\"{number}")).collect();
    let pod = json!({"spec": {"containers": [{"name": "a", "args": args}]}});
    let renderings = std::cell::Cell::new(0);
    let fields = culprits(&pod, &json!({}), |_| {
        renderings.set(renderings.get() + 1);
        None
    });
    assert_eq!(fields.len(), 20);
    assert!(renderings.get() <= EXAMINED + 2, "{renderings:?}");
}

#[test]
fn metadata_entries_are_variables_with_plain_text() {
    let check = |metadata: Value| -> Vec<String> {
        let config = json!({"proxyMetadata": metadata, "tracing": {"tlsSettings": {"caCertificates": "/etc/ca: x"}}});
        check_proxy_config(config.as_object().unwrap()).iter().map(ToString::to_string).collect()
    };
    let authorities =
        "tracing.tlsSettings.caCertificates: has characters that mean something to YAML; use a plain path";
    assert_eq!(check(json!({"ISTIO_META_A.b-c": "x y: #'", "_": ""})), [authorities]);
    let problems =
        check(json!({"A": "a\"b", "B": "a\\b", "C": "a\nb", "D E": "x", "yes": "x", "1": "x", "a\n- b": "x"}));
    assert_eq!(problems.len(), 8);
    assert!(problems[0].starts_with("proxyMetadata[A]: has double quotes"), "{problems:?}");
    assert_eq!(problems[6], "proxyMetadata[a\\n- b]: is not the name of an environment variable");
}
