//! Reading objects out of a stream in which nothing is to be changed.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use yamledit::{Document, documents};

use crate::manifest::objects::{check_object, is_list};
use crate::manifest::report::ManifestError;
use crate::workload::{metadata_map, metadata_text};
use crate::yaml::{self, YamlError};

/// Annotations of the Namespace objects in `text`, by name: documents, and the items of a `List`. Other objects are passed
/// over.
///
/// # Errors
/// When a document is not YAML.
pub fn read_namespaces(text: &str) -> Result<BTreeMap<String, Map<String, Value>>, String> {
    let mut namespaces = BTreeMap::new();
    for document in documents(text) {
        let object = yaml::read_manifest(document.text).map_err(|error| format!("not YAML: {error}"))?;
        let items = object.get("items").and_then(Value::as_array).map_or(std::slice::from_ref(&object), Vec::as_slice);
        for namespace in items.iter().filter(|item| item["kind"] == "Namespace") {
            let name = metadata_text(namespace, "name").to_owned();
            namespaces.insert(name, metadata_map(namespace, "annotations").clone());
        }
    }
    Ok(namespaces)
}

/// The Namespace objects in these documents, and among the items of a `List`. What cannot be read has none: it is for
/// others to say so.
pub(super) fn namespaces_in(documents: &[Document<'_>]) -> Vec<Value> {
    const KIND: &str = "Namespace";
    let may_have =
        documents.iter().filter(|document| memchr::memmem::find(document.text.as_bytes(), KIND.as_bytes()).is_some());
    let mut found = Vec::new();
    for mut object in may_have.filter_map(|document| yaml::read_manifest(document.text).ok()) {
        match object.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => found.extend(items.into_iter().filter(|item| item["kind"] == KIND)),
            _ if object["kind"] == KIND => found.push(object),
            _ => {}
        }
    }
    found
}

/// The objects in `text`, and the items of each `List` in their place.
///
/// # Errors
/// When a document is not YAML, or not a Kubernetes object: all of them.
pub fn read_objects(text: &str) -> Result<Vec<Value>, Vec<ManifestError>> {
    let (mut objects, mut errors, mut count) = (Vec::new(), Vec::new(), 0);
    for (document, number) in documents(text).zip(1..) {
        count = number;
        if document.is_empty() {
            continue;
        }
        match yaml::read_manifest(document.text) {
            Ok(mut list) if is_list(&list) => {
                if let Value::Array(items) = list["items"].take() {
                    objects.extend(items);
                }
            }
            Ok(object) => match check_object(&object) {
                Ok(()) => objects.push(object),
                Err(error) => errors.push(ManifestError {
                    line: document.first_line(),
                    document: Some(number),
                    object: String::new(),
                    message: format!("not a Kubernetes object: {error}"),
                }),
            },
            Err(error) => errors.push(not_yaml(&document, number, &error)),
        }
    }
    if errors.is_empty() { Ok(objects) } else { Err(ManifestError::of_stream(errors, count)) }
}

/// The mistake in a document that is not YAML, in lines of its stream.
pub(super) fn not_yaml(document: &Document<'_>, number: usize, error: &YamlError) -> ManifestError {
    // The parser counts from the document's own first line.
    let line = document.line + error.line.map_or(0, |line| line - 1);
    let hint = if document.text.contains("{{") { "; is it a template that is yet to be rendered?" } else { "" };
    ManifestError { line, document: Some(number), object: String::new(), message: format!("not YAML: {error}{hint}") }
}
