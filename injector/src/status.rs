//! The annotation `sidecar.istio.io/status`: what an injection added, in Istio's format.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sidecar_contract::annotation;

use crate::workload::{metadata_map, names};

/// Names of what the templates contributed, whether it was new in the pod or not; `null` where there is nothing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// Init containers.
    pub init_containers: Option<Vec<String>>,
    /// Containers.
    pub containers: Option<Vec<String>>,
    /// Volumes.
    pub volumes: Option<Vec<String>>,
    /// Image pull secrets.
    pub image_pull_secrets: Option<Vec<String>>,
    /// Revision of the injector.
    pub revision: String,
}

impl Status {
    /// The status of an injection that merged `fragment`, the union of all templates, into a pod.
    pub fn of(fragment: &Value, revision: &str) -> Self {
        let list = |list: &str| {
            let names: Vec<String> = names(fragment, list).into_iter().map(str::to_owned).collect();
            (!names.is_empty()).then_some(names)
        };
        Self {
            init_containers: list("initContainers"),
            containers: list("containers"),
            volumes: list("volumes"),
            image_pull_secrets: list("imagePullSecrets"),
            revision: revision.to_owned(),
        }
    }

    /// The status that an earlier injection left on `pod`; `None` without one, or when it cannot be read.
    pub fn on(pod: &Value) -> Option<Self> {
        let text = metadata_map(pod, "annotations").get(annotation::STATUS)?.as_str()?;
        // By way of a mapping: a list of the same values would be read as a struct too.
        let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        serde_json::from_value(Value::Object(fields)).ok()
    }

    /// `pod` as it would look without the containers of an earlier injection: what templates get to see.
    pub fn stripped(pod: &Value) -> Value {
        let mut pod = pod.clone();
        let Some(status) = Self::on(&pod) else { return pod };
        for (list, added) in [("containers", status.containers), ("initContainers", status.init_containers)] {
            let added = added.unwrap_or_default();
            if let Some(elements) = pod.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut) {
                elements.retain(|element| !added.iter().any(|name| element["name"] == name.as_str()));
            }
        }
        if let Some(annotations) = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.shift_remove(annotation::STATUS);
        }
        pod
    }

    /// The annotation's value.
    pub fn to_annotation(&self) -> String {
        // A struct of strings and lists of strings always has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_annotation_has_istios_form() {
        let fragment = json!({"spec": {"initContainers": [{"name": "istio-init"}], "volumes": [{"name": "v"}]}});
        let status = Status::of(&fragment, "default");
        assert_eq!(
            status.to_annotation(),
            r#"{"initContainers":["istio-init"],"containers":null,"volumes":["v"],"imagePullSecrets":null,"revision":"default"}"#
        );
    }

    #[test]
    fn templates_see_the_pod_without_an_earlier_injection() {
        let status =
            r#"{"containers":["istio-proxy"],"initContainers":["istio-init"],"revision":"default","version":"x"}"#;
        let pod = json!({"metadata": {"annotations": {annotation::STATUS: status, "mine": "1"}},
            "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy"}], "initContainers": [{"name": "istio-init"}]}});
        let expected = json!({"metadata": {"annotations": {"mine": "1"}},
            "spec": {"containers": [{"name": "app"}], "initContainers": []}});
        assert_eq!(Status::stripped(&pod), expected);
    }

    #[test]
    fn a_status_that_cannot_be_read_is_no_status() {
        for status in ["", "[]", "{\"containers\": 1}", "null"] {
            let pod = json!({"metadata": {"annotations": {annotation::STATUS: status}}, "spec": {"containers": [{"name": "a"}]}});
            assert_eq!(Status::stripped(&pod), pod, "{status}");
        }
    }
}
