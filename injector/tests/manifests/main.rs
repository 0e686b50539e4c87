//! Manifests, images and templates say what the code says: names, ports, arguments, permissions, metrics.
#![expect(clippy::disallowed_methods, reason = "the manifests are files")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod availability;
mod cluster;
mod images;
#[path = "../common/kubectl.rs"]
mod kubectl;
mod names;
mod observability;
mod permissions;
mod probes;
mod rendered;
#[path = "../common/running.rs"]
#[expect(dead_code, reason = "other tests end it, and ask its webhook")]
mod running;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap()
}

fn yaml(path: &str) -> Value {
    sidecar_injector::yaml::read_config(&text(path)).unwrap()
}
