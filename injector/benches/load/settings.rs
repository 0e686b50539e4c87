//! The files that both servers and `wrk` read.
#![expect(clippy::disallowed_methods, reason = "settings are files")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};
use sidecar_injector::certificates::{LOOPBACK_NAMES, Validity, issue};
use sidecar_injector::defaults;
use sidecar_test_support::conformance;

/// Writes certificate, configuration and the AdmissionReview into `folder`; says whose template it is.
pub(crate) fn write(folder: &Path) -> Result<&'static str, Box<dyn Error>> {
    let issued = issue(&LOOPBACK_NAMES, Validity::one_year(SystemTime::now()))?;
    let (whose, config, values, mesh) = match conformance::folder("inject") {
        Some(cases) => {
            let read = |name: &str| fs::read_to_string(cases.join("settings").join(name));
            let (config, values) = (read("config-571831c6.yaml")?, read("values-c050df89.json")?);
            ("Istio's", config, values, read("mesh-f1d57606.yaml")?)
        }
        None => {
            let own = defaults::sources();
            ("our own", own.config.text, own.values.text, own.mesh.text)
        }
    };
    for (name, text) in [
        ("tls.crt", issued.certificate),
        ("tls.key", issued.key),
        ("config.yaml", config),
        ("values.json", values),
        ("mesh.yaml", mesh),
        ("review.json", review().to_string()),
    ] {
        fs::write(folder.join(name), text)?;
    }
    Ok(whose)
}

/// About 5 KB, with `UNIQUE`, `WORKLOAD` and `SUFFIX` where UID and names go, as the API server sends for a pod of a
/// Deployment: the fields that it manages are the larger part.
fn review() -> Value {
    let managed: serde_json::Map<String, Value> =
        (0..60).map(|index| (format!("f:field-of-the-template-{index}"), json!({"f:value": {}}))).collect();
    let probe = json!({"httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10,
        "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3});
    let variables: Vec<Value> =
        (0..12).map(|index| json!({"name": format!("SETTING_{index}"), "value": format!("value-{index}")})).collect();
    let token = json!({"name": "kube-api-access-SUFFIX", "readOnly": true,
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": "WORKLOAD-5d4f8c7b9-", "namespace": "demo",
            "labels": {"app": "WORKLOAD", "version": "v1", "pod-template-hash": "5d4f8c7b9"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "WORKLOAD-5d4f8c7b9",
                "uid": "0b0f7c1e-7a2d-4a53-9a4f-1f1f6f0c2d11", "controller": true, "blockOwnerDeletion": true}],
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": managed}],
        },
        "spec": {
            "containers": [{"name": "web", "image": "registry.example/web:1.2.3", "env": variables,
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                "livenessProbe": probe, "readinessProbe": probe, "volumeMounts": [token],
                "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                "imagePullPolicy": "IfNotPresent"}],
            "volumes": [{"name": "kube-api-access-SUFFIX", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}}],
            "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default",
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30, "securityContext": {},
            "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        },
        "status": {},
    });
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "UNIQUE-6393-11e8-b7cc-42010a800002", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "namespace": "demo", "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller",
            "groups": ["system:serviceaccounts", "system:authenticated"]},
        "object": pod, "oldObject": null, "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}}})
}
