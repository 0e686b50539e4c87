//! The pods of a stream, by themselves.

use serde_json::Value;

use super::{ManifestError, check_object, describe, documents};
use crate::mode::Mode;
use crate::workload::{WorkloadKind, metadata_text};
use crate::yaml;

/// A pod, and the object that carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct PodOf {
    /// The object, as `Deployment demo/httpbin`.
    pub object: String,
    /// Its namespace; empty when it does not say.
    pub namespace: String,
    /// The object itself.
    pub root: Value,
    /// The pod, or what its controller makes it of.
    pub pod: Value,
}

/// The pods and workloads among the documents and the items of `List`s. Other objects are passed over.
///
/// # Errors
/// All documents that are not YAML or not Kubernetes objects, and workloads without a pod.
pub fn pods_in(text: &str, mode: Mode) -> Result<Vec<PodOf>, Vec<ManifestError>> {
    let (mut pods, mut errors) = (Vec::new(), Vec::new());
    for document in documents(text).into_iter().filter(|document| !document.is_empty()) {
        let mut mistake = |line, object: String, message| errors.push(ManifestError { line, object, message });
        let object = match yaml::read_manifest(document.text) {
            Ok(object) => object,
            Err(error) => {
                let line = document.line + error.line.map_or(0, |line| line - 1);
                mistake(line, String::new(), format!("not YAML: {error}"));
                continue;
            }
        };
        let objects = match object.get("items").and_then(Value::as_array) {
            Some(items) => items.clone(),
            None => vec![object],
        };
        for root in objects {
            if let Err(error) = check_object(&root) {
                mistake(document.first_line(), String::new(), format!("not a Kubernetes object: {error}"));
                continue;
            }
            let Some(workload) = WorkloadKind::of(&root, mode) else { continue };
            let (object, namespace) = (describe(&root), metadata_text(&root, "namespace").to_owned());
            let pod = workload.pod(&root, mode).map(std::borrow::Cow::into_owned);
            match pod {
                Ok(pod) => pods.push(PodOf { object, namespace, root, pod }),
                Err(error) => mistake(document.first_line(), object, error.to_string()),
            }
        }
    }
    if errors.is_empty() { Ok(pods) } else { Err(errors) }
}
