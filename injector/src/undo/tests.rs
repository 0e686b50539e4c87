//! Injections are undone exactly, and no more than them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

use crate::arbitrary::{any_object, pod};
use crate::config::Configuration;
use crate::context::Injector;
use crate::decide::NO_VARIABLES;
use crate::owner::owner_of_pod;
use crate::{defaults, inject};

mod foreign;

/// The record, having been through its text.
fn recorded(original: &Value, injected: &Value) -> Undo {
    let undo = record(original, injected);
    let read: Undo = undo.to_string().parse().unwrap();
    assert_eq!(read, undo);
    read
}

/// `pod` without the injection that made `injected` of `original`, as text.
fn undone(original: &Value, injected: &Value, pod: &Value) -> String {
    let mut pod = pod.clone();
    recorded(original, injected).apply(&mut pod).unwrap();
    pod.to_string()
}

fn original() -> Value {
    json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "livenessProbe": {"httpGet": {"port": 8080}}}]}})
}

fn injected() -> Value {
    json!({"metadata": {"labels": {"app": "web", "istio.io/rev": "default"}, "annotations": {"sidecar.istio.io/status": "…"}},
        "spec": {"containers": [{"name": "istio-proxy"}, {"name": "web", "livenessProbe": {"httpGet": {"port": 15020}}}]}})
}

fn insert(list: &mut Value, index: usize, element: Value) {
    list.as_array_mut().unwrap().insert(index, element);
}

#[test]
fn a_record_reads_as_documented() {
    assert_eq!(
        record(&original(), &injected()).to_string(),
        concat!(
            r#"{"/metadata":{"/labels":{"-":["istio.io/rev"]},"/annotations":{"?":"absent","-":["sidecar.istio.io/status"]}},"#,
            r#""/spec":{"[containers":{"-":["istio-proxy"],"/web":{"/livenessProbe":{"/httpGet":{"=port":8080}}}}}}"#
        )
    );
    assert_eq!(undone(&original(), &injected(), &injected()), original().to_string());
    assert!(record(&original(), &original()).is_empty());
    assert_eq!(record(&original(), &original()).to_string(), "{}");
    assert!(record(&json!([1]), &json!({})).is_empty());
}

#[test]
fn what_was_removed_and_reordered_has_a_place() {
    let before = json!({"a": 1, "b": null, "c": {}, "d": [], "e": 5, "f": 6});
    let after = json!({"e": 5, "a": 1, "c": {}, "new": {"x": {}}, "d": null});
    let undo = record(&before, &after).to_string();
    assert_eq!(undo, r#"{"+b":null,"+d":[],"+f":6,">b":"a",">e":"d","/new":{"?":"absent","/x":{"?":"absent"}}}"#);
    assert_eq!(undone(&before, &after, &after), before.to_string());
}

#[test]
fn the_record_of_an_ordinary_injection_is_short() {
    let mut pod = original();
    pod["spec"]["serviceAccountName"] = "web".into();
    let mut after = pod.clone();
    let metadata = &mut after["metadata"];
    for label in ["security.istio.io/tlsMode", "service.istio.io/canonical-name", "service.istio.io/canonical-revision"]
    {
        metadata["labels"][label] = "a value".into();
    }
    let annotations = ["istio.io/rev", "kubectl.kubernetes.io/default-container", "sidecar.istio.io/status"];
    for annotation in annotations.into_iter().chain(["kubectl.kubernetes.io/default-logs-container"]) {
        metadata["annotations"][annotation] = "a value".into();
    }
    insert(&mut after["spec"]["containers"], 0, json!({"name": "istio-proxy", "env": [{"name": "A", "value": "b"}]}));
    after["spec"]["initContainers"] = json!([{"name": "istio-init"}]);
    after["spec"]["volumes"] = [
        "workload-socket",
        "credential-socket",
        "workload-certs",
        "istio-envoy",
        "istio-data",
        "istio-podinfo",
        "istio-token",
        "istiod-ca-cert",
        "istio-ca-crl",
    ]
    .map(|name| json!({"name": name, "emptyDir": {}}))
    .to_vec()
    .into();
    let text = record(&pod, &after).to_string();
    assert!(text.len() < 650, "{} bytes: {text}", text.len());
    assert_eq!(undone(&pod, &after, &after), pod.to_string());
}

#[test]
fn an_injection_by_default_templates_is_undone() {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    let injector = Injector::new(configuration);
    let mut pod = original();
    pod["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080}]);
    let after = inject::inject(&pod, &injector.context(owner_of_pod(&pod), injector.namespace("demo"), &NO_VARIABLES))
        .unwrap()
        .pod;
    assert_eq!(undone(&pod, &after, &after), pod.to_string());
    let text = record(&pod, &after).to_string();
    assert!(text.len() < 1000, "{} bytes: {text}", text.len());
}

#[test]
fn what_others_added_stays_in_its_place() {
    let mut pod = injected();
    pod["metadata"]["annotations"]["mine"] = "1".into();
    pod["metadata"]["finalizers"] = json!(["mine"]);
    insert(&mut pod["spec"]["containers"], 1, json!({"name": "mine"}));
    insert(&mut pod["spec"]["containers"], 3, json!({"nameless": true}));
    pod["spec"]["containers"][2]["env"] = json!([{"name": "MINE"}]);
    pod["spec"]["containers"][2]["livenessProbe"]["httpGet"]["path"] = "/mine".into();
    let expected = json!({
        "metadata": {"labels": {"app": "web"}, "annotations": {"mine": "1"}, "finalizers": ["mine"]},
        "spec": {"containers": [
            {"name": "mine"},
            {"name": "web", "livenessProbe": {"httpGet": {"port": 8080, "path": "/mine"}}, "env": [{"name": "MINE"}]},
            {"nameless": true}]}});
    assert_eq!(undone(&original(), &injected(), &pod), expected.to_string());
}

#[test]
fn what_others_put_where_injection_took_away_is_joined_with_the_original() {
    let before = json!({"metadata": {"labels": {"a": "1", "b": "2"}},
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w"}]}});
    let after = json!({"metadata": {"labels": null}, "spec": {}});
    let pod = json!({"metadata": {"labels": {"mine": "3", "b": "4"}},
        "spec": {"volumes": [{"name": "mine"}, {"name": "v", "emptyDir": null}]}});
    let expected = json!({"metadata": {"labels": {"a": "1", "b": "2", "mine": "3"}},
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "w"}, {"name": "mine"}]}});
    assert_eq!(undone(&before, &after, &pod), expected.to_string());
    let null = json!({"metadata": null});
    let mine = json!({"metadata": {"labels": {"mine": "3"}}});
    assert_eq!(undone(&null, &json!({}), &mine), mine.to_string());
}

#[test]
fn what_others_removed_is_no_error() {
    let empty = json!({"spec": {"containers": []}});
    assert_eq!(undone(&original(), &injected(), &empty), empty.to_string());
    assert_eq!(undone(&original(), &injected(), &json!({})), "{}");
    let nulls = json!({"metadata": {"labels": null, "annotations": null}, "spec": null});
    assert_eq!(undone(&original(), &injected(), &nulls), r#"{"metadata":{"labels":null},"spec":null}"#);
    let reordered = json!({"x": 1, "z": 2});
    assert_eq!(
        undone(&json!({"z": 2, "y": 0, "x": 1}), &json!({"x": 1, "z": 2, "y": 0}), &reordered),
        r#"{"x":1,"z":2}"#
    );
    // The other port 53 may be anyone's; one of them was injected.
    let ports = |ports: Value| json!({"spec": {"containers": [{"name": "web", "ports": ports}]}});
    let both = ports(json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]));
    assert_eq!(
        undone(&ports(json!([])), &ports(json!([{"containerPort": 53}])), &both),
        ports(json!([{"containerPort": 53, "protocol": "UDP"}])).to_string()
    );
}

#[test]
fn a_record_of_another_pod_changes_nothing() {
    let undo = recorded(&original(), &injected());
    let mut others = vec![
        (json!({"metadata": {"labels": []}}), "metadata.labels: is not a mapping"),
        (json!({"metadata": 1}), "metadata: is not a mapping"),
        (
            json!({"metadata": {"labels": {"istio.io/rev": 1}}, "spec": {"containers": {}}}),
            "spec.containers: is not a list",
        ),
        (json!([]), ": the pod is not an object"),
    ];
    let mut probe = injected();
    probe["spec"]["containers"][1]["livenessProbe"]["httpGet"] = "x".into();
    others.push((probe, "spec.containers[web].livenessProbe.httpGet: is not a mapping"));
    for (other, problem) in others {
        let mut pod = other.clone();
        let error = undo.apply(&mut pod).unwrap_err().to_string();
        assert_eq!(error, format!("{problem}; the record of the injection is of another pod"));
        assert_eq!(pod, other);
    }
    let circle: Undo = r#"{">a":"b",">b":"a"}"#.parse().unwrap();
    assert!(circle.apply(&mut json!({"a": 1, "b": 2})).is_err());
    let list: Undo = r#"{"[spec":{"-":["a"]}}"#.parse().unwrap();
    assert!(list.apply(&mut json!({"spec": [{"name": "a"}]})).is_err());
}

#[test]
fn a_text_that_is_no_record_is_an_error() {
    let deep = "{\"/a\":".repeat(40) + "{}" + &"}".repeat(40);
    let deeper = "[".repeat(100_000);
    let long = format!("{{\"=a\":\"{}\"}}", "x".repeat(300_000));
    let unfit = [
        "",
        "null",
        "[]",
        "{",
        "{} {}",
        r#"{"?":"absent"}"#,
        r#"{"/a":{"?":1}}"#,
        r#"{"-":{}}"#,
        r#"{"-":[1]}"#,
        r#"{"/a":[]}"#,
        r#"{"[a":null}"#,
        r#"{">a":1}"#,
        r#"{"a":1}"#,
        r#"{"":1}"#,
        r#"{"-a":[]}"#,
    ];
    for text in unfit.into_iter().chain([deep.as_str(), &deeper, &long]) {
        let error = text.parse::<Undo>().unwrap_err().to_string();
        assert!(error.starts_with("the record of the injection cannot be read: "), "{error}");
        assert!(error.len() < 200, "{error}");
    }
}

#[test]
fn deep_and_long_pods_are_undone() {
    let nested = |depth: usize, end: Value| (0..depth).fold(end, |inside, _| json!({"a": inside}));
    for depth in [1, 31, 32, 33, 126] {
        let (before, after) = (nested(depth, json!({"x": 1})), nested(depth, json!({"y": 1, "x": 2})));
        assert_eq!(undone(&before, &after, &after), before.to_string(), "{depth}");
        assert_eq!(
            undone(&nested(depth, Value::Null), &after, &after),
            nested(depth, Value::Null).to_string(),
            "{depth}"
        );
    }
    let volumes = |ids: &mut dyn Iterator<Item = usize>| json!({"spec": {"volumes": ids.map(|id| json!({"name": id.to_string()})).collect::<Vec<_>>()}});
    let (before, after) =
        (volumes(&mut (0..5000)), volumes(&mut (0..5000).map(|id| id * 7919 % 5000).filter(|id| id % 5 > 0)));
    assert_eq!(undone(&before, &after, &after), before.to_string());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_change_is_undone(before in any_object(), after in any_object()) {
        prop_assert_eq!(undone(&before, &after, &after), before.to_string());
    }

    #[test]
    fn any_change_of_a_pod_is_undone(before in pod(), after in pod()) {
        prop_assert_eq!(undone(&before, &after, &after), before.to_string());
        prop_assert!(record(&before, &before).is_empty());
    }

    #[test]
    fn a_record_of_another_pod_never_panics(before in pod(), after in pod(), other in prop_oneof![pod(), any_object()]) {
        let mut changed = other.clone();
        if recorded(&before, &after).apply(&mut changed).is_err() {
            prop_assert_eq!(changed.to_string(), other.to_string());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\{(\"[-+=>/\\[?a]{0,2}\":(\\{\\}|\\[\\]|null|\"a\"),?){0,4}\\}") {
        if let Ok(undo) = text.parse::<Undo>() {
            drop(undo.apply(&mut json!({"a": {"a": 1}, "": [], "-": {}})));
        }
    }
}
