//! Files, directories, pipes and standard input.

use std::io::Write;
use std::process::Stdio;

use crate::{Folder, OUT, POD, SERVICE};

#[test]
fn several_files_are_one_stream() {
    let folder =
        Folder::of(&[("b.yaml", SERVICE), ("a.yaml", OUT.trim_end()), ("c.yaml", "--- # c\n"), ("d.yaml", SERVICE)]);
    let ran = folder.kube_inject(&["-f", "b.yaml", "a.yaml", "-f", "c.yaml", "d.yaml"]);
    ran.exits(0, &["b.yaml: unchanged Service s: ", "a.yaml: skipped Pod out: the label"]);
    assert_eq!(ran.stdout, format!("{SERVICE}---\n{OUT}--- # c\n---\n{SERVICE}"));
}

#[test]
fn one_file_is_what_it_was() {
    let text = format!("\u{feff}# é\r\n{}", SERVICE.replace('\n', "\r\n"));
    let folder = Folder::of(&[("a.yaml", &text)]);
    assert_eq!(folder.kube_inject(&["-f", "a.yaml"]).stdout, text);
}

#[test]
fn a_directory_stands_for_its_manifests() {
    let folder = Folder::of(&[("d/2.yml", SERVICE), ("d/1.yaml", POD), ("d/e/3.json", "{}"), ("d/notes.txt", "[")]);
    let ran = folder.kube_inject(&["-f", "d"]);
    ran.exits(0, &["d/1.yaml: injected Pod a", "d/2.yml: unchanged Service s"]);
    assert!(ran.stdout.ends_with(&format!("---\n{SERVICE}")));
    folder.kube_inject(&["-R", "-f", "d"]).exits(1, &["d/e/3.json:1: not a Kubernetes object: apiVersion: is missing"]);
}

#[test]
fn standard_input_may_stand_between_files() {
    let folder = Folder::of(&[("a.yaml", SERVICE)]);
    let mut command = folder.command("kube-inject", &["-f", "a.yaml", "-", "a.yaml"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(OUT.as_bytes()).unwrap();
    let ran = crate::Ran::from(child.wait_with_output().unwrap());
    ran.exits(0, &["standard input: skipped Pod out"]);
    assert_eq!(ran.stdout, format!("{SERVICE}---\n{OUT}"), "what is named twice is read once");
}

#[test]
fn what_cannot_be_read_is_told_for_all() {
    let folder = Folder::of(&[("bad.yaml", "a: [\n"), ("worse.yaml", "kind: Pod\n---\nb: }\n"), ("empty/x.txt", "")]);
    let ran = folder.kube_inject(&["-f", "none.yaml", "bad.yaml", "worse.yaml", "empty", "http://example.org/a"]);
    ran.exits(
        1,
        &[
            "none.yaml: cannot be opened: No such file",
            "bad.yaml:1: not YAML",
            "worse.yaml:1: document 1: not a Kubernetes object",
            "worse.yaml:3: document 2: not YAML",
            "empty: has nothing to read",
            "http://example.org/a: is not fetched: over http",
        ],
    );
    assert_eq!(ran.stdout, "");
}

#[test]
fn every_place_of_a_mistake_is_counted_in_its_stream() {
    let many = format!("{SERVICE}---\n").repeat(30_000);
    let folder = Folder::of(&[("many.yaml", &format!("{many}a: [\n"))]);
    folder.kube_inject(&["-f", "many.yaml"]).exits(1, &["many.yaml:120001: document 30001: not YAML"]);
}

#[test]
fn a_list_may_have_thousands_of_objects() {
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}",
        "- {apiVersion: v1, kind: Service, metadata: {name: a-service-of-many}}   # kept\n".repeat(30_000)
    );
    let folder = Folder::of(&[("list.yaml", &list)]);
    let ran = folder.kube_inject(&["-f", "list.yaml", "--report", "none"]);
    assert_eq!((ran.exits(0, &[]).stdout.len(), ran.stderr.as_str()), (list.len(), ""));
}
