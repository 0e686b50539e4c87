//! The documents say what the program does.

#![expect(clippy::disallowed_methods, reason = "a test of files reads files")]

use std::fs;
use std::path::Path;

use sidecar_injector::decide::Reason;

#[test]
fn every_reason_is_explained() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let text = fs::read_to_string(path).unwrap();
    let missing: Vec<_> = Reason::all_codes().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/compatibility.md does not explain {missing:?}");
}
