//! `config lint` and `config render` as a person runs them: what they print is in files beside the input.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod lint;
mod render;

use std::path::Path;
use std::process::{Command, Output};

use sidecar_test_support::golden;

/// Runs the program in the folder of the cases, so that the files have the same names everywhere.
fn run(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .args(["config"].into_iter().chain(arguments.split_whitespace()))
        .current_dir(cases())
        .output()
        .unwrap()
}

fn cases() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/cases")
}

#[test]
fn every_golden_file_is_one_of_a_test() {
    let tests = [include_str!("lint.rs"), include_str!("render.rs")].concat();
    for entry in std::fs::read_dir(cases()).unwrap() {
        let path = entry.unwrap().path();
        let (name, file) = (path.file_stem().unwrap().to_string_lossy(), path.file_name().unwrap().to_string_lossy());
        let wanted = if path.extension().is_some_and(|extension| extension == "golden") { &name } else { &file };
        assert!(tests.contains(&**wanted), "{file} is of no test");
    }
}

/// Both outputs and the exit code, compared with the golden file `name`.
fn check(name: &str, arguments: &str) {
    let Output { status, stdout, stderr } = run(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let shown = format!(
        "$ sidecar-injector config {arguments}\n{}--- standard error\n{}--- exit code {}\n",
        text(stdout),
        text(stderr),
        status.code().unwrap()
    );
    assert!(!shown.contains("panicked"), "{shown}");
    golden::check(&cases().join(format!("{name}.golden")), &shown).unwrap();
}
