//! `config lint` and `config render` as a person runs them: what they print is in files beside the input.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]
#![expect(clippy::disallowed_methods, reason = "runs the program, and reads the files of its cases")]

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
