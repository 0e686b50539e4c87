//! The annotation `sidecar.istio.io/status`: what an injection added, in Istio's format.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sidecar_contract::annotation;

use crate::annotations::LONGEST_IN_ALL;
use crate::containers;
use crate::undo::Undo;
use crate::workload::{metadata_map, names};

/// Names of what the templates contributed, whether it was new in the pod or not; `null` where there is nothing.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
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
    /// From what the injection is undone; not written by Istio, whose readers pass over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Fingerprint of the containers and volumes as the templates made them, by which later additions are seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
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
            undo: None,
            digest: None,
        }
    }

    /// Names of the elements of one of the lists of containers, or of the volumes.
    pub(crate) fn names_in(&self, list: &str) -> impl Iterator<Item = &str> {
        let names = match list {
            containers::INIT => &self.init_containers,
            containers::REGULAR => &self.containers,
            _ => &self.volumes,
        };
        names.iter().flatten().map(String::as_str)
    }

    /// The status that an earlier injection left on `pod`; `None` without one, or when it cannot be read.
    pub fn on(pod: &Value) -> Option<Self> {
        Self::read(pod)?.ok()
    }

    /// The status that an earlier injection left on `pod`, or why it cannot be read; `None` without one.
    pub fn read(pod: &Value) -> Option<Result<Self, String>> {
        let text = metadata_map(pod, "annotations").get(annotation::STATUS)?.as_str()?;
        if text.len() > LONGEST_IN_ALL {
            return Some(Err(format!("it is {} bytes long, the limit is {LONGEST_IN_ALL}", text.len())));
        }
        // By way of a mapping: a list of the same values would be read as a struct too.
        let status = serde_json::from_str::<Map<String, Value>>(text)
            .and_then(|fields| serde_json::from_value(Value::Object(fields)));
        Some(status.map_err(|error| error.to_string()))
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
    fn a_status_that_cannot_be_read_is_no_status() {
        for status in ["", "[]", "{\"containers\": 1}", "null"] {
            let pod = json!({"metadata": {"annotations": {annotation::STATUS: status}}, "spec": {"containers": [{"name": "a"}]}});
            assert_eq!(Status::on(&pod), None, "{status}");
        }
    }
}
