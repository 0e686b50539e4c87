//! Where results go, and what is not written.

use serde_json::Value;
use sidecar_injector::yaml::read_manifest;

use crate::{Folder, OUT, POD, SERVICE};

#[test]
fn nothing_is_written_unless_all_goes_well() {
    let folder = Folder::of(&[("good.yaml", POD), ("bad.yaml", &format!("{POD}---\na: [\n"))]);
    let ran = folder.kube_inject(&["-f", ".", "--in-place"]);
    ran.exits(1, &["error: ./bad.yaml:9: document 2: not YAML"]);
    assert_eq!(folder.text("good.yaml"), POD);
    folder.kube_inject(&["-f", ".", "-o", "out.yaml"]).exits(1, &["bad.yaml:9"]);
    assert!(!folder.path().join("out.yaml").exists());
}

#[test]
fn going_on_writes_what_is_in_order() {
    let folder = Folder::of(&[("good.yaml", POD), ("bad.yaml", &format!("{SERVICE}---\na: [\n---\n{SERVICE}"))]);
    let ran = folder.kube_inject(&["-f", "bad.yaml", "--keep-going"]);
    ran.exits(1, &["bad.yaml:5: document 2: not YAML", "unchanged Service s"]);
    assert_eq!(ran.stdout, format!("{SERVICE}---\n{SERVICE}"));
    folder.kube_inject(&["-f", ".", "--in-place", "--keep-going"]).exits(1, &["bad.yaml:5"]);
    assert!(folder.text("good.yaml").contains("istio-proxy"));
    assert!(folder.text("bad.yaml").contains("a: [\n"));
}

#[test]
fn a_check_exits_with_3_and_writes_nothing() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", SERVICE)]);
    let ran = folder.kube_inject(&["-f", "a.yaml", "--check", "--in-place"]);
    assert_eq!((ran.exits(3, &["would inject Pod a"]).stdout.as_str(), folder.text("a.yaml").as_str()), ("", POD));
    folder.kube_inject(&["-f", "b.yaml", "--check"]).exits(0, &[]);
    folder.uninject(&["-f", "a.yaml", "--check"]).exits(0, &[]);
    let ran = folder.kube_inject(&["-f", "a.yaml", "--check", "--diff"]);
    assert!(ran.exits(3, &[]).stdout.starts_with("--- a/a.yaml\n+++ b/a.yaml\n@@ -"));
}

#[test]
fn strict_exits_with_4_for_what_was_to_be_injected() {
    let host = POD.replace("spec:\n", "spec:\n  hostNetwork: true\n");
    let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: r}\nspec: {template: {spec: {containers: [{name: app}]}}}\n";
    let auto = OUT.replace("- name: app", "- name: istio-proxy\n    image: auto");
    let folder =
        Folder::of(&[("host.yaml", &host), ("rollout.yaml", rollout), ("auto.yaml", &auto), ("out.yaml", OUT)]);
    for name in ["host.yaml", "rollout.yaml", "auto.yaml"] {
        let ran = folder.kube_inject(&["-f", name, "out.yaml", "--strict", "--check"]);
        assert_eq!(ran.exits(4, &[name, "was to have a sidecar, and gets none"]).stdout, "");
        folder.kube_inject(&["-f", name]).exits(0, &["warning"]);
    }
    assert_eq!(folder.kube_inject(&["-f", "out.yaml", "--strict"]).exits(0, &[]).stdout, OUT);
}

#[test]
fn strict_uninjection_exits_with_4_for_what_is_guessed() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", POD)]);
    folder.kube_inject(&["-f", "a.yaml", "--in-place"]).exits(0, &[]);
    folder.kube_inject(&["-f", "b.yaml", "-o", "b.yaml", "--compat", "istio"]).exits(0, &[]);
    folder.uninject(&["-f", "a.yaml", "--strict", "--dry-run"]).exits(0, &[]);
    let expected = "b.yaml:1: Pod a: may not be what it was before Istio injected it (--strict)";
    assert_eq!(folder.uninject(&["-f", ".", "--strict"]).exits(4, &[expected]).stdout, "");
    assert!(!folder.uninject(&["-f", ".", "--strict", "--keep-going"]).exits(4, &[]).stdout.contains("istio-proxy"));
}

#[test]
fn a_dry_run_only_says_what_it_would_do() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", SERVICE)]);
    let ran = folder.kube_inject(&["-f", ".", "--dry-run", "--in-place"]);
    ran.exits(0, &["./a.yaml: would inject Pod a", "would change ./a.yaml"]);
    assert!(!ran.stderr.contains("would change ./b.yaml"));
    assert_eq!((ran.stdout.as_str(), folder.text("a.yaml").as_str()), ("", POD));
}

#[test]
fn json_is_one_object_or_a_list() {
    let list = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Service, metadata: {name: l}}]\n";
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", SERVICE), ("c.yaml", list), ("d.yaml", "# nothing\n")]);
    let json = |arguments: &[&str]| serde_json::from_str::<Value>(&folder.kube_inject(arguments).stdout).unwrap();
    assert_eq!(json(&["-f", "a.yaml", "d.yaml", "-o", "json"])["spec"]["containers"][1]["name"], "istio-proxy");
    let all = json(&["-f", ".", "-o", "json"]);
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|item| &item["metadata"]["name"]).collect();
    assert_eq!((all["kind"].as_str().unwrap(), names), ("List", ["a", "s", "l"].map(Value::from).iter().collect()));
    assert_eq!(folder.kube_inject(&["-f", "d.yaml", "-o", "json"]).stdout, "");
}

#[test]
fn yaml_and_patches_are_printed_on_demand() {
    let json = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "j"}}"#;
    let folder = Folder::of(&[("a.yaml", POD), ("b.json", json)]);
    let yaml = folder.kube_inject(&["-f", "b.json", "-o", "yaml"]).stdout;
    assert_eq!(yaml, "apiVersion: v1\nkind: Service\nmetadata:\n  name: j\n");
    assert_eq!(folder.kube_inject(&["-f", "b.json"]).stdout, json);
    let patches = folder.kube_inject(&["-f", ".", "-o", "patch"]).stdout;
    assert_eq!(patches.lines().count(), 1);
    let patch: Value = serde_json::from_str(&patches).unwrap();
    assert_eq!((&patch["kind"], &patch["metadata"]["name"]), (&"Pod".into(), &"a".into()));
    let read = |text: &str| read_manifest(text).unwrap();
    let (mut pod, injected) = (read(POD), read(&folder.kube_inject(&["-f", "a.yaml"]).stdout));
    let patch: json_patch::Patch = serde_json::from_value(patch["patch"].clone()).unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();
    assert_eq!(pod, injected);
}

#[test]
fn a_file_may_be_named_json() {
    let folder = Folder::of(&[("a.yaml", SERVICE)]);
    assert_eq!(folder.kube_inject(&["-f", "a.yaml", "-o", "./json"]).exits(0, &[]).stdout, "");
    assert_eq!(folder.text("json"), SERVICE);
}

#[test]
fn what_does_not_go_together_is_wrong_usage() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    for arguments in [
        &["-f", "a.yaml", "-o", "b.yaml", "--in-place"][..],
        &["-f", "a.yaml", "-o", "b.yaml", "--diff"],
        &["-f", "-", "--in-place"],
        &["-f", "/dev/zero", "--in-place"],
        &["-f", "a.yaml", "-o", "./a.yaml", "--keep-going"],
        &["-f", "https://example.org/a.yaml", "--in-place"],
        &["-f"],
        &["-f", "a.yaml", "--report", "xml"],
    ] {
        folder.kube_inject(arguments).exits(2, &["error: "]);
    }
    assert_eq!(folder.text("a.yaml"), POD);
}

#[test]
fn the_canonical_form_is_written_on_demand() {
    let folder = Folder::of(&[("a.yaml", POD)]);
    let kept = folder.kube_inject(&["-f", "a.yaml"]).stdout;
    let canonical = folder.kube_inject(&["-f", "a.yaml", "--format", "canonical"]).stdout;
    assert!(kept.contains("name: a # mine") && !canonical.contains("# mine"));
    let istio = folder.kube_inject(&["-f", "a.yaml", "--compat", "istio"]).stdout;
    assert!(!istio.contains("# mine"), "{istio}");
}
