//! Objects that kubectl is given, and what it answers.

use std::io::Write;

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::conformance;

use super::{Installation, Replica};

/// What kubectl did with an object.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) is_success: bool,
    /// The object as the API server has answered it; null when it has refused.
    pub(super) object: Value,
    /// Warnings and errors.
    pub(super) said: String,
}

/// Runs kubectl with `object` as its file.
pub(super) fn kubectl(server: &ApiServer, arguments: &[&str], object: &Value) -> Answer {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(object.to_string().as_bytes()).unwrap();
    let output = server.kubectl().args(arguments).args(["-o", "json", "-f"]).arg(file.path()).output().unwrap();
    Answer {
        is_success: output.status.success(),
        object: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        said: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Creates the object, which must be taken, and returns it as the API server has it.
pub(super) fn create(server: &ApiServer, object: &Value) -> Value {
    let answer = kubectl(server, &["create"], object);
    assert!(answer.is_success, "{}\n{object}", answer.said);
    answer.object
}

/// Reads a pod.
pub(super) fn get(server: &ApiServer, namespace: &str, name: &str) -> Value {
    let text = server.run(["get", "pod", name, "--namespace", namespace, "-o", "json"]).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// All pods in a namespace, a line each, as `pod/web`.
pub(super) fn pods(server: &ApiServer, namespace: &str) -> String {
    server.run(["get", "pods", "--namespace", namespace, "-o", "name"]).unwrap()
}

/// A pod with one container, `app`.
pub(super) fn pod(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": pod_spec()})
}

/// Its spec, with the service account that admission gives pods where there are any.
pub(super) fn pod_spec() -> Value {
    json!({"serviceAccountName": "default", "containers": [{"name": "app", "image": "registry.example/app:1"}]})
}

/// A namespace with these labels.
pub(super) fn namespace(server: &ApiServer, name: &str, labels: &Value) {
    let metadata = json!({"name": name, "labels": labels});
    create(server, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}));
}

/// A container of either list.
pub(super) fn container<'a>(pod: &'a Value, name: &str) -> &'a Value {
    let all = ["initContainers", "containers"].into_iter().filter_map(|list| pod["spec"][list].as_array()).flatten();
    let mut found = all.filter(|container| container["name"] == name);
    let container = found.next().unwrap_or_else(|| panic!("no container {name}: {}", pod["spec"]));
    assert!(found.next().is_none(), "two containers {name}: {}", pod["spec"]);
    container
}

/// The value of a variable of a container; null where there is none.
pub(super) fn variable<'a>(container: &'a Value, name: &str) -> &'a Value {
    let mut variables = container["env"].as_array().into_iter().flatten();
    variables.find(|variable| variable["name"] == name).map_or(&Value::Null, |variable| &variable["value"])
}

/// Requires that two pods of the same name are the same in all that an injection is responsible for, but for their
/// namespaces.
pub(super) fn assert_same_injection(pod: &Value, expected: &Value) {
    let [pod, expected] = [pod, expected].map(|pod| {
        let namespace = pod["metadata"]["namespace"].as_str().unwrap();
        let metadata = &pod["metadata"];
        let mut parts =
            json!({"spec": pod["spec"], "labels": metadata["labels"], "annotations": metadata["annotations"]});
        let status = parts["annotations"]["sidecar.istio.io/status"].as_str().unwrap_or_default();
        let mut status: Value = serde_json::from_str(status).unwrap();
        // A fingerprint of what has the name of the namespace in it.
        status.as_object_mut().unwrap().shift_remove("digest");
        parts["annotations"]["sidecar.istio.io/status"] = status;
        serde_json::from_str::<Value>(&parts.to_string().replace(namespace, "NAMESPACE")).unwrap()
    });
    let mut differences = Vec::new();
    compare(&pod, &expected, "", &mut differences);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn compare(value: &Value, expected: &Value, path: &str, differences: &mut Vec<String>) {
    match (value, expected) {
        (Value::Object(entries), Value::Object(others)) => {
            let new = others.keys().filter(|key| !entries.contains_key(*key));
            for key in entries.keys().chain(new) {
                compare(&value[key], &expected[key], &format!("{path}.{key}"), differences);
            }
        }
        (Value::Array(elements), Value::Array(others)) if elements.len() == others.len() => {
            for (index, (element, other)) in elements.iter().zip(others).enumerate() {
                compare(element, other, &format!("{path}[{index}]"), differences);
            }
        }
        _ if value != expected => differences.push(format!("{path}: {value}\n  instead of {expected}")),
        _ => {}
    }
}

/// How many requests a replica has answered with this outcome; with the empty text, with any.
pub(super) fn requests(replica: &Replica, outcome: &str) -> f64 {
    let label = if outcome.is_empty() { String::new() } else { format!("outcome=\"{outcome}\"") };
    replica.metric("sidecar_injector_requests_total", &label)
}

/// Gives an installation Istio's own configuration; says whether there is one here.
pub(super) fn use_istio_template(installation: &Installation<'_>) -> bool {
    let Some(cases) = conformance::folder("inject") else { return false };
    let file = |key: &str, name: &str| format!("--from-file={key}={}", cases.join("settings").join(name).display());
    let (name, mesh) = (installation.object_name(), format!("istio-{}", installation.revision));
    let config = [file("config", "config-571831c6.yaml"), file("values", "values-c050df89.json")];
    for (name, files) in [(&name, &config[..]), (&mesh, &[file("mesh", "mesh-f1d57606.yaml")])] {
        installation.kubectl(&["delete", "configmap", name]).unwrap();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        installation.kubectl(&[&["create", "configmap", name], &files[..]].concat()).unwrap();
    }
    true
}
