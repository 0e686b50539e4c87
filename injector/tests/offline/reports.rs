//! What is said on standard error.

use serde_json::Value;
use sidecar_test_support::command::{is_there, skip};

use crate::{Folder, OUT, POD, SERVICE};

#[test]
fn a_report_in_json_is_an_object_a_line() {
    let folder = Folder::of(&[("a.yaml", &format!("# first\n{POD}---\n{OUT}")), ("b.yaml", SERVICE)]);
    let ran = folder.kube_inject(&["-f", ".", "--report", "json", "--dry-run"]);
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let numbers = (line["line"].as_u64().unwrap(), line["document"].as_u64().unwrap());
        (text("file"), numbers, text("object"), text("action"), text("reason"))
    };
    let of = |file: &str, numbers, object: &str, action: &str, reason: &str| {
        (file.to_owned(), numbers, object.to_owned(), action.to_owned(), reason.to_owned())
    };
    let expected = [
        of("./a.yaml", (2, 1), "Pod a", "injected", "policy_enabled"),
        of("./a.yaml", (10, 2), "Pod out", "skipped", "label_false"),
        of("./b.yaml", (1, 1), "Service s", "unchanged", "not_a_workload"),
    ];
    assert_eq!(lines.iter().map(said).collect::<Vec<_>>(), expected);
    assert_eq!(lines[0]["containers"], serde_json::json!(["istio-proxy"]));
    assert_eq!(lines[2]["warnings"], serde_json::json!([]));
}

#[test]
fn mistakes_are_in_the_report_too() {
    let folder = Folder::of(&[("a.yaml", &format!("{SERVICE}---\na: [\n"))]);
    let ran = folder.kube_inject(&["-f", "a.yaml", "none.yaml", "--report", "json"]);
    let lines: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((ran.code, lines.len()), (1, 2), "{}", ran.stderr);
    assert!(lines[0]["message"].as_str().unwrap().starts_with("none.yaml: cannot be opened"));
    assert_eq!((&lines[1]["line"], &lines[1]["document"]), (&5.into(), &2.into()));
    assert!(lines.iter().all(|line| line["action"] == "failed"));
}

#[test]
fn nothing_is_reported_when_nothing_is_wanted_but_mistakes() {
    let folder = Folder::of(&[("a.yaml", POD), ("bad.yaml", "a: [\n")]);
    assert_eq!(folder.kube_inject(&["-f", "a.yaml", "--report", "none"]).exits(0, &[]).stderr, "");
    folder.kube_inject(&["-f", "bad.yaml", "--report", "none"]).exits(1, &["bad.yaml:1: not YAML"]);
}

#[test]
fn each_line_says_which_file_it_is_of_and_what_is_done_to_it() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", SERVICE)]);
    folder.kube_inject(&["-f", "a.yaml"]).exits(0, &["a.yaml: injected Pod a: "]);
    for flag in ["--check", "--dry-run", "--diff"] {
        let ran = folder.kube_inject(&["-f", "a.yaml", flag]);
        assert!(ran.stderr.starts_with("a.yaml: would inject Pod a: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("; adding init container"), "{}", ran.stderr);
    }
    let ran = folder.kube_inject(&["-f", ".", "--check", "--report", "changes"]);
    assert_eq!(ran.exits(3, &["./a.yaml: would inject Pod a", "\nwould change ./a.yaml\n"]).stderr.lines().count(), 2);
    let host = POD.replace("spec:\n", "spec:\n  hostNetwork: true\n");
    let folder = Folder::of(&[("host.yaml", &host), ("a.yaml", POD)]);
    let ran = folder.kube_inject(&["-f", ".", "--strict", "--report", "changes"]);
    ran.exits(
        4,
        &["./a.yaml: would inject Pod a", "./host.yaml: warning Pod a", "error: ./host.yaml:1: Pod a: was to"],
    );
    folder.kube_inject(&["-f", "a.yaml", "--in-place"]).exits(0, &[]);
    folder.uninject(&["-f", "a.yaml", "--check"]).exits(3, &["a.yaml: would uninject Pod a", "would change a.yaml"]);
}

#[test]
fn what_is_no_object_is_left_when_only_objects_are_wanted() {
    let values = "replicas:   1\n";
    let folder = Folder::of(&[("a.yaml", POD), ("values.yaml", values), ("half.yaml", "kind: Pod\n")]);
    folder.kube_inject(&["-f", "values.yaml"]).exits(1, &["values.yaml:1: not a Kubernetes object", "--objects-only"]);
    let ran = folder.kube_inject(&["-f", "values.yaml", "--objects-only", "--report", "json"]);
    assert_eq!(ran.exits(0, &["\"unchanged\"", "\"not_an_object\""]).stdout, values);
    folder.kube_inject(&["-f", ".", "--objects-only", "--check"]).exits(1, &["half.yaml:1: not a Kubernetes object"]);
    let json = folder.kube_inject(&["-f", "values.yaml", "a.yaml", "--objects-only", "-o", "json"]);
    assert!(json.exits(0, &[]).stdout.starts_with("{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"Pod\""));
}

#[test]
fn taking_back_is_reported_the_same_way() {
    let folder = Folder::of(&[("a.yaml", POD), ("b.yaml", SERVICE)]);
    folder.kube_inject(&["-f", "a.yaml", "--in-place"]).exits(0, &[]);
    let ran = folder.uninject(&["-f", ".", "--report", "json"]);
    let actions: Vec<Value> =
        ran.stderr.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["action"].clone()).collect();
    assert_eq!(actions, ["uninjected", "unchanged"]);
    assert_eq!(ran.stdout, format!("{POD}---\n{SERVICE}"));
}

#[test]
fn a_terminal_sees_colours_and_how_far_things_are() {
    if !is_there("script") {
        return skip("there is no command script (Debian's bsdutils) here");
    }
    let files: Vec<(String, String)> = (0..400).map(|number| (format!("{number}.yaml"), POD.to_owned())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let folder = Folder::of(&files);
    let on_a_terminal = |arguments: &str| {
        let program = format!("'{}' kube-inject {arguments}", env!("CARGO_BIN_EXE_sidecar-injector"));
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &program, "/dev/null"]).current_dir(folder.path()).env_remove("NO_COLOR");
        String::from_utf8(script.output().unwrap().stdout).unwrap()
    };
    let said = on_a_terminal("-f . --check");
    assert!(said.contains("of 400 files, ") && said.contains("./7.yaml: would inject Pod a"), "{said}");
    assert!(on_a_terminal("-f 1.yaml --diff --report=none").contains("\u{1b}[32m+"));
}
