//! `sidecar-injector webhook print` as a person runs it.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;
use std::process::{Command, Output};

use sidecar_test_support::golden;

/// The name of a golden file, and the arguments that print it.
const CASES: [(&str, &[&str]); 6] = [
    ("default", &[]),
    ("revision", &["--revision", "canary", "--namespace", "mesh", "--exclude-namespace", "build"]),
    ("tags", &["--tag", "default", "--tag", "prod"]),
    (
        "url",
        &[
            "--url",
            "https://injector.example:8443",
            "--path-variable",
            "cluster=c1",
            "--path-variable",
            "net=n1",
            "--failure-policy",
            "Ignore",
            "--webhook-timeout",
            "10s",
            "--reinvocation-policy",
            "Never",
        ],
    ),
    (
        "cert-manager",
        &[
            "--ca-bundle",
            "cert-manager",
            "--skip-host-network",
            "--match-condition",
            "not-mirror=!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))",
        ],
    ),
    ("auto", &["--valuesFile", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registration/auto-values.json")]),
];

fn webhook(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.arg("webhook").args(arguments).env_remove("POD_NAMESPACE").output().unwrap()
}

#[test]
fn what_is_printed_is_what_is_wanted() {
    for (name, arguments) in CASES {
        let output = webhook(&[&["print"], arguments].concat());
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/registration/{name}.yaml"));
        golden::check(&path, std::str::from_utf8(&output.stdout).unwrap())
            .unwrap_or_else(|mismatch| panic!("{mismatch}"));
    }
}

#[test]
fn mistakes_are_told_together_and_nothing_is_printed() {
    let output = webhook(&["print", "--tag", "A", "--webhook-timeout", "500ms", "--url", "http://a"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn exit_codes_are_told() {
    let output = webhook(&["diff", "--help"]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("3 diff: apply would change something"));
}
