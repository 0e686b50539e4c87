//! Places of a pod that take text, and the shape of what comes of it.

use serde_json::{Value, json};

use super::annotations::ANNOTATIONS;
use super::choices::Choices;

/// A place in which a pod has text of its owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// The value of an annotation, and values that do no harm in it.
    Annotation(&'static str, &'static [&'static str]),
    /// The value of an entry of `proxyMetadata`.
    ProxyMetadata,
    /// A JSON pointer.
    Field(&'static str),
}

const FIELDS: [&str; 13] = [
    "/metadata/labels/app",
    "/metadata/labels/app.kubernetes.io~1version",
    "/metadata/labels/service.istio.io~1canonical-name",
    "/metadata/labels/service.istio.io~1workload-name",
    "/metadata/labels/topology.istio.io~1network",
    "/metadata/name",
    "/metadata/generateName",
    "/metadata/ownerReferences/0/name",
    "/metadata/ownerReferences/0/kind",
    "/spec/serviceAccountName",
    "/spec/containers/0/name",
    "/spec/containers/0/ports/0/name",
    "/spec/containers/0/livenessProbe/httpGet/path",
];

impl Place {
    pub(crate) fn any(choices: &mut Choices<'_>) -> Self {
        match choices.below(4) {
            0 | 1 => {
                let (name, good, _) = choices.pick(&ANNOTATIONS);
                Self::Annotation(name, good)
            }
            2 => Self::Field(choices.pick(&FIELDS)),
            _ => Self::ProxyMetadata,
        }
    }

    /// Texts that are nothing but themselves there.
    pub(crate) fn harmless(self) -> Vec<&'static str> {
        match self {
            // 80 is the port of the pod's probe, which then counts as one that goes to the sidecar.
            Self::Annotation(_, good) => [good, &["web", "", "1", "80"]].concat(),
            Self::ProxyMetadata | Self::Field(_) => vec!["web", "", "1"],
        }
    }

    /// What an error about it has to name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Annotation(name, _) => name,
            Self::ProxyMetadata => "proxy.istio.io/config",
            Self::Field(path) => path.rsplit(['/', '1']).find(|part| !part.is_empty()).unwrap_or_default(),
        }
    }

    /// A pod with `text` in this place.
    pub(crate) fn pod(self, text: &str) -> Value {
        let labels = json!({"app": "a", "app.kubernetes.io/version": "a", "service.istio.io/canonical-name": "a",
            "service.istio.io/workload-name": "a", "topology.istio.io/network": "a"});
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1", "controller": true});
        let container = json!({"name": "a", "image": "a", "ports": [{"name": "a", "containerPort": 80}],
            "livenessProbe": {"httpGet": {"path": "/", "port": 80}}});
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "generateName": "a", "labels": labels, "ownerReferences": [owner], "annotations": {}},
            "spec": {"serviceAccountName": "a", "containers": [container]}});
        match self {
            Self::Annotation(name, _) => pod["metadata"]["annotations"][name] = text.into(),
            Self::ProxyMetadata => {
                let config = json!({"proxyMetadata": {"KEY": text}}).to_string();
                pod["metadata"]["annotations"]["proxy.istio.io/config"] = config.into();
            }
            Self::Field(path) => *pod.pointer_mut(path).unwrap() = text.into(),
        }
        pod
    }
}

/// `value` without the contents of its scalars.
pub(crate) fn shape(value: &Value) -> Value {
    match value {
        // An amount may leave no room for the default of its counterpart.
        Value::Object(entries) => entries
            .iter()
            .filter(|(key, _)| *key != "limits" && *key != "requests")
            .map(|(key, value)| (key.clone(), shape(value)))
            .collect(),
        Value::Array(elements) => elements.iter().map(shape).collect(),
        Value::String(_) => "".into(),
        Value::Number(_) => 0.into(),
        Value::Bool(_) => false.into(),
        Value::Null => Value::Null,
    }
}
