//! The documents of a manifest as values.

use serde_json::Value;
use sidecar_injector::yaml::read_manifest;

/// What each document says that says something.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    let documents = yamledit::documents(text).map(|document| read_manifest(document.text).unwrap());
    documents.filter(|object| !object.is_null()).collect()
}
