//! `sidecar-injector kube-inject` as a person runs it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::disallowed_methods, reason = "a test of files makes and reads files")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: app\n";

fn kube_inject(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidecar-injector")).arg("kube-inject").args(args).output().unwrap()
}

fn kube_inject_from_stdin(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .args(["kube-inject", "-f", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn write(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Runs that must fail with exit code 1, write nothing on standard output, and say all of `expected`.
fn assert_fails(output: &Output, expected: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert_eq!(stdout(output), "");
    for text in expected {
        assert!(stderr(output).contains(text), "no `{text}` in: {}", stderr(output));
    }
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
}

#[test]
fn the_sample_is_injected_and_reported() {
    let output = kube_inject(&["-f", concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/httpbin.yaml")]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("- name: istio-proxy") && stdout(&output).contains("- name: istio-init"));
    assert!(stderr(&output).contains("injected Deployment httpbin: the policy is enabled"), "{}", stderr(&output));
    assert!(stderr(&output).contains("unchanged Service httpbin"), "{}", stderr(&output));
}

#[test]
fn standard_input_works_like_a_file_and_twice_is_once() {
    let once = kube_inject_from_stdin(&[], POD.as_bytes());
    assert!(once.status.success(), "{}", stderr(&once));
    let twice = kube_inject_from_stdin(&[], &once.stdout);
    assert_eq!(stdout(&twice), stdout(&once));
}

#[test]
fn a_file_can_be_injected_onto_itself() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(&directory, "pod.yaml", POD);
    let output = kube_inject(&["-f", text(&file), "-o", text(&file)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    assert!(fs::read_to_string(&file).unwrap().contains("istio-proxy"));
}

#[test]
fn a_failure_leaves_the_output_file_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (good, bad) = (write(&directory, "good.yaml", POD), write(&directory, "out.yaml", "precious\n"));
    let stream = write(&directory, "stream.yaml", &format!("{POD}---\nkind: [\n"));
    assert_fails(&kube_inject(&["-f", text(&stream), "-o", text(&bad)]), &["stream.yaml:9: document 2: not YAML"]);
    assert_eq!(fs::read_to_string(&bad).unwrap(), "precious\n");
    let nowhere = directory.path().join("missing/out.yaml");
    assert_fails(&kube_inject(&["-f", text(&good), "-o", text(&nowhere)]), &["missing/out.yaml: "]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn every_mistake_in_the_manifest_is_named_by_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let no_containers = "apiVersion: v1\nkind: Pod\nmetadata: {name: empty}\nspec: {}\n";
    let unknown = POD.replace("  name: a", "  name: u\n  annotations: {inject.istio.io/templates: gateway}");
    let bad_annotation = POD.replace("  name: a", "  name: b\n  annotations: {sidecar.istio.io/proxyCPU: lots}");
    let all = ["just text\n", "a: 1\n", no_containers, &unknown, &bad_annotation, "x: 'unfinished\n"].join("---\n");
    let file = write(&directory, "all.yaml", &all);
    assert_fails(
        &kube_inject(&["-f", text(&file)]),
        &[
            "all.yaml:1: document 1: not a Kubernetes object: the document: is not a mapping",
            "all.yaml:3: document 2: not a Kubernetes object: apiVersion: is missing",
            "all.yaml:5: document 3: Pod empty: spec.containers: is empty",
            "all.yaml:10: document 4: Pod u: annotation 'inject.istio.io/templates': there is no template 'gateway'",
            "all.yaml:19: document 5: Pod b: invalid value 'lots' for annotation 'sidecar.istio.io/proxyCPU'",
            "not YAML",
        ],
    );
}

#[test]
fn input_that_cannot_be_read_is_named() {
    assert_fails(&kube_inject(&["-f", "/nonexistent.yaml"]), &["/nonexistent.yaml: cannot be opened", "No such file"]);
    assert_fails(&kube_inject(&["-f", "/proc/self"]), &["/proc/self: has nothing to read"]);
    assert_fails(&kube_inject_from_stdin(&[], b"\xff\xfea\x00"), &["standard input:1: document 1: is UTF-16"]);
    assert_fails(&kube_inject_from_stdin(&[], b"a: \xff\x00"), &["standard input:1: not UTF-8"]);
}

#[test]
fn empty_input_is_empty_output() {
    let output = kube_inject_from_stdin(&[], b"# nothing\n");
    assert!(output.status.success());
    assert_eq!((stdout(&output), stderr(&output)), ("# nothing\n", ""));
}

#[test]
fn configuration_values_and_mesh_come_from_files() {
    let directory = tempfile::tempdir().unwrap();
    let template = "spec: {containers: [{name: extra, image: '{{ .Values.image }}:{{ .MeshConfig.TrustDomain }}'}]}";
    let config = write(&directory, "config.yaml", &format!("policy: enabled\ntemplates:\n  sidecar: \"{template}\"\n"));
    let values = write(&directory, "values.json", r#"{"image": "custom"}"#);
    let mesh = write(&directory, "mesh.yaml", "trustDomain: example.org\n");
    let (config, values, mesh) = (text(&config), text(&values), text(&mesh));
    let args = ["--injectConfigFile", config, "--valuesFile", values, "--meshConfigFile", mesh, "-r", "canary"];
    let output = kube_inject_from_stdin(&args, POD.as_bytes());
    assert!(
        stdout(&output).contains("image: \"custom:example.org\"")
            || stdout(&output).contains("image: custom:example.org")
    );
    assert!(stdout(&output).contains(r#""revision":"canary""#), "{}", stdout(&output));
}

#[test]
fn every_mistake_in_the_configuration_is_named_by_file() {
    let directory = tempfile::tempdir().unwrap();
    let config = write(&directory, "config.yaml", "policy: enabled\npolicy: disabled\n");
    let values = write(&directory, "values.json", "{\n\"a\": }");
    let output = kube_inject_from_stdin(&["--injectConfigFile", text(&config), "--valuesFile", text(&values)], b"");
    assert_fails(&output, &["config.yaml:2: ", "values.json:2: "]);
    let output = kube_inject_from_stdin(&["--injectConfigFile", "/none", "--meshConfigFile", "/neither"], b"");
    assert_fails(&output, &["/none: ", "/neither: "]);
}

#[test]
fn the_policy_of_the_configuration_is_honoured() {
    let directory = tempfile::tempdir().unwrap();
    let config = write(&directory, "config.yaml", "policy: disabled\ntemplates: {sidecar: 'spec: {}'}\n");
    let output = kube_inject_from_stdin(&["--injectConfigFile", text(&config)], POD.as_bytes());
    assert_eq!(stdout(&output), POD);
    assert!(stderr(&output).contains("skipped Pod a: the policy is disabled"), "{}", stderr(&output));
}

#[test]
fn native_sidecars_are_a_switch() {
    for (flag, expected) in
        [("--nativeSidecars", true), ("--nativeSidecars=true", true), ("--nativeSidecars=false", false)]
    {
        let output = kube_inject_from_stdin(&[flag], POD.as_bytes());
        assert_eq!(stdout(&output).contains("restartPolicy: Always"), expected, "{flag}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let directory = tempfile::tempdir().unwrap();
    let file = write(&directory, "last-line.json", r#"{"apiVersion": "v1", "kind": "Service"}"#);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .args(["kube-inject", "-f", text(&file)])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_fails(&output, &["standard output: No space left"]);
}

#[test]
fn a_dash_is_standard_output_too() {
    let output = kube_inject_from_stdin(&["-o", "-"], POD.as_bytes());
    assert!(stdout(&output).contains("istio-proxy"), "{}", stderr(&output));
}

#[test]
fn nothing_in_a_file_can_write_to_the_terminal() {
    let output = kube_inject_from_stdin(&[], b"apiVersion: v1\nkind: Service\nmetadata: {name: \"a\\e[2Jb\"}\n");
    assert!(stderr(&output).contains("unchanged Service a?[2Jb"), "{}", stderr(&output));
    let two = POD.replace("- name: app", "- name: \"\\e[2Jx\"\n  - name: \"\\e[2Jx\"");
    let output = kube_inject_from_stdin(&[], two.as_bytes());
    assert_fails(&output, &["two containers are named"]);
    assert!(!stderr(&output).contains('\u{1b}'));
}

#[test]
fn a_revision_is_a_label_value() {
    for revision in ["a b", "-a", "a\nb", &"x".repeat(64)] {
        assert_eq!(kube_inject_from_stdin(&["-r", revision], b"").status.code(), Some(2), "{revision:?}");
    }
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    assert_eq!(kube_inject(&[]).status.code(), Some(2));
    assert_eq!(kube_inject(&["-f", "x", "--no-such-flag"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .args(["kube-inject", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(format!("{POD}---\n").repeat(100).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}
