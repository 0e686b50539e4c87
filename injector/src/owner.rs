//! The workload that a pod belongs to, told from the pod alone.

use serde_json::Value;
use sidecar_contract::label;

use crate::workload::{metadata_map, metadata_text};

/// The object that a pod belongs to, or the pod itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner<'a> {
    /// As `apps/v1`.
    pub api_version: &'a str,
    /// As `Deployment`.
    pub kind: &'a str,
    /// Its name; empty when it will be generated.
    pub name: &'a str,
}

impl<'a> Owner<'a> {
    /// `object` as an owner.
    pub fn of(object: &'a Value) -> Self {
        Self {
            api_version: text(object, "apiVersion"),
            kind: text(object, "kind"),
            name: metadata_text(object, "name"),
        }
    }
}

/// The workload that `pod` belongs to, as Istio guesses it; the pod itself when it has no controller, or was named by
/// hand.
///
/// The controller of a pod is often an object that its user never wrote, and its own owner is not known here. So names
/// and labels have to tell: a ReplicaSet whose name ends in the hash of its template belongs to a Deployment (or a
/// Rollout of Argo), a Job whose name ends in a time belongs to a CronJob. A Deployment keeps the ReplicaSet's
/// `apiVersion`, which is the same.
pub fn owner_of_pod(pod: &Value) -> Owner<'_> {
    let pod_name = metadata_text(pod, "name");
    let itself = Owner { api_version: "v1", kind: "Pod", name: pod_name };
    if metadata_text(pod, "generateName").is_empty() {
        return itself;
    }
    let references = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let owner =
        match references.into_iter().flatten().find(|reference| reference.get("controller") == Some(&true.into())) {
            Some(reference) => behind(controller(reference), pod),
            None => itself,
        };
    if owner.name.is_empty() { Owner { name: pod_name, ..owner } } else { owner }
}

fn controller(reference: &Value) -> Owner<'_> {
    Owner { api_version: text(reference, "apiVersion"), kind: text(reference, "kind"), name: text(reference, "name") }
}

/// The workload that has made the controller, or the controller.
fn behind<'a>(controller: Owner<'a>, pod: &'a Value) -> Owner<'a> {
    let labels = metadata_map(pod, "labels");
    let label = |name: &str| labels.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let without_hash = |name: &str| {
        let hash = label(name)?;
        let front = controller.name.strip_suffix(hash)?;
        Some(front.strip_suffix('-').unwrap_or(controller.name))
    };
    match controller.kind {
        "ReplicaSet" => {
            if let Some(name) = without_hash(label::POD_TEMPLATE_HASH) {
                Owner { kind: "Deployment", name, ..controller }
            } else if let Some(name) = without_hash(label::ROLLOUTS_POD_TEMPLATE_HASH) {
                Owner { api_version: "v1alpha1", kind: "Rollout", name }
            } else {
                controller
            }
        }
        "ReplicationController" => match label(label::DEPLOYMENT_CONFIG) {
            Some(name) => Owner { kind: "DeploymentConfig", name, ..controller },
            None => controller,
        },
        "Job" => match without_time(controller.name) {
            Some(name) => Owner { api_version: "batch/v1", kind: "CronJob", name },
            None => controller,
        },
        _ => controller,
    }
}

/// The name of a CronJob from that of its Job: what comes before a dash and the minutes (or seconds) since 1970.
fn without_time(job: &str) -> Option<&str> {
    let (name, time) = job.rsplit_once('-')?;
    let is_time = (8..=10).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit());
    (is_time && !name.is_empty()).then_some(name)
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(controller: (&str, &str, &str), labels: &Value, expected: (&str, &str, &str)) {
        let (api_version, kind, name) = controller;
        let pod = json!({"metadata": {"name": "a-pod", "generateName": "a-", "labels": labels, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": "not-it"},
            {"apiVersion": api_version, "kind": kind, "name": name, "controller": true}]}});
        let owner = owner_of_pod(&pod);
        assert_eq!((owner.api_version, owner.kind, owner.name), expected, "{controller:?} {labels}");
    }

    #[test]
    fn the_workload_behind_the_controller_is_the_owner() {
        let hash = json!({"pod-template-hash": "5d4f"});
        check(("apps/v1", "ReplicaSet", "web-5d4f"), &hash, ("apps/v1", "Deployment", "web"));
        check(("apps/v1", "ReplicaSet", "web-1"), &hash, ("apps/v1", "ReplicaSet", "web-1"));
        check(("apps/v1", "ReplicaSet", "web5d4f"), &hash, ("apps/v1", "Deployment", "web5d4f"));
        check(("apps/v1", "ReplicaSet", "web-"), &json!({"pod-template-hash": ""}), ("apps/v1", "ReplicaSet", "web-"));
        let rollout = json!({"rollouts-pod-template-hash": "77"});
        check(("apps/v1", "ReplicaSet", "web-77"), &rollout, ("v1alpha1", "Rollout", "web"));
        let config = json!({"deploymentconfig": "web"});
        check(("v1", "ReplicationController", "web-2"), &config, ("v1", "DeploymentConfig", "web"));
        check(("v1", "ReplicationController", "web-2"), &json!({}), ("v1", "ReplicationController", "web-2"));
        check(("apps/v1", "StatefulSet", "db"), &hash, ("apps/v1", "StatefulSet", "db"));
    }

    #[test]
    fn a_job_with_a_time_in_its_name_is_of_a_cron_job() {
        let job =
            |name: &'static str, kind, owner| check(("batch/v1", "Job", name), &json!({}), ("batch/v1", kind, owner));
        job("report-27891234", "CronJob", "report");
        job("a-b-1234567890", "CronJob", "a-b");
        for name in ["report-1234567", "report-12345678901", "report-2789123x", "-27891234", "27891234"] {
            job(name, "Job", name);
        }
    }

    #[test]
    fn an_owner_without_a_name_has_that_of_the_pod() {
        check(("apps/v1", "ReplicaSet", ""), &json!({}), ("apps/v1", "ReplicaSet", "a-pod"));
        check(("apps/v1", "ReplicaSet", "-x"), &json!({"pod-template-hash": "x"}), ("apps/v1", "Deployment", "a-pod"));
    }

    #[test]
    fn a_pod_on_its_own_is_its_own_owner() {
        let named = json!({"metadata": {"name": "a", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "b", "controller": true}]}});
        let itself = Owner { api_version: "v1", kind: "Pod", name: "a" };
        assert_eq!(owner_of_pod(&named), itself);
        for references in [json!(null), json!([]), json!("x"), json!([1, {"controller": "true", "kind": "Job"}])] {
            let pod = json!({"metadata": {"name": "a", "generateName": "a-", "ownerReferences": references}});
            assert_eq!(owner_of_pod(&pod), itself, "{pod}");
        }
        assert_eq!(owner_of_pod(&json!(3)), Owner { name: "", ..itself });
    }
}
