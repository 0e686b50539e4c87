//! Where Istio's own cases are: used, skipped with a reason, or, where nothing may be skipped, failed.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of one kind of cases, such as `iptables`, in `SIDECAR_CONFORMANCE`, or else in `shared/conformance` beside
/// the repository. Where there is none it prints why the test is skipped.
///
/// # Panics
/// Without the folder when the environment variable `CI` is set: there, a skipped test would look like a passed one.
#[must_use = "a test that goes on without its cases tests nothing"]
pub fn folder(kind: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance");
    let folder = env::var_os("SIDECAR_CONFORMANCE").map_or(beside, PathBuf::from).join(kind);
    if !folder.is_dir() {
        skip(&format!("no conformance data in {}; SIDECAR_CONFORMANCE names another folder", folder.display()));
        return None;
    }
    Some(folder)
}

#[expect(clippy::print_stderr, reason = "the reason for a skip belongs into the test's output")]
fn skip(missing: &str) {
    assert!(env::var_os("CI").is_none(), "{missing}; with CI set no test may be skipped");
    eprintln!("skipped: {missing}");
}
