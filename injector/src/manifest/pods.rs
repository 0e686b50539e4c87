//! The pods of a stream, by themselves.

use serde_json::Value;

use super::objects::describe;
use super::reading::read_objects;
use crate::mode::Mode;
use crate::workload::{WorkloadKind, metadata_text};

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

/// The pods and workloads in `text`, and those among the items of `List`s. Other objects are passed over.
///
/// # Errors
/// All documents that are not YAML or not Kubernetes objects; or all workloads without a pod.
pub fn pods_in(text: &str, mode: Mode) -> Result<Vec<PodOf>, Vec<String>> {
    let objects = read_objects(text).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let (mut pods, mut errors) = (Vec::new(), Vec::new());
    for root in objects {
        let Some(workload) = WorkloadKind::of(&root, mode) else { continue };
        let (object, namespace) = (describe(&root), metadata_text(&root, "namespace").to_owned());
        let pod = workload.pod(&root, mode).map(std::borrow::Cow::into_owned);
        match pod {
            Ok(pod) => pods.push(PodOf { object, namespace, root, pod }),
            Err(error) => errors.push(format!(" {object}: {error}")),
        }
    }
    if errors.is_empty() { Ok(pods) } else { Err(errors) }
}
