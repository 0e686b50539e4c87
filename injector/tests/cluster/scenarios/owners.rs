//! Pods as the controllers of Kubernetes, OpenShift and Argo make them. No controller runs here: the owners are real, and
//! the pods are written as each controller writes them.

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;

use super::objects::{container, create, pod_spec, use_istio_template, variable};
use super::{Installation, has_sidecar};

/// An object that makes pods, or makes what makes them.
struct Owner {
    api_version: &'static str,
    kind: &'static str,
    name: &'static str,
}

const fn owner(api_version: &'static str, kind: &'static str, name: &'static str) -> Owner {
    Owner { api_version, kind, name }
}

/// Owners from the top down to the controller of the pod, the pod's labels besides `app`, whether the controller gives the
/// pod a name beside the prefix, and the workload that the sidecar is told: its name and its path.
type Row =
    (&'static [Owner], &'static [(&'static str, &'static str)], Option<&'static str>, &'static str, &'static str);

const ROWS: [Row; 10] = [
    (&[], &[], Some("alone"), "alone", "v1 pods"),
    (
        &[owner("apps/v1", "Deployment", "web"), owner("apps/v1", "ReplicaSet", "web-5d4f8c7b9")],
        &[("pod-template-hash", "5d4f8c7b9")],
        None,
        "web",
        "apps/v1 deployments",
    ),
    (&[owner("apps/v1", "ReplicaSet", "bare-1")], &[], None, "bare-1", "apps/v1 replicasets"),
    (
        &[owner("apps/v1", "StatefulSet", "db")],
        &[("statefulset.kubernetes.io/pod-name", "db-0"), ("apps.kubernetes.io/pod-index", "0")],
        Some("db-0"),
        "db",
        "apps/v1 statefulsets",
    ),
    (
        &[owner("apps/v1", "DaemonSet", "agent")],
        &[("controller-revision-hash", "7b9d5c"), ("pod-template-generation", "1")],
        None,
        "agent",
        "apps/v1 daemonsets",
    ),
    (
        &[owner("batch/v1", "Job", "migrate")],
        &[("batch.kubernetes.io/job-name", "migrate"), ("job-name", "migrate")],
        None,
        "migrate",
        "batch/v1 jobs",
    ),
    (
        &[owner("batch/v1", "CronJob", "report"), owner("batch/v1", "Job", "report-29012345")],
        &[("batch.kubernetes.io/job-name", "report-29012345"), ("job-name", "report-29012345")],
        None,
        "report",
        "batch/v1 cronjobs",
    ),
    (&[owner("v1", "ReplicationController", "old")], &[], None, "old", "v1 replicationcontrollers"),
    (
        &[owner("v1", "ReplicationController", "shop-3")],
        &[("deployment", "shop-3"), ("deploymentconfig", "shop")],
        None,
        "shop",
        "v1 deploymentconfigs",
    ),
    (
        &[owner("apps/v1", "ReplicaSet", "canary-6f9c8")],
        &[("rollouts-pod-template-hash", "6f9c8")],
        None,
        "canary",
        "v1alpha1 rollouts",
    ),
];

/// An object of this kind, whose pods have these labels.
fn object(owner: &Owner, namespace: &str, labels: &Value, above: Option<&Value>) -> Value {
    let mut spec = pod_spec();
    if owner.api_version == "batch/v1" {
        spec["restartPolicy"] = "Never".into();
    }
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    let spec = match owner.kind {
        "CronJob" => json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}),
        "Job" => json!({"template": template}),
        "ReplicationController" => json!({"selector": labels, "template": template}),
        "StatefulSet" => json!({"serviceName": "db", "selector": {"matchLabels": labels}, "template": template}),
        _ => json!({"selector": {"matchLabels": labels}, "template": template}),
    };
    json!({"apiVersion": owner.api_version, "kind": owner.kind, "spec": spec,
        "metadata": {"name": owner.name, "namespace": namespace, "ownerReferences": references(above)}})
}

/// The reference to an object that exists, as its controller writes it.
fn references(controller: Option<&Value>) -> Value {
    let reference = controller.map(|controller| {
        json!({"apiVersion": controller["apiVersion"], "kind": controller["kind"], "controller": true,
            "name": controller["metadata"]["name"], "uid": controller["metadata"]["uid"], "blockOwnerDeletion": true})
    });
    reference.into_iter().collect()
}

/// Creates the owners and the pod of a row, and returns the pod.
fn create_row(server: &ApiServer, namespace: &str, row: &Row) -> Value {
    let (owners, given, name, ..) = row;
    let app = owners.first().map_or("alone", |owner| owner.name);
    let mut labels = json!({"app": app});
    for (key, value) in *given {
        labels[*key] = (*value).into();
    }
    let mut controller = None;
    for owner in *owners {
        controller = Some(create(server, &object(owner, namespace, &labels, controller.as_ref())));
    }
    let mut metadata =
        json!({"namespace": namespace, "labels": labels, "ownerReferences": references(controller.as_ref())});
    if let Some(owner) = owners.last() {
        metadata["generateName"] = format!("{}-", owner.name).into();
    }
    if let Some(name) = name {
        metadata["name"] = (*name).into();
    }
    create(server, &json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec()}))
}

#[test]
fn every_kind_of_owner_gets_the_sidecar() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "owned");
    let tells_workload = use_istio_template(&installation);
    let _replica = installation.start_ready("owned-0", &[]);
    let namespace = installation.labelled_namespace("demo");
    let mut wrong = Vec::new();
    for row in &ROWS {
        let pod = create_row(server, &namespace, row);
        let (_, _, _, name, path) = row;
        let (version, kinds) = path.split_once(' ').unwrap();
        let sidecar = container(&pod, "istio-proxy");
        let told = ["ISTIO_META_WORKLOAD_NAME", "ISTIO_META_OWNER"].map(|key| variable(sidecar, key));
        let expected =
            [(*name).to_owned(), format!("kubernetes://apis/{version}/namespaces/{namespace}/{kinds}/{name}")];
        if !has_sidecar(&pod) || (tells_workload && told != [&expected[0], &expected[1]]) {
            wrong.push(format!("{expected:?}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
