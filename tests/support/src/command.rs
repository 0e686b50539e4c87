//! Tests that need a command of the machine: run, skipped with a reason, or, where nothing may be skipped, failed.
#![expect(clippy::disallowed_methods, reason = "the environment variable CI decides whether a skip is a failure")]

use std::env;
use std::process::{Command, Stdio};

/// Whether this command can be started. It is asked for its version, since some wait for a person when asked for nothing.
pub fn is_there(command: &str) -> bool {
    Command::new(command)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Prints why a test is skipped.
///
/// # Panics
/// When the environment variable `CI` is set: there, a skipped test would look like a passed one.
pub fn skip(missing: &str) {
    announce(missing, env::var("CI").is_ok());
}

#[expect(clippy::print_stderr, reason = "the reason for a skip belongs into the test's output")]
fn announce(missing: &str, ci: bool) {
    assert!(!ci, "{missing}; with CI set no test may be skipped");
    eprintln!("skipped: {missing}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_there_or_not() {
        assert!(is_there("true"));
        assert!(!is_there("no-such-command"));
    }

    #[test]
    fn elsewhere_a_test_may_be_skipped() {
        announce("there is no such command", false);
    }

    #[test]
    #[should_panic(expected = "no test may be skipped")]
    fn in_ci_nothing_is_skipped() {
        announce("there is no such command", true);
    }
}
