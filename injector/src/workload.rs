//! Which Kubernetes objects carry a pod, and where in them it is.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::mode::Mode;

/// A kind of object that carries a pod or a pod template.
#[derive(Debug, PartialEq, Eq)]
pub struct WorkloadKind {
    /// The kind, as in `kind:`.
    pub kind: &'static str,
    /// API groups under which it is served, the current one first.
    groups: &'static [&'static str],
    /// Keys that lead from the object to the pod template; empty for a pod.
    template: &'static [&'static str],
}

const TEMPLATE: &[&str] = &["spec", "template"];

/// Group and kind decide, not the kind alone: a `Job` of another group is somebody's custom resource with a schema of
/// its own. `extensions` served the first three until Kubernetes 1.16, and old manifests still say so.
const KINDS: [WorkloadKind; 9] = [
    WorkloadKind { kind: "Pod", groups: &[""], template: &[] },
    WorkloadKind { kind: "Deployment", groups: &["apps", "extensions"], template: TEMPLATE },
    WorkloadKind { kind: "DaemonSet", groups: &["apps", "extensions"], template: TEMPLATE },
    WorkloadKind { kind: "ReplicaSet", groups: &["apps", "extensions"], template: TEMPLATE },
    WorkloadKind { kind: "StatefulSet", groups: &["apps"], template: TEMPLATE },
    WorkloadKind { kind: "ReplicationController", groups: &[""], template: TEMPLATE },
    WorkloadKind { kind: "DeploymentConfig", groups: &["apps.openshift.io", ""], template: TEMPLATE },
    WorkloadKind { kind: "Job", groups: &["batch"], template: TEMPLATE },
    WorkloadKind { kind: "CronJob", groups: &["batch"], template: &["spec", "jobTemplate", "spec", "template"] },
];

/// A field that is missing, or is not what Kubernetes expects there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    /// Path of the field, as `spec.template.spec.containers`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FieldError {
    /// A mistake at `field`.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    /// The same mistake, seen from the object that holds this one at `prefix`.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        if prefix.is_empty() { self } else { Self { field: format!("{prefix}.{}", self.field), ..self } }
    }
}

impl WorkloadKind {
    /// The kind of workload that `object` is, by its `apiVersion` and `kind`; `None` when it carries no pod.
    /// Istio's command line asks for the kind alone.
    pub fn of(object: &Value, mode: Mode) -> Option<&'static Self> {
        let kind = object.get("kind")?.as_str()?;
        let group = match object.get("apiVersion")?.as_str()?.split_once('/') {
            Some((group, _version)) => group,
            None => "",
        };
        KINDS.iter().find(|workload| workload.kind == kind && (mode.is_istio() || workload.groups.contains(&group)))
    }

    /// Whether the object is a pod itself.
    pub fn is_pod(&self) -> bool {
        self.template.is_empty()
    }

    /// Path of the pod in the object, as `spec.template`; empty for a pod.
    pub fn pod_path(&self) -> String {
        self.template.join(".")
    }

    /// The pod in `object`: something with `metadata` and `spec`. Istio's command line takes the metadata of a CronJob's
    /// jobs for that of their pods.
    ///
    /// # Errors
    /// When a field on the way is missing or not a mapping.
    pub fn pod<'a>(&self, object: &'a Value, mode: Mode) -> Result<Cow<'a, Value>, FieldError> {
        let mut pod = object;
        for (depth, key) in self.template.iter().enumerate() {
            let path = || self.template[..=depth].join(".");
            pod = match pod.get(key) {
                Some(next @ Value::Object(_)) => next,
                Some(_) => return Err(FieldError::new(path(), "is not a mapping")),
                None => return Err(FieldError::new(path(), format!("is missing, so this {} has no pod", self.kind))),
            };
        }
        if !self.has_metadata_of_jobs(mode) {
            return Ok(Cow::Borrowed(pod));
        }
        let metadata = object.pointer("/spec/jobTemplate/metadata").cloned();
        let parts = [("metadata", metadata), ("spec", pod.get("spec").cloned())];
        Ok(Cow::Owned(parts.into_iter().filter_map(|(key, part)| Some((key.to_owned(), part?))).collect()))
    }

    /// Puts `pod` in the place of the one that [`WorkloadKind::pod`] has found in `object`.
    pub fn replace_pod(&self, object: &mut Value, mut pod: Value, mode: Mode) {
        let place = self.template.iter().fold(&mut *object, |value, key| &mut value[*key]);
        if !self.has_metadata_of_jobs(mode) {
            *place = pod;
            return;
        }
        place["spec"] = pod["spec"].take();
        object["spec"]["jobTemplate"]["metadata"] = pod["metadata"].take();
    }

    fn has_metadata_of_jobs(&self, mode: Mode) -> bool {
        mode.is_istio() && self.kind == "CronJob"
    }
}

/// Checks the few things injection relies on: mappings where mappings belong, at least one container, and a name for
/// each that no other has, over both lists. Istio does not ask for the latter two: its native sidecar may be all that a pod
/// has.
///
/// # Errors
/// Every field that is not as it should be.
pub fn check_pod(pod: &Value, mode: Mode) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    if let Some(metadata) = pod.get("metadata").filter(|metadata| !metadata.is_null()) {
        check_metadata(metadata, &mut errors);
    }
    match pod.get("spec") {
        Some(Value::Object(spec)) => {
            check_spec(spec, &mut errors);
            if !mode.is_istio() {
                check_has_containers(spec, &mut errors);
                check_unique_names(spec, &mut errors);
            }
        }
        Some(_) => errors.push(FieldError::new("spec", "is not a mapping")),
        None => errors.push(FieldError::new("spec", "is missing")),
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// `metadata.<key>` of a pod as a mapping; empty when it is missing.
pub fn metadata_map<'a>(pod: &'a Value, key: &str) -> &'a Map<String, Value> {
    static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    pod.get("metadata").and_then(|metadata| metadata.get(key)).and_then(Value::as_object).unwrap_or(&EMPTY)
}

/// `metadata.<key>` of an object as text; empty when it is missing.
pub fn metadata_text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// Names of the elements of `spec.<list>`, in order; elements without a name are left out.
pub fn names<'a>(pod: &'a Value, list: &str) -> Vec<&'a str> {
    let elements = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
    elements.into_iter().flatten().filter_map(|element| element.get("name")?.as_str()).collect()
}

fn check_metadata(metadata: &Value, errors: &mut Vec<FieldError>) {
    let Some(metadata) = metadata.as_object() else {
        errors.push(FieldError::new("metadata", "is not a mapping"));
        return;
    };
    for key in ["labels", "annotations"] {
        match metadata.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                errors.extend(entries.iter().filter(|(_, value)| !value.is_string()).map(|(name, value)| {
                    FieldError::new(format!("metadata.{key}[{name}]"), format!("is {value}, not a string; quote it"))
                }));
            }
            Some(_) => errors.push(FieldError::new(format!("metadata.{key}"), "is not a mapping")),
        }
    }
}

fn check_has_containers(spec: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    match spec.get("containers") {
        Some(Value::Array(containers)) if !containers.is_empty() => {}
        Some(Value::Array(_)) | Some(Value::Null) | None => {
            errors.push(FieldError::new("spec.containers", "is empty; a pod needs at least one container"));
        }
        Some(_) => {}
    }
}

fn check_spec(spec: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    for list in ["containers", "initContainers", "volumes"] {
        match spec.get(list) {
            None | Some(Value::Null) => {}
            Some(Value::Array(elements)) => {
                errors.extend(
                    elements.iter().enumerate().filter_map(|(index, element)| check_name(list, index, element)),
                );
            }
            Some(_) => errors.push(FieldError::new(format!("spec.{list}"), "is not a list")),
        }
    }
}

fn check_unique_names(spec: &Map<String, Value>, errors: &mut Vec<FieldError>) {
    let mut seen = std::collections::HashSet::new();
    for list in ["initContainers", "containers"] {
        let containers = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        for (index, name) in
            containers.enumerate().filter_map(|(index, element)| Some((index, element.get("name")?.as_str()?)))
        {
            if !seen.insert(name) {
                let problem = format!("two containers are named '{name}'");
                errors.push(FieldError::new(format!("spec.{list}[{index}].name"), problem));
            }
        }
    }
}

fn check_name(list: &str, index: usize, element: &Value) -> Option<FieldError> {
    let field = format!("spec.{list}[{index}]");
    match element.get("name") {
        Some(Value::String(name)) if !name.is_empty() => None,
        _ if !element.is_object() => Some(FieldError::new(field, "is not a mapping")),
        _ => Some(FieldError::new(format!("{field}.name"), "is missing or not a string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MODE: Mode = Mode::Corrected;

    #[test]
    fn group_and_kind_decide() {
        for (api_version, kind, known) in [
            ("v1", "Pod", true),
            ("apps/v1", "Deployment", true),
            ("extensions/v1beta1", "Deployment", true),
            ("batch/v1beta1", "CronJob", true),
            ("batch.volcano.sh/v1alpha1", "Job", false),
            ("serving.knative.dev/v1", "Service", false),
            ("v1", "Deployment", false),
        ] {
            let object = json!({"apiVersion": api_version, "kind": kind});
            assert_eq!(WorkloadKind::of(&object, MODE).is_some(), known, "{object}");
        }
    }

    #[test]
    fn the_pod_of_a_cron_job_is_three_levels_down() {
        let mut cron_job = json!({"apiVersion": "batch/v1", "kind": "CronJob",
            "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}}});
        let kind = WorkloadKind::of(&cron_job, MODE).unwrap();
        assert_eq!(names(&kind.pod(&cron_job, MODE).unwrap(), "containers"), ["a"]);
        kind.replace_pod(&mut cron_job, json!({"spec": {"containers": [{"name": "b"}]}}), MODE);
        assert_eq!(names(&kind.pod(&cron_job, MODE).unwrap(), "containers"), ["b"]);
        let error = kind.pod(&json!({"spec": {"jobTemplate": []}}), MODE).unwrap_err();
        assert_eq!(error.to_string(), "spec.jobTemplate: is not a mapping");
    }

    #[test]
    fn a_name_is_for_one_container_over_both_lists() {
        let pod = json!({"spec": {"initContainers": [{"name": "a"}], "containers": [{"name": "b"}, {"name": "a"}]}});
        let errors: Vec<_> = check_pod(&pod, MODE).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(errors, ["spec.containers[1].name: two containers are named 'a'"]);
    }

    #[test]
    fn every_mistake_in_a_pod_is_reported() {
        let pod = json!({"metadata": {"labels": {"version": 2}, "annotations": []},
            "spec": {"containers": [], "initContainers": [{"image": "a"}, 7], "volumes": {}}});
        let fields = |mode: Mode| -> Vec<String> {
            check_pod(&pod, mode).unwrap_err().into_iter().map(|error| error.field).collect()
        };
        let of_istio = [
            "metadata.labels[version]",
            "metadata.annotations",
            "spec.initContainers[0].name",
            "spec.initContainers[1]",
            "spec.volumes",
        ];
        assert_eq!(fields(Mode::Istio), of_istio);
        assert_eq!(fields(MODE), [&of_istio[..], &["spec.containers"]].concat());
    }
}
