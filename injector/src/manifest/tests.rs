//! Streams in, streams and reports out.

use super::*;
use crate::config::Configuration;
use crate::decide::Reason;
use crate::defaults;
use crate::mode::Mode;

fn injector() -> Injector {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    Injector::new(configuration)
}

fn injected(text: &str) -> Manifest {
    inject_manifest(text, &injector()).unwrap()
}

fn mistakes(text: &str) -> Vec<String> {
    inject_manifest(text, &injector()).unwrap_err().iter().map(ToString::to_string).collect()
}

const SERVICE: &str = "# what it serves\napiVersion: v1\nkind: Service # kept\nmetadata: {name:   a}\n\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: app\n";
const OPTED_OUT: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: b # out\n  labels: {sidecar.istio.io/inject: \"false\"}\nspec:\n  containers: [{name: app}]\n";

fn with_template(kind: &str, api_version: &str) -> String {
    let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: app}]}}";
    let spec = if kind == "CronJob" { format!("jobTemplate: {{spec: {{{template}}}}}") } else { template.to_owned() };
    format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: x, namespace: demo}}\nspec: {{{spec}}}\n")
}

#[test]
fn documents_that_are_not_injected_stay_byte_for_byte() {
    let stream = format!("{SERVICE}---\n{OPTED_OUT}--- # end\n# nothing here\n");
    let manifest = injected(&stream);
    assert_eq!(manifest.text, stream);
    let report: Vec<_> = manifest.report.iter().map(ToString::to_string).collect();
    assert_eq!(
        report,
        [
            "unchanged Service a: objects of this kind are not injected",
            "skipped Pod b: the label sidecar.istio.io/inject is false"
        ]
    );
}

#[test]
fn an_injected_document_keeps_its_separator_and_head_comment() {
    let manifest = injected(&format!("{SERVICE}---\n# the pod\n{POD}---\n{SERVICE}"));
    let start = format!("{SERVICE}---\n# the pod\napiVersion: v1\nkind: Pod\n");
    assert!(manifest.text.starts_with(&start), "{}", manifest.text);
    assert!(manifest.text.ends_with(&format!("---\n{SERVICE}")), "{}", manifest.text);
    let line = manifest.report[1].to_string();
    assert!(line.starts_with("injected Pod a: the policy is enabled"), "{line}");
    assert!(line.contains("init container istio-init, container istio-proxy from template sidecar"), "{line}");
}

#[test]
fn json_objects_behind_each_other_are_documents() {
    let pod =
        r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}}"#;
    let service = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}}"#;
    let stream = format!("{service}{pod}\n{service}\n{pod}\n");
    let kept = injected(&stream);
    assert_eq!(kept.report.len(), 4);
    assert!(kept.text.starts_with(&format!("{service}{{\"apiVersion\"")), "{}", kept.text);
    assert!(kept.text.contains(&format!("}}\n{service}\n{{")) && !kept.text.contains("---"), "{}", kept.text);
    assert_eq!(uninject_manifest(&kept.text).unwrap().text, stream);

    let canonical = Task::inject(&injector(), Form::Canonical).stream(&stream).unwrap();
    assert!(canonical.text.starts_with(&format!("{service}\n---\napiVersion: v1\n")), "{}", canonical.text);
    assert!(canonical.text.contains(&format!("\n---\n{service}\n---\napiVersion")), "{}", canonical.text);
}

#[test]
fn istio_writes_what_gos_types_hold() {
    let injector = injector().with(|settings| settings.mode = Mode::Istio);
    let pod = POD.to_owned()
        + "    x-unknown: 1\n    tty: false\n    args: null\n  hostPID: false\n  volumes: [{name: v, emptyDir: {sizeLimit: 1024Mi}}]\n";
    let pod = yaml::read_manifest(&inject_manifest(&pod, &injector).unwrap().text).unwrap();
    assert_eq!(pod["spec"]["containers"][0], serde_json::json!({"name": "app", "x-unknown": 1, "resources": {}}));
    assert_eq!(pod["spec"].get("hostPID"), None);
    assert!(pod["spec"]["volumes"].as_array().unwrap().iter().any(|volume| volume["emptyDir"]["sizeLimit"] == "1Gi"));
}

#[test]
fn every_kind_of_workload_is_injected() {
    for (kind, api_version) in [
        ("Deployment", "apps/v1"),
        ("DaemonSet", "apps/v1"),
        ("StatefulSet", "apps/v1"),
        ("ReplicaSet", "apps/v1"),
        ("ReplicationController", "v1"),
        ("Job", "batch/v1"),
        ("CronJob", "batch/v1"),
    ] {
        let manifest = injected(&with_template(kind, api_version));
        let report = manifest.report[0].to_string();
        assert!(report.starts_with(&format!("injected {kind} demo/x")), "{report}");
        assert_eq!(report.contains("warning"), kind.ends_with("Job"), "{report}");
        let again = injected(&manifest.text);
        assert_eq!(again.text, manifest.text, "twice is once for {kind}");
    }
}

#[test]
fn the_items_of_a_list_are_injected_one_by_one() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}]}}\n- {apiVersion: v1, kind: Service, metadata: {name: s}}\n";
    let manifest = injected(list);
    let actions: Vec<_> =
        manifest.report.iter().map(|report| report.to_string().split(':').next().unwrap().to_owned()).collect();
    assert_eq!(actions, ["injected Pod a", "unchanged Service s"]);
    assert!(manifest.text.contains("istio-proxy"));
}

#[test]
fn json_is_yaml_too() {
    let manifest = injected(
        r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}}"#,
    );
    assert!(manifest.text.contains(r#"{"name": "istio-proxy","#), "{}", manifest.text);
    serde_json::from_str::<Value>(&manifest.text).unwrap();
}

#[test]
fn every_mistake_has_a_line_and_a_name() {
    let stream = format!(
        "{POD}---\nkind: Pod\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: none}}\nspec: {{}}\n---\na: [\n---\n- 1\n"
    );
    assert_eq!(
        mistakes(&stream),
        [
            "9: document 2: not a Kubernetes object: apiVersion: is missing",
            "11: document 3: Pod none: spec.containers: is empty; a pod needs at least one container",
            "16: document 4: not YAML: unclosed bracket '['",
            "18: document 5: not a Kubernetes object: the document: is not a mapping"
        ]
    );
}

#[test]
fn a_template_that_was_not_rendered_is_guessed() {
    assert!(mistakes("kind: {{ .Values.kind }}\n")[0].ends_with("; is it a template that is yet to be rendered?"));
}

#[test]
fn mistakes_in_a_workload_have_the_path_from_its_root() {
    let text = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {template: {spec: {containers: []}}}}}\n";
    assert!(
        mistakes(text)[0].contains("spec.jobTemplate.spec.template.spec.containers: is empty"),
        "{:?}",
        mistakes(text)
    );
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1}\n";
    assert_eq!(mistakes(text), ["1: Deployment x: spec.template: is missing, so this Deployment has no pod"]);
}

#[test]
fn a_document_that_has_its_sidecar_already_stays_byte_for_byte() {
    let once = injected(POD).text.replace("name: a\n", "name: a # mine\n");
    let twice = injected(&once);
    assert_eq!(twice.text, once);
    assert_eq!(twice.report[0].to_string(), "unchanged Pod a: it has this very sidecar already");
}

#[test]
fn documents_stay_apart_also_when_one_begins_on_its_separators_line() {
    let pod = "--- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}]}}\n";
    let text = injected(&format!("{SERVICE}{pod}")).text;
    assert_eq!(text.matches("\n--- {apiVersion: v1, kind: Pod").count(), 1, "{text}");
}

#[test]
fn what_a_duplicate_key_loses_is_warned_about() {
    let manifest = injected(&format!("{SERVICE}---\n{POD}spec:\n  containers:\n  - name: other\n"));
    let warning = &manifest.report[1].warnings[0];
    assert!(warning.starts_with("line 14: ") && warning.contains("spec"), "{warning}");
}

#[test]
fn a_kind_that_looks_like_a_workload_is_warned_about() {
    let text = with_template("Rollout", "argoproj.io/v1alpha1");
    let manifest = injected(&text);
    assert_eq!(manifest.text, text);
    assert!(manifest.report[0].warnings[0].contains("argoproj.io/v1alpha1"), "{:?}", manifest.report);
}

#[test]
fn a_list_of_another_group_is_no_list() {
    let text = "apiVersion: example.org/v1\nkind: List\nitems: 7\n";
    assert_eq!(injected(text).text, text);
}

#[test]
fn istio_reads_scalars_as_texts_where_texts_belong() {
    let pod = POD.replace("metadata:\n", "metadata:\n  labels: {version: 1, sidecar.istio.io/inject: false}\n");
    let istio = injector().with(|settings| settings.mode = Mode::Istio);
    let report = inject_manifest(&pod, &istio).unwrap().report;
    assert!(matches!(&report[0].action, Action::Skipped(Reason::Label(false))), "{report:?}");
    assert!(inject_manifest(&pod, &injector()).unwrap_err()[0].message.contains("quote it"));
}

#[test]
fn an_original_comes_back_without_an_end_of_its_last_line() {
    let probe = "livenessProbe:   # in the image\n      httpGet: {port: \"http\"}\n    ports:\n    - {name: http, containerPort: 80}";
    for original in [
        format!("apiVersion: v1\nkind: Pod\nmetadata:   {{}}\nspec:\n  containers:\n  - name: app\n    {probe}"),
        "apiVersion: v1\r\nkind: Pod\r\nmetadata:   {}   # none\r\nspec: {containers: [{name: app}]}".to_owned(),
    ] {
        let injected = injected(&original).text;
        assert!(injected.contains("\n# uninject: ["), "{injected}");
        assert_eq!(uninject_manifest(&injected).unwrap().text, original);
        assert_eq!(inject_manifest(&injected, &injector()).unwrap().text, injected);
    }
}

#[test]
fn items_of_a_list_have_their_own_lines() {
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n- {}- {}",
        POD.replace('\n', "\n  ").trim_end_matches(' '),
        OPTED_OUT.replace('\n', "\n  ").trim_end_matches(' ')
    );
    let manifest = injected(&list);
    let lines: Vec<_> = manifest.report.iter().map(|object| (object.action.name(), object.line)).collect();
    assert_eq!(lines, [("injected", 4), ("skipped", 11)]);
    assert_eq!(uninject_manifest(&manifest.text).unwrap().text, list);
}

#[test]
fn what_is_lost_of_a_text_is_told() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:   # of it\n    # where\n    prometheus.istio.io/port: x\nspec:\n  containers:\n  - name: app\n    livenessProbe:   # alive\n      httpGet: {port: \"http\"}\n";
    let codes =
        |manifest: &Manifest| -> Vec<_> { manifest.report[0].warnings.iter().map(|warning| warning.code).collect() };
    let original = pod.replace("metadata:\n", "metadata:   {}\nx:\n");
    let once = injected(&original);
    assert!(once.text.contains("# uninject: ["), "{}", once.text);
    let both = format!("---\n{}---\n{}", once.text, once.text.replace('\n', "\r\n"));
    let back = uninject_manifest(&both).unwrap().text;
    assert_eq!(back, format!("---\n{original}---\n{}", original.replace('\n', "\r\n")));
    let edited = once.text.replace("metadata:\n", "metadata:  # mine\n");
    let back = uninject_manifest(&edited).unwrap();
    assert_eq!(codes(&back), ["text_not_restored"], "{}", back.text);
    assert!(back.report[0].is_partly_restored() && back.text.contains("# uninject: ["), "{}", back.text);
    let json = injected(
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": { }, \"spec\": {\"containers\": [{\"name\": \"app\"}]}}\n",
    );
    assert!(codes(&json).contains(&"text_not_kept"), "{}", json.text);
}

#[test]
fn a_probe_that_was_left_behind_is_told() {
    let probe = "    livenessProbe:\n      httpGet: {path: /app-health/app/livez, port: 15020}\n";
    let status = "  annotations:\n    sidecar.istio.io/status: '{\"containers\":[\"istio-proxy\"],\"undo\":{\"/spec\":{\"[containers\":{\"-\":[\"istio-proxy\"]}}}}'\n";
    let pod = format!("{}{probe}", POD.replace("spec:", &format!("{status}spec:")));
    let manifest = uninject_manifest(&pod).unwrap();
    assert_eq!(manifest.report[0].warnings[0].code, "probe_left_rewritten", "{manifest:?}");
    assert!(manifest.report[0].is_partly_restored());
}
