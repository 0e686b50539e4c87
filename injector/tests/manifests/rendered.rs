//! What `kubectl apply -k` would send, and its objects by kind.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, PodSpec, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sidecar_test_support::command::skip;

use crate::kubectl::kubectl;
use crate::repository;

/// Everything that can be installed, and the revision that it is of.
pub(crate) const INSTALLATIONS: [(&str, &str); 6] = [
    ("manifests", ""),
    ("manifests/overlays/cert-manager", ""),
    ("manifests/overlays/high-availability", ""),
    ("manifests/overlays/prometheus", ""),
    ("manifests/overlays/revision", "canary"),
    ("manifests/overlays/revision-cert-manager", "canary"),
];

/// Kinds whose types are not Kubernetes' own.
pub(crate) const CUSTOM_KINDS: [&str; 4] = ["Certificate", "Issuer", "PodMonitor", "PrometheusRule"];

/// The objects of one kustomization.
#[derive(Clone)]
pub(crate) struct Rendered {
    pub(crate) path: String,
    pub(crate) objects: Vec<Value>,
}

/// Puts a kustomization together, once. None where nothing here can do that, which with CI set is a failure.
pub(crate) fn rendered(path: &str) -> Option<Rendered> {
    static DONE: OnceLock<Mutex<BTreeMap<String, Rendered>>> = OnceLock::new();
    let kubectl = kubectl().map_err(skip).ok()?;
    let mut done = DONE.get_or_init(Mutex::default).lock().unwrap();
    if let Some(rendered) = done.get(path) {
        return Some(rendered.clone());
    }
    let rendered = render(&mut kubectl.command(), path);
    done.insert(path.to_owned(), rendered.clone());
    Some(rendered)
}

fn render(kubectl: &mut Command, path: &str) -> Rendered {
    let built = kubectl.arg("kustomize").arg(repository().join(path)).output().unwrap();
    assert!(built.status.success(), "{path}: {}", String::from_utf8_lossy(&built.stderr));
    let objects = serde_saphyr::from_multiple(std::str::from_utf8(&built.stdout).unwrap()).unwrap();
    Rendered { path: path.to_owned(), objects }
}

impl Rendered {
    /// All objects of a kind.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// The only object of a kind, decoded; a field that its type does not know is a failure.
    pub(crate) fn only<T: DeserializeOwned + Serialize>(&self, kind: &str) -> T {
        let mut all = self.all(kind);
        let object = all.next().unwrap();
        assert!(all.next().is_none(), "{}: more than one {kind}", self.path);
        decode(object)
    }

    pub(crate) fn deployment(&self) -> Deployment {
        self.only("Deployment")
    }
}

/// The pods of a Deployment.
pub(crate) fn pod(deployment: &Deployment) -> &PodSpec {
    deployment.spec.template.spec.as_ref().unwrap()
}

/// The injector in a Deployment.
pub(crate) fn container(deployment: &Deployment) -> &Container {
    &pod(deployment).containers[0]
}

/// Decodes an object, and fails on a field that its type does not know.
pub(crate) fn decode<T: DeserializeOwned + Serialize>(given: &Value) -> T {
    let typed: T = serde_json::from_value(given.clone()).unwrap();
    let name = format!("{} {}", given["kind"], given["metadata"]["name"]);
    let unknown = unknown_fields(given, &serde_json::to_value(&typed).unwrap(), &name);
    assert!(unknown.is_empty(), "unknown to the API: {unknown:?}");
    typed
}

fn unknown_fields(given: &Value, known: &Value, path: &str) -> Vec<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => given
            .iter()
            .flat_map(|(key, value)| {
                let path = format!("{path}: {key}");
                known.get(key).map_or_else(|| vec![path.clone()], |known| unknown_fields(value, known, &path))
            })
            .collect(),
        (Value::Array(given), Value::Array(known)) => {
            given.iter().zip(known).flat_map(|(given, known)| unknown_fields(given, known, path)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn an_unknown_field_would_be_noticed() {
    let given = serde_json::json!({"metadata": {"name": "a"}, "spec": {"replica": 2}});
    let known = serde_json::to_value(
        serde_json::from_value::<Deployment>(serde_json::json!({"metadata": {"name": "a"},
        "spec": {"selector": {}, "template": {}}}))
        .unwrap(),
    )
    .unwrap();
    assert_eq!(unknown_fields(&given, &known, "x"), ["x: spec: replica"]);
}

#[test]
fn every_object_has_only_fields_that_the_api_knows() {
    for (path, _) in INSTALLATIONS {
        let Some(rendered) = rendered(path) else { return };
        for object in &rendered.objects {
            match object["kind"].as_str().unwrap() {
                "ClusterRole" => drop(decode::<ClusterRole>(object)),
                "ClusterRoleBinding" => drop(decode::<ClusterRoleBinding>(object)),
                "ConfigMap" => drop(decode::<ConfigMap>(object)),
                "Deployment" => drop(decode::<Deployment>(object)),
                "HorizontalPodAutoscaler" => drop(decode::<HorizontalPodAutoscaler>(object)),
                "Namespace" => drop(decode::<Namespace>(object)),
                "PodDisruptionBudget" => drop(decode::<PodDisruptionBudget>(object)),
                "Role" => drop(decode::<Role>(object)),
                "RoleBinding" => drop(decode::<RoleBinding>(object)),
                "Service" => drop(decode::<Service>(object)),
                "ServiceAccount" => drop(decode::<ServiceAccount>(object)),
                custom => assert!(CUSTOM_KINDS.contains(&custom), "{path}: {custom}"),
            }
        }
    }
}
