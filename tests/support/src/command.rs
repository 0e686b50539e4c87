//! Tests that need a command of the machine: run, skipped with a reason, or, where nothing may be skipped, failed.
#![expect(clippy::disallowed_methods, reason = "the environment variable CI decides whether a skip is a failure")]

use std::env;
use std::process::{Command, Stdio};

/// Whether the test may go on: whether `command` can be started. Without it, it prints why the test is skipped;
/// `package` is the Debian package that has it.
///
/// # Panics
/// Without the command when the environment variable `CI` is set: there, a skipped test would look like a passed one.
#[must_use = "a test that goes on without its command fails in a confusing place"]
pub fn require_command(command: &str, package: &str) -> bool {
    let found = Command::new(command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(&format!("there is no {command} here; the Debian package {package} has one"), env::var("CI").is_ok());
    }
    found
}

#[expect(clippy::print_stderr, reason = "the reason for a skip belongs into the test's output")]
fn skip(missing: &str, ci: bool) {
    assert!(!ci, "{missing}; with CI set no test may be skipped");
    eprintln!("skipped: {missing}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_there_or_not() {
        assert!(require_command("true", "coreutils"));
        skip("no such command", false);
    }

    #[test]
    #[should_panic(expected = "no test may be skipped")]
    fn nothing_is_skipped_in_ci() {
        skip("no such command", true);
    }
}
