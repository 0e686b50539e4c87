//! Tests that need a command of the machine: run, skipped with a reason, or, where nothing may be skipped, failed.
#![expect(clippy::disallowed_methods, reason = "the environment variable CI decides whether a skip is a failure")]

use std::env;
use std::os::unix::fs::PermissionsExt;

/// Whether there is this command to start. It is not started: some leave files behind, or wait.
pub fn is_there(command: &str) -> bool {
    let is_program = |metadata: std::fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(command).metadata().is_ok_and(is_program))
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
