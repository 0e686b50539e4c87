//! The documents say what the program does.

#![expect(clippy::disallowed_methods, reason = "a test of files reads files")]

use std::fs;
use std::path::Path;

use sidecar_injector::decide::Reason;
use sidecar_injector::explain::State;
use sidecar_injector::warnings;

#[test]
fn every_reason_is_explained() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let text = fs::read_to_string(path).unwrap();
    let missing: Vec<_> = Reason::all_codes().filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/compatibility.md does not explain {missing:?}");
}

#[test]
fn every_warning_and_state_is_explained() {
    let text = include_str!("../../docs/compatibility.md");
    let causes = [
        "created_before_configuration",
        "created_before_label",
        "created_before_webhook",
        "created_with_other_settings",
        "injection_fails",
        "labelled_later",
        "removed_by_another_webhook",
        "static_pod",
        "webhook_condition",
        "webhook_failed",
        "webhook_not_called",
    ];
    let states = State::ALL.map(State::code);
    let codes = warnings::CODES.iter().chain(&states).chain(&causes);
    let missing: Vec<_> = codes.filter(|code| !text.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/compatibility.md does not explain {missing:?}");
}
