//! `sidecar-injector check -f` as a person runs it, and what the flags about the cluster change offline.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::io::Write;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::NamedTempFile;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
      - name: app
        image: registry.example/app:1
";

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    file.as_file().write_all(text.as_bytes()).unwrap();
    file
}

fn run(command: &str, manifest: &str, arguments: &[&str]) -> Output {
    let file = file(manifest);
    let mut program = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    program.args([command, "-f"]).arg(file.path()).args(arguments).env_remove("ENABLE_NATIVE_SIDECARS");
    program.env("LC_ALL", "C.UTF-8").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let output = run("check", DEPLOYMENT, &[&["-o", "json"], arguments].concat());
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", said(&output));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].take()
}

#[test]
fn a_file_is_explained_by_the_labels_that_are_given() {
    let code = |arguments: &[&str]| json(arguments)["decision"]["code"].as_str().unwrap().to_owned();
    assert_eq!(code(&[]), "policy_enabled");
    assert_eq!(code(&["--namespace-labels", "istio-injection=enabled"]), "policy_enabled");
    assert_eq!(code(&["--namespace-labels", ""]), "webhook_namespace_not_labelled");
    assert_eq!(code(&["--namespace-labels", "istio-injection=enabled", "-r", "canary"]), "webhook_no_default_revision");
    assert_eq!(code(&["--namespace-labels", "istio.io/rev=canary", "-r", "canary"]), "policy_enabled");
    assert_eq!(code(&["-n", "kube-system"]), "system_namespace");
    let enabled = ["--namespace-labels", "istio-injection=enabled", "-n", "istio-system"];
    assert_eq!(code(&enabled), "webhook_selectors", "the injector's own namespace is never shown to it");
    let tagged = ["--namespace-labels", "istio.io/rev=prod", "-r", "canary"];
    assert_eq!(code(&tagged), "webhook_other_revision");
    assert_eq!(code(&[&tagged[..], &["--tag", "prod"]].concat()), "policy_enabled");
}

#[test]
fn labels_of_a_namespace_in_the_same_file_hold() {
    let namespace =
        |label: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: demo\n  labels: {{{label}}}\n");
    let stream = |label: &str| {
        format!("{}---\n{}", namespace(label), DEPLOYMENT.replace("name: shop", "name: shop\n  namespace: demo"))
    };
    let labels = ["--namespace-labels", "team=a"];
    let enabled = run("kube-inject", &stream("istio-injection: enabled"), &labels);
    assert!(said(&enabled).contains("injected Deployment demo/shop"), "{}", said(&enabled));
    let silent = run("kube-inject", &stream(""), &labels);
    assert!(said(&silent).contains("skipped Deployment demo/shop: the namespace has neither"), "{}", said(&silent));
    let by_hand = run("kube-inject", &stream(""), &[]);
    assert!(said(&by_hand).contains("injected Deployment demo/shop"), "{}", said(&by_hand));
    let given =
        run("kube-inject", &stream("istio-injection: enabled"), &["--namespace-labels", "istio-injection=disabled"]);
    assert!(said(&given).contains("istio-injection=disabled, where only"), "{}", said(&given));
    let explained = run("check", &stream("istio-injection: enabled"), &[&labels[..], &["-o", "json"]].concat());
    let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(explained[0]["namespaceLabels"], serde_json::json!({"istio-injection": "enabled", "team": "a"}));
}

#[test]
fn who_asks_in_vain_fails_a_strict_run() {
    let pod = |metadata: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n{metadata}spec:\n  containers:\n  - name: app\n    image: a\n"
        )
    };
    let (asks, annotated) =
        ("  labels: {sidecar.istio.io/inject: 'true'}\n", "  annotations: {sidecar.istio.io/inject: 'true'}\n");
    let of_canary = "  labels: {istio.io/rev: canary}\n";
    for (metadata, labels, revision, expected) in [
        (asks, "istio-injection=disabled", "", 4),
        (annotated, "", "", 4),
        (of_canary, "", "", 4),
        ("", "istio.io/rev=canary", "", 4),
        ("", "istio-injection=enabled", "canary", 4),
        ("", "", "", 0),
        ("", "istio-injection=disabled", "", 0),
        ("  labels: {sidecar.istio.io/inject: 'false'}\n", "istio-injection=enabled", "canary", 0),
        ("", "istio-injection=enabled", "", 0),
    ] {
        let output = run("kube-inject", &pod(metadata), &["--strict", "--namespace-labels", labels, "-r", revision]);
        assert_eq!(output.status.code(), Some(expected), "{metadata} {labels} {revision}: {}", said(&output));
        let found = run("check", &pod(metadata), &["--namespace-labels", labels, "-r", revision]);
        assert_eq!(found.status.code(), Some(if expected == 4 { 3 } else { 0 }), "{}", said(&found));
    }
    let on_host = pod(asks).replace("spec:\n", "spec:\n  hostNetwork: true\n");
    let report = run("kube-inject", &on_host, &["--strict"]);
    let text = said(&report);
    assert_eq!((report.status.code(), text.matches("the pod uses the host's network").count()), (Some(4), 1), "{text}");
    assert_eq!(run("check", &on_host, &[]).status.code(), Some(3));
}

#[test]
fn who_has_all_files_needs_no_cluster() {
    let rendered = |name: &str, text: &str| {
        let file = file(text);
        (format!("--{name}"), file)
    };
    let sources = sidecar_injector::defaults::sources();
    let files = [
        rendered("injectConfigFile", &sources.config.text),
        rendered("valuesFile", &sources.values.text),
        rendered("meshConfigFile", &sources.mesh.text),
    ];
    let mut arguments: Vec<&str> = vec!["-i", "mesh", "--kubeconfig", "/nonexistent", "--context", "nowhere"];
    for (flag, file) in &files {
        arguments.extend([flag.as_str(), file.path().to_str().unwrap()]);
    }
    let output = run("kube-inject", DEPLOYMENT, &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let asked = run("kube-inject", DEPLOYMENT, &arguments[..6]);
    assert_eq!(asked.status.code(), Some(1));
}

#[test]
fn the_names_in_json_are_stable() {
    let explanation = json(&["-n", "demo", "--namespace-labels", "istio-injection=enabled"]);
    let keys: Vec<&str> = explanation.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "object",
        "revision",
        "configuration",
        "namespaceLabels",
        "called",
        "webhooks",
        "rules",
        "decision",
        "injection",
        "problems",
        "warnings",
        "running",
    ];
    assert_eq!(keys, expected);
    assert_eq!(explanation["object"]["namespace"], "demo");
}

#[test]
fn what_is_no_terminal_gets_words() {
    let output = run("check", DEPLOYMENT, &["--namespace-labels", "istio-injection=enabled"]);
    let text = said(&output);
    assert!(text.contains("yes namespace.sidecar-injector.istio.io") && text.is_ascii(), "{text}");
}

#[test]
fn exit_codes_say_what_became_of_it() {
    let code = |manifest: &str, arguments: &[&str]| run("check", manifest, arguments).status.code();
    assert_eq!(code(DEPLOYMENT, &[]), Some(0));
    assert_eq!(code(DEPLOYMENT, &["--all"]), Some(2));
    assert_eq!(code(DEPLOYMENT, &["--node-version", "new"]), Some(2));
    assert_eq!(code("kind: [", &[]), Some(1));
    assert_eq!(code("apiVersion: v1\nkind: Service\n", &[]), Some(1));
    let unknown = DEPLOYMENT
        .replace("    spec:\n", "    metadata:\n      annotations: {inject.istio.io/templates: x}\n    spec:\n");
    assert_eq!(code(&unknown, &[]), Some(3));
}

/// Runs without a file.
fn plain(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    program.args(arguments).env_remove("ENABLE_NATIVE_SIDECARS").env_remove("POD_NAMESPACE").output().unwrap()
}

#[test]
fn what_cannot_be_meant_is_wrong_usage() {
    for arguments in [
        &["check", "-f", "a.yaml", "--compat", "istio"][..],
        &["check", "-A", "pod/web"],
        &["check", "-A", "-n", "demo"],
        &["check", "-A", "-f", "a.yaml"],
        &["check", "-R", "pod/web"],
        &["check", "pod/web", "-n", "a/../b"],
        &["check", "--all", "-n", "x?limit=1"],
        &["check", "pod/web", "-i", "a/b"],
        &["check", "deployment.batch/web"],
        &["kube-inject", "-f", "a.yaml", "-n", "a/../b"],
        &["kube-inject", "-f", "a.yaml", "--injectConfigMapName", "a/b"],
        &["webhook", "diff", "--namespace", "a/../b"],
    ] {
        let output = plain(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
    }
    let help = said(&plain(&["check", "--help"]));
    assert!(!help.contains("--compat"), "{help}");
}

#[test]
fn several_files_and_directories_are_explained_and_all_mistakes_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        file(text).persist(&path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    std::fs::create_dir(folder.path().join("d")).unwrap();
    let one = write("one.yaml", DEPLOYMENT);
    write("d/two.yaml", &DEPLOYMENT.replace("shop", "two"));
    let directory = folder.path().to_str().unwrap();
    let names = |arguments: &[&str]| {
        let output = plain(&[&["check", "-o", "json"], arguments].concat());
        let explained: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let names = explained.as_array().into_iter().flatten();
        names.map(|explained| explained["object"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["-f", directory]), ["shop"]);
    assert_eq!(names(&["-R", "-f", directory]), ["two", "shop"]);
    assert_eq!(names(&["-f", &one, "-f", &format!("{directory}/d")]), ["shop", "two"]);
    let (bad, worse) = (write("bad.yaml", "kind: ["), write("worse.yaml", "a: b: c"));
    let text = said(&plain(&["check", "-f", &bad, "-f", &one, "-f", &worse, "-f", "nowhere.yaml"]));
    assert!(["bad.yaml:1", "worse.yaml:1", "nowhere.yaml"].iter().all(|name| text.contains(name)), "{text}");
}

#[test]
fn a_cluster_that_cannot_be_asked_is_named() {
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
        clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n\
        contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n";
    let kubeconfig = file(kubeconfig);
    let text = said(&plain(&["check", "pod/web", "--kubeconfig", kubeconfig.path().to_str().unwrap()]));
    assert!(text.contains("the API server at http://127.0.0.1:1/ cannot be reached: "), "{text}");
    assert_eq!(text.matches("onnection refused").count(), 1, "{text}");
    let text = said(&plain(&["check", "pod/web", "--kubeconfig", "/nowhere"]));
    assert_eq!(text.matches("No such file").count(), 1, "{text}");
}

#[test]
fn the_version_of_the_nodes_decides_about_native_sidecars() {
    let lists = |version: &str| {
        let injection = json(&["--node-version", version])["injection"].take();
        injection["initContainers"].as_array().unwrap().contains(&"istio-proxy".into())
    };
    assert!(lists("v1.33.1") && !lists("v1.30.0"));
}

#[test]
fn kube_inject_decides_as_the_cluster_would() {
    let report = |arguments: &[&str]| said(&run("kube-inject", DEPLOYMENT, arguments));
    let disabled = report(&["--namespace-labels", "istio-injection=disabled"]);
    assert!(disabled.contains("skipped Deployment shop: the namespace has the label"), "{disabled}");
    let restricted = "istio-injection=enabled,pod-security.kubernetes.io/enforce=restricted";
    let report_of_restricted = report(&["--namespace-labels", restricted]);
    assert!(report_of_restricted.contains("Pod Security level restricted"), "{report_of_restricted}");
    let of_istio = report(&["--namespace-labels", "istio-injection=disabled", "--compat", "istio"]);
    assert!(of_istio.contains("injected Deployment shop"), "{of_istio}");
    let system = report(&["-n", "kube-system"]);
    assert!(system.contains("the namespace kube-system is never injected"), "{system}");
}
