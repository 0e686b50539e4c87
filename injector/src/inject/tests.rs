//! One pod in, one pod out.

use std::sync::Arc;

use super::*;
use crate::config::{Configuration, Source, Sources};
use crate::context::Injector;
use crate::decide::NO_VARIABLES;
use crate::defaults;
use crate::mode::Mode;
use crate::native::Setting;
use crate::owner::Owner;
use crate::workload::names;
use proptest::prelude::*;
use serde_json::{Map, json};

fn context(injector: &Injector) -> Context<'_> {
    injector.context(Owner::default(), injector.namespace("demo"), &NO_VARIABLES)
}

fn default_injector() -> Injector {
    Injector::new(Configuration::load(&defaults::sources()).unwrap())
}

fn with_template(text: &str) -> Injector {
    let config = json!({"policy": "enabled", "templates": {"sidecar": text, "other": "spec: {}"}}).to_string();
    let config = Source { origin: "config".to_owned(), text: config };
    Injector::new(Configuration::load(&Sources { config, ..defaults::sources() }).unwrap())
}

fn messages(pod: &Value, injector: &Injector) -> Vec<String> {
    inject(pod, &context(injector)).unwrap_err().messages()
}

#[test]
fn the_sidecar_comes_last_and_the_users_pod_is_otherwise_untouched() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "x-unknown": 1},
        "spec": {"x-unknown": {"y": [null]}, "containers": [{"name": "app", "x-unknown": true}]}});
    let outcome = inject(&pod, &context(&default_injector())).unwrap();
    assert_eq!(names(&outcome.pod, "containers"), ["app", "istio-proxy"]);
    assert_eq!(outcome.pod["spec"]["x-unknown"], pod["spec"]["x-unknown"]);
    assert_eq!(outcome.pod["spec"]["containers"][0], pod["spec"]["containers"][0]);
    assert_eq!(outcome.pod["metadata"]["x-unknown"], 1);
    assert_eq!(outcome.templates, ["sidecar"]);
}

#[test]
fn configured_annotations_win_over_the_pods() {
    let mut injector = default_injector();
    Arc::make_mut(&mut injector.configuration).config.injected_annotations.insert("team".to_owned(), "mesh".to_owned());
    let pod = json!({"metadata": {"annotations": {"team": "app"}}, "spec": {"containers": [{"name": "app"}]}});
    let outcome = inject(&pod, &context(&injector)).unwrap();
    assert_eq!(outcome.pod["metadata"]["annotations"]["team"], "mesh");
}

#[test]
fn the_proxy_comes_first_when_the_application_has_to_wait() {
    let mut sources = defaults::sources();
    sources.mesh.text = "defaultConfig: {holdApplicationUntilProxyStarts: true}".to_owned();
    let injector = Injector::new(Configuration::load(&sources).unwrap());
    let outcome = inject(&json!({"spec": {"containers": [{"name": "app"}]}}), &context(&injector)).unwrap();
    assert_eq!(names(&outcome.pod, "containers"), ["istio-proxy", "app"]);
}

#[test]
fn a_pod_without_containers_is_refused_by_field() {
    for pod in [json!({"spec": {}}), json!({"spec": {"containers": []}}), json!({"spec": {"containers": null}})] {
        assert!(messages(&pod, &default_injector())[0].starts_with("spec.containers: is empty"), "{pod}");
    }
    assert_eq!(messages(&json!([]), &default_injector()), ["spec: is missing"]);
}

#[test]
fn a_mistyped_field_is_told_by_its_place_in_the_pod_as_it_came() {
    let pod = json!({"metadata": {"annotations": {annotation::STATUS: r#"{"containers":["istio-proxy"]}"#}},
        "spec": {"containers": [{"name": "istio-proxy"}, {"name": "app", "args": "x"}]}});
    assert_eq!(messages(&pod, &default_injector()), ["spec.containers[1].args: is \"x\", not a list"]);
}

#[test]
fn an_unknown_template_is_named_with_those_that_exist() {
    let pod = json!({"metadata": {"annotations": {annotation::TEMPLATES: "gateway"}}, "spec": {"containers": [{"name": "a"}]}});
    let message = &messages(&pod, &default_injector())[0];
    assert!(message.contains("'gateway'") && message.contains("sidecar") && message.contains(annotation::TEMPLATES));
}

#[test]
fn what_a_template_may_not_render_is_refused() {
    let pod = json!({"spec": {"containers": [{"name": "app"}]}});
    for (template, expected) in [
        ("- a", "something else than a mapping"),
        ("spec: {", "line 1 of the rendered text is not YAML"),
        ("status: {}", "`status`"),
        ("spec: []", "`spec` as something else"),
        ("spec: {containers: [{image: x}]}", "spec.containers: an element has no `name`"),
        ("spec: {containers: null}", "spec.containers: is empty"),
        (
            "spec: {containers: [{name: istio-proxy}], initContainers: [{name: istio-proxy}]}",
            "two containers are named",
        ),
    ] {
        let message = &messages(&pod, &with_template(template))[0];
        assert!(message.contains(expected), "{template} gave: {message}");
    }
}

#[test]
fn a_users_value_cannot_change_the_shape_of_the_result() {
    let pod = json!({"metadata": {"annotations": {
            annotation::DEFAULT_CONTAINER: "a\"\n    evil: yes\n#", annotation::DEFAULT_LOGS_CONTAINER: "'{{ .Values }}'"}},
        "spec": {"containers": [{"name": "app: [\n"}]}});
    let injected = inject(&pod, &context(&default_injector())).unwrap().pod;
    let annotations = injected["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(
        annotations[annotation::DEFAULT_CONTAINER],
        pod["metadata"]["annotations"][annotation::DEFAULT_CONTAINER]
    );
    assert_eq!(annotations.len(), 4);
}

#[test]
fn a_job_with_a_sidecar_that_stays_is_warned_about() {
    let injector = default_injector();
    let pod = json!({"spec": {"containers": [{"name": "app"}]}});
    let job = Context { owner: Owner { kind: "Job", ..Owner::default() }, ..context(&injector) };
    assert!(inject(&pod, &job).unwrap().warnings[0].contains("does not complete"));
    let injector = injector.with(|settings| settings.native_sidecars = Setting::True);
    let job = Context { owner: Owner { kind: "Job", ..Owner::default() }, ..context(&injector) };
    assert!(inject(&pod, &job).unwrap().warnings.is_empty());
}

#[test]
fn what_left_the_templates_goes_with_other_lists_too() {
    let app = json!({"spec": {"containers": [{"name": "app"}]}});
    let former =
        with_template("spec: {containers: [{name: a, image: i, env: [{name: OLD, value: x}]}, {name: b, image: i}]}");
    let present = with_template("spec: {containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: {}}]}");
    let injected = inject(&app, &context(&former)).unwrap().pod;
    assert_eq!(inject(&injected, &context(&present)), inject(&app, &context(&present)));
}

#[test]
fn what_others_added_stays_and_templates_have_one_say_in_what_can_be_only_once() {
    let template = |variable, action, source| {
        with_template(&format!(
            "spec: {{containers: [{{name: a, image: i, env: [{{name: X, {variable}}}], livenessProbe: {{{action}}}}}],
                volumes: [{{name: v, {source}}}]}}"
        ))
    };
    let former = template("value: x", "exec: {command: [x]}", "emptyDir: {}");
    let present =
        template("valueFrom: {fieldRef: {fieldPath: metadata.uid}}", "grpc: {port: 1}", "hostPath: {path: /}");
    let mut pod = inject(&json!({"spec": {"containers": [{"name": "app"}]}}), &context(&former)).unwrap().pod;
    pod["spec"]["containers"][0]["env"].as_array_mut().unwrap().push(json!({"name": "OTHER", "value": "y"}));
    let pod = inject(&pod, &context(&present)).unwrap().pod;
    let sidecar = &pod["spec"]["containers"][0];
    let reference = json!({"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}});
    assert_eq!(sidecar["env"], json!([reference, {"name": "OTHER", "value": "y"}]));
    assert_eq!(sidecar["livenessProbe"], json!({"grpc": {"port": 1}}));
    assert_eq!(pod["spec"]["volumes"], json!([{"name": "v", "hostPath": {"path": "/"}}]));
}

#[test]
fn text_that_breaks_a_template_is_told_by_its_field() {
    let injector = with_template("spec: {containers: [{name: a, image: \"{{ .ObjectMeta.Labels.app }}\"}]}");
    let pod = json!({"metadata": {"labels": {"app": "x\" y"}}, "spec": {"containers": [{"name": "app"}]}});
    let error = inject(&pod, &context(&injector)).unwrap_err();
    assert!(error.is_in_the_pod());
    assert_eq!(
        error.messages(),
        ["metadata.labels[app]: has characters that would change what template 'sidecar' renders; take quotes, line \
          ends and the like out"]
    );
}

#[test]
fn wishes_that_cannot_be_merged_are_the_pods_mistake() {
    let injector = with_template("spec: {containers: [{name: istio-proxy, image: i, env: [{name: A}]}]}");
    let wish = json!({"name": "istio-proxy", "env": [{"value": "x"}]});
    let pod = json!({"spec": {"containers": [{"name": "app"}, wish]}});
    let error = inject(&pod, &context(&injector)).unwrap_err();
    assert!(error.is_in_the_pod());
    assert_eq!(
        error.messages(),
        ["spec.containers[istio-proxy].env: an element has no `name`, by which this list is merged"]
    );
    for wish in [wish, json!({"name": "istio-proxy", "image": 7})] {
        let recorded = json!({"containers": [wish]}).to_string();
        let pod = json!({"metadata": {"annotations": {annotation::OVERRIDES: recorded}}, "spec": {"containers": [{"name": "app"}]}});
        let error = inject(&pod, &context(&injector)).unwrap_err();
        assert!(matches!(error, InjectError::Annotations(_)), "{error}");
    }
}

#[test]
fn annotations_that_injection_makes_too_long_are_refused() {
    let pod = |length| json!({"metadata": {"annotations": {"a": "x".repeat(length)}}, "spec": {"containers": [{"name": "app"}]}});
    let limit = 256 * 1024;
    assert!(inject(&pod(limit - 4096), &context(&default_injector())).is_ok());
    let error = inject(&pod(limit - 100), &context(&default_injector())).unwrap_err();
    assert!(error.to_string().contains("metadata.annotations: come to"), "{error}");
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", Just("istio-proxy".to_owned()), Just("istio-init".to_owned())]
}

fn pod() -> impl Strategy<Value = Value> {
    let containers = || prop::collection::btree_set(name(), 0..5);
    let annotation = prop_oneof![
        Just((annotation::EXCLUDE_INBOUND_PORTS.to_owned(), "9000".to_owned())),
        Just((annotation::STATUS.to_owned(), r#"{"containers":["istio-proxy"],"volumes":null}"#.to_owned())),
        ("[a-z./]{1,12}", ".*"),
    ];
    (containers(), containers(), prop::collection::vec(annotation, 0..4), any::<bool>()).prop_map(
        |(containers, init, annotations, on_host)| {
            let list = |names: std::collections::BTreeSet<String>, kind: &str| -> Vec<Value> {
                let container = |name| json!({"name": name, "image": format!("{kind}/{name}"), "x-unknown": [1]});
                names.into_iter().map(container).collect()
            };
            json!({"metadata": {"annotations": annotations.into_iter().collect::<std::collections::BTreeMap<_, _>>()},
                "spec": {"hostNetwork": on_host, "containers": list(containers, "c"), "initContainers": list(init, "i")}})
        },
    )
}

proptest! {
    #[test]
    fn injecting_twice_equals_injecting_once(pod in pod(), native_sidecars: bool) {
        let native_sidecars = if native_sidecars { Setting::True } else { Setting::False };
        let injector = default_injector().with(|settings| settings.native_sidecars = native_sidecars);
        let context = context(&injector);
        if let Ok(once) = inject(&pod, &context) {
            let twice = inject(&once.pod, &context).unwrap();
            prop_assert_eq!(&twice.pod, &once.pod);
            // Serialised too: equality of mappings does not see the order of keys.
            prop_assert_eq!(twice.pod.to_string(), once.pod.to_string());
        }
    }

    #[test]
    fn odd_json_in_any_place_is_injected_or_refused(place in 0..PLACES.len(), odd in odd_json()) {
        let mut pod = json!({"metadata": {"labels": {}, "annotations": {}}, "spec": {"containers": [{"name": "app"}]}});
        *place_in(&mut pod, PLACES[place]) = odd;
        let injector = default_injector();
        if let Ok(outcome) = inject(&pod, &context(&injector)) {
            prop_assert!(check_pod(&outcome.pod, Mode::Corrected).is_ok());
        }
    }

    #[test]
    fn no_annotation_changes_the_shape_of_the_result(victim in 0..STEERING.len(), hostile in hostile_text()) {
        let with = |value: &str| {
            let annotation = |(index, (name, harmless)): (usize, &(&str, &str))| {
                ((*name).to_owned(), Value::from(if index == victim { value } else { harmless }))
            };
            let annotations: Map<String, Value> = STEERING.iter().enumerate().map(annotation).collect();
            json!({"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "app"}]}})
        };
        let injector = default_injector();
        if let Ok(given) = inject(&with(&hostile), &context(&injector)) {
            let harmless = inject(&with(STEERING[victim].1), &context(&injector)).unwrap();
            prop_assert_eq!(shape(&given.pod), shape(&harmless.pod));
        }
    }
}

/// Annotations that the default template prints, each with a value that harms nobody.
const STEERING: [(&str, &str); 10] = [
    (annotation::DEFAULT_CONTAINER, "app"),
    (annotation::DEFAULT_LOGS_CONTAINER, "app"),
    (annotation::EXCLUDE_INBOUND_PORTS, "80"),
    (annotation::EXCLUDE_OUTBOUND_IP_RANGES, "10.0.0.0/8"),
    (annotation::EXCLUDE_OUTBOUND_PORTS, "80"),
    (annotation::INCLUDE_INBOUND_PORTS, "*"),
    (annotation::INCLUDE_OUTBOUND_IP_RANGES, "*"),
    (annotation::INCLUDE_OUTBOUND_PORTS, "80"),
    (annotation::PROXY_IMAGE, "hub/image"),
    ("unknown.example/annotation", "value"),
];

/// What would break out of a string in YAML, if it were let.
fn hostile_text() -> impl Strategy<Value = String> {
    r#"[ \n\r\t"'\\:{}#,*&!|>%@`0-9a-c\u{7f}\u{85}\u{2028}\u{feff}-]{1,12}"#
}

fn shape(value: &Value) -> Value {
    match value {
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::String(_) => "string".into(),
        other => other.clone(),
    }
}

const PLACES: [&str; 10] = [
    "",
    "/metadata",
    "/metadata/labels",
    "/metadata/annotations",
    "/metadata/annotations/sidecar.istio.io~1status",
    "/spec",
    "/spec/containers",
    "/spec/containers/0",
    "/spec/containers/0/name",
    "/spec/initContainers",
];

fn place_in<'a>(pod: &'a mut Value, place: &str) -> &'a mut Value {
    if pod.pointer(place).is_none() {
        let (parent, key) = place.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = Value::Null;
    }
    pod.pointer_mut(place).unwrap()
}

/// Any JSON, made of the words that a pod is made of.
fn odd_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("name".to_owned()),
        Just("containers".to_owned()),
        Just("istio-proxy".to_owned()),
        Just("env".to_owned()),
        Just(r#"{"containers":["istio-proxy"]}"#.to_owned()),
        ".{0,4}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(words.clone(), inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

#[test]
fn a_field_of_the_users_sidecar_that_is_null_or_empty_is_the_templates() {
    for mode in [Mode::Corrected, Mode::Istio] {
        let injector = default_injector().with(|settings| settings.mode = mode);
        let sidecar = json!({"name": "istio-proxy", "image": "auto", "args": null, "ports": [], "resources": null,
            "securityContext": {"runAsUser": 5, "capabilities": null}});
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}, sidecar]}});
        let pod = inject(&pod, &context(&injector)).unwrap().pod;
        let sidecar = containers::sidecar(&pod).unwrap();
        assert!(sidecar["args"].is_array() && sidecar["resources"]["limits"].is_object(), "{sidecar}");
        assert!(sidecar["ports"].as_array().is_some_and(|ports| !ports.is_empty()), "{sidecar}");
        assert!(sidecar["securityContext"]["capabilities"].is_object(), "{sidecar}");
        assert_eq!(sidecar["securityContext"]["runAsUser"], 5);
    }
}

#[test]
fn a_header_without_a_value_has_an_empty_one() {
    let injector = with_template("spec: {containers: [{name: istio-proxy, image: proxy}]}");
    let action = json!({"port": 80, "path": "/", "httpHeaders": [{"name": "A"}]});
    let metadata = json!({"annotations": {"sidecar.istio.io/rewriteAppHTTPProbers": "true"}});
    let pod =
        json!({"metadata": metadata, "spec": {"containers": [{"name": "app", "livenessProbe": {"httpGet": action}}]}});
    let pod = inject(&pod, &context(&injector)).unwrap().pod;
    let probers = containers::variable(containers::sidecar(&pod).unwrap(), "ISTIO_KUBE_APP_PROBERS").unwrap();
    assert!(probers.contains(r#""httpHeaders":[{"name":"A","value":""}]"#), "{probers}");
}

#[test]
fn a_record_that_brings_the_status_back_is_refused() {
    let undo = json!({"=metadata": {"annotations": {annotation::STATUS: "{}"}}});
    let status = json!({"undo": undo}).to_string();
    let pod =
        json!({"metadata": {"annotations": {annotation::STATUS: status}}, "spec": {"containers": [{"name": "a"}]}});
    let message = &messages(&pod, &default_injector())[0];
    assert!(message.contains(annotation::STATUS) && message.contains("brings itself back"), "{message}");
}

#[test]
fn what_others_add_to_a_container_of_ours_settles_at_once() {
    let injector = default_injector();
    let wish = json!({"name": "istio-init", "image": "auto"});
    let pod = json!({"spec": {"containers": [{"name": "a", "image": "b"}], "initContainers": [wish]}});
    let mut pod = inject(&pod, &context(&injector)).unwrap().pod;
    pod["spec"]["initContainers"][0]["env"] = json!([{"name": "OTHER", "value": "x"}]);
    let second = inject(&pod, &context(&injector)).unwrap().pod;
    let third = inject(&second, &context(&injector)).unwrap().pod;
    assert_eq!(third.to_string(), second.to_string());
    assert_eq!(second["spec"]["initContainers"][0]["env"][0]["name"], "OTHER");
}
