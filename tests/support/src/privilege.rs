//! Tests that need root: run, skipped with a reason, or, where nothing may be skipped, failed.
#![expect(clippy::disallowed_methods, reason = "the environment variable CI decides whether a skip is a failure")]

use std::env;

/// Whether the test may go on. Without root it prints why it is skipped, so write
/// `if !require_root("what needs it") { return; }`.
///
/// # Panics
/// Without root when the environment variable `CI` is set: there, a skipped test would look like a passed one.
#[must_use = "a test that goes on without root fails in a confusing place"]
pub fn require_root(reason: &str) -> bool {
    match verdict(nix::unistd::geteuid().is_root(), env::var("CI").is_ok()) {
        Verdict::Run => true,
        Verdict::Skip => {
            announce(reason);
            false
        }
        Verdict::Fail => refuse(reason),
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Run,
    Skip,
    Fail,
}

fn verdict(root: bool, ci: bool) -> Verdict {
    match (root, ci) {
        (true, _) => Verdict::Run,
        (false, false) => Verdict::Skip,
        (false, true) => Verdict::Fail,
    }
}

#[expect(clippy::print_stderr, reason = "the reason for a skip belongs into the test's output")]
fn announce(reason: &str) {
    eprintln!("skipped: needs root ({reason}); run it with `sudo -E ./tests/run`");
}

#[expect(clippy::panic, reason = "this is how a test fails")]
fn refuse(reason: &str) -> ! {
    panic!("needs root ({reason}), and with CI set no test may be skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_runs_and_a_user_skips_except_in_ci() {
        assert_eq!(verdict(true, true), Verdict::Run);
        assert_eq!(verdict(true, false), Verdict::Run);
        assert_eq!(verdict(false, false), Verdict::Skip);
        assert_eq!(verdict(false, true), Verdict::Fail);
    }

    #[test]
    #[should_panic(expected = "no test may be skipped")]
    fn a_refusal_fails_the_test() {
        refuse("it makes network namespaces");
    }
}
