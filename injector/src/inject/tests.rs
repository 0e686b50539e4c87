//! One pod in, one pod out.

use super::*;
use crate::config::{Configuration, Source, Sources};
use crate::context::Owner;
use crate::defaults;
use proptest::prelude::*;
use serde_json::json;

fn context(configuration: &Configuration) -> Context<'_> {
    Context { configuration, owner: Owner::default(), namespace: "demo", revision: "", native_sidecars: false }
}

fn default_configuration() -> Configuration {
    Configuration::load(&defaults::sources()).unwrap()
}

fn with_template(text: &str) -> Configuration {
    let config = json!({"policy": "enabled", "templates": {"sidecar": text, "other": "spec: {}"}}).to_string();
    Configuration::load(&Sources {
        config: Source { origin: "config".to_owned(), text: config },
        ..defaults::sources()
    })
    .unwrap()
}

fn messages(pod: &Value, configuration: &Configuration) -> Vec<String> {
    inject(pod, &context(configuration)).unwrap_err().messages()
}

#[test]
fn the_sidecar_comes_last_and_the_users_pod_is_otherwise_untouched() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "x-unknown": 1},
        "spec": {"x-unknown": {"y": [null]}, "containers": [{"name": "app", "x-unknown": true}]}});
    let outcome = inject(&pod, &context(&default_configuration())).unwrap();
    assert_eq!(names(&outcome.pod, "containers"), ["app", "istio-proxy"]);
    assert_eq!(outcome.pod["spec"]["x-unknown"], pod["spec"]["x-unknown"]);
    assert_eq!(outcome.pod["spec"]["containers"][0], pod["spec"]["containers"][0]);
    assert_eq!(outcome.pod["metadata"]["x-unknown"], 1);
    assert_eq!(outcome.templates, ["sidecar"]);
}

#[test]
fn configured_annotations_win_over_the_pods() {
    let mut configuration = default_configuration();
    configuration.config.injected_annotations.insert("team".to_owned(), "mesh".to_owned());
    let pod = json!({"metadata": {"annotations": {"team": "app"}}, "spec": {"containers": [{"name": "app"}]}});
    let outcome = inject(&pod, &context(&configuration)).unwrap();
    assert_eq!(outcome.pod["metadata"]["annotations"]["team"], "mesh");
}

#[test]
fn the_proxy_comes_first_when_the_application_has_to_wait() {
    let mut sources = defaults::sources();
    sources.mesh.text = "defaultConfig: {holdApplicationUntilProxyStarts: true}".to_owned();
    let configuration = Configuration::load(&sources).unwrap();
    let outcome = inject(&json!({"spec": {"containers": [{"name": "app"}]}}), &context(&configuration)).unwrap();
    assert_eq!(names(&outcome.pod, "containers"), ["istio-proxy", "app"]);
}

#[test]
fn a_pod_without_containers_is_refused_by_field() {
    for pod in [json!({"spec": {}}), json!({"spec": {"containers": []}}), json!({"spec": {"containers": null}})] {
        assert!(messages(&pod, &default_configuration())[0].starts_with("spec.containers: is empty"), "{pod}");
    }
    assert_eq!(messages(&json!([]), &default_configuration()), ["spec: is missing"]);
}

#[test]
fn an_unknown_template_is_named_with_those_that_exist() {
    let pod = json!({"metadata": {"annotations": {annotation::TEMPLATES: "gateway"}}, "spec": {"containers": [{"name": "a"}]}});
    let message = &messages(&pod, &default_configuration())[0];
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
    let injected = inject(&pod, &context(&default_configuration())).unwrap().pod;
    let annotations = injected["metadata"]["annotations"].as_object().unwrap();
    assert_eq!(
        annotations[annotation::DEFAULT_CONTAINER],
        pod["metadata"]["annotations"][annotation::DEFAULT_CONTAINER]
    );
    assert_eq!(annotations.len(), 4);
}

#[test]
fn a_job_with_a_sidecar_that_stays_is_warned_about() {
    let configuration = default_configuration();
    let pod = json!({"spec": {"containers": [{"name": "app"}]}});
    let job = Context { owner: Owner { kind: "Job", ..Owner::default() }, ..context(&configuration) };
    assert!(inject(&pod, &job).unwrap().warnings[0].contains("does not complete"));
    assert!(inject(&pod, &Context { native_sidecars: true, ..job }).unwrap().warnings.is_empty());
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
        let configuration = default_configuration();
        let context = Context { native_sidecars, ..context(&configuration) };
        if let Ok(once) = inject(&pod, &context) {
            let twice = inject(&once.pod, &context).unwrap();
            prop_assert_eq!(&twice.pod, &once.pod);
            // Serialised too: equality of mappings does not see the order of keys.
            prop_assert_eq!(twice.pod.to_string(), once.pod.to_string());
        }
    }

    #[test]
    fn arbitrary_json_is_injected_or_refused(text in r#"[{}\[\]":,a-z0-9 ]{0,60}"#) {
        if let Ok(pod) = serde_json::from_str::<Value>(&text) {
            let _ = inject(&pod, &context(&default_configuration()));
        }
    }
}
