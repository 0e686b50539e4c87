//! `check` and `kube-inject --from-cluster`, against a cluster with an injector in it.

use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sidecar_test_support::api_server::ApiServer;

use crate::installation::{Installation, NAMESPACE};

/// The API server writes times in whole seconds.
const A_SECOND: Duration = Duration::from_millis(1100);

fn run(server: &ApiServer, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.args(arguments).arg("--kubeconfig").arg(server.kubeconfig());
    command.env_remove("ENABLE_NATIVE_SIDECARS").output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What `check -o json` prints, and its exit code.
fn checked(server: &ApiServer, arguments: &[&str]) -> (i32, Value) {
    let output = run(server, &[&["check", "-o", "json"], arguments].concat());
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    (output.status.code().unwrap(), json)
}

/// A namespace with a pod that was there before the label.
fn labelled_late(installation: &Installation<'_>, name: &str) {
    let server = installation.server;
    let namespace = |labels: &Value| {
        let metadata = json!({"name": name, "labels": labels});
        server.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).to_string()).unwrap();
    };
    namespace(&json!({}));
    installation.create_pod(name, "early").unwrap();
    sleep(A_SECOND);
    namespace(&json!({"istio.io/rev": installation.revision}));
}

fn deployment(namespace: &str) -> String {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "shop"}}, "template": {"metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}}}})
    .to_string()
}

/// Makes the configuration another one.
fn change_configuration(installation: &Installation<'_>) {
    let name = installation.object_name();
    let values = installation.kubectl(&["get", "configmap", &name, "-o", "jsonpath={.data.values}"]).unwrap();
    let mut values: Value = serde_json::from_str(&values).unwrap();
    values["global"]["tag"] = "another".into();
    let patch = json!({"data": {"values": values.to_string()}}).to_string();
    installation.kubectl(&["patch", "configmap", &name, "--type=merge", "-p", &patch]).unwrap();
}

#[test]
fn pods_are_explained_and_those_that_are_not_as_they_should_be_are_found() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "explained");
    let _replica = installation.start_ready("explained-0", &[]);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "web");
    labelled_late(&installation, "explained-late");

    let (code, web) = checked(server, &["pod/web", "-n", &demo]);
    assert_eq!((code, web["running"]["state"].as_str()), (0, Some("as_it_should_be")), "{web:#}");
    assert_eq!((web["revision"].as_str(), &web["called"]), (Some("explained"), &json!(true)), "{web:#}");

    let (code, early) = checked(server, &["pod/early", "-n", "explained-late"]);
    assert_eq!(code, 3, "{early:#}");
    assert_eq!(early["running"]["state"], "missing");
    assert_eq!(early["running"]["cause"]["code"], "created_before_label", "{early:#}");
    let text = run(server, &["check", "early", "-n", "explained-late"]);
    assert!(said(&text).contains("yes rev.namespace.sidecar-injector.istio.io"), "{}", said(&text));

    server.apply(&deployment(&demo)).unwrap();
    let (code, shop) = checked(server, &["deploy/shop", "-n", &demo]);
    assert_eq!((code, &shop["decision"]["inject"]), (0, &json!(true)), "{shop:#}");
    assert_eq!((&shop["running"], &shop["injection"]["templates"]), (&Value::Null, &json!(["sidecar"])));
    let missing = run(server, &["check", "deploy/nobody", "-n", &demo]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(said(&missing).contains("does not exist"), "{}", said(&missing));

    let all = |namespace: &str| checked(server, &["--all", "-n", namespace]);
    let (code, found) = all("explained-late");
    assert_eq!((code, &found["checked"], &found["found"]), (3, &json!(1), &json!(1)), "{found:#}");
    assert_eq!(found["findings"][0]["name"], "early");
    assert_eq!(all(&demo).0, 0);
    change_configuration(&installation);
    let (code, found) = all(&demo);
    assert_eq!((code, &found["findings"][0]["state"]), (3, &json!("other_configuration")), "{found:#}");
    assert_eq!(found["findings"][0]["cause"]["code"], "created_before_configuration", "{found:#}");
}

#[test]
fn offline_the_cluster_decides_as_it_does_online() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "asked");
    let _replica = installation.start_ready("asked-0", &[]);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "web");
    let image = |pod: &Value, list: &str| {
        let mut found = pod["spec"][list].as_array().into_iter().flatten();
        found.find(|container| container["name"] == "istio-proxy").map(|container| container["image"].clone())
    };
    let sidecar = |pod: &Value| image(pod, "containers").or_else(|| image(pod, "initContainers"));
    let live = server.run(["get", "pod", "web", "-n", &demo, "-o", "json"]).unwrap();
    let manifest = tempfile::NamedTempFile::new().unwrap();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  serviceAccountName: default\n  containers:\n  - name: web\n    image: registry.example/app:1\n";
    std::io::Write::write_all(&mut manifest.as_file(), pod.as_bytes()).unwrap();
    let kube_inject = |namespace: &str, more: &[&str]| {
        let given = ["kube-inject", "-f", manifest.path().to_str().unwrap(), "--from-cluster", "-n", namespace];
        run(server, &[&given[..], more].concat())
    };
    let injected = kube_inject(&demo, &["-r", "asked", "-i", NAMESPACE]);
    assert!(injected.status.success(), "{}", said(&injected));
    let text = String::from_utf8(injected.stdout).unwrap();
    let ours = sidecar_injector::yaml::read_manifest(&text).unwrap();
    assert_eq!(sidecar(&ours), sidecar(&serde_json::from_str(&live).unwrap()), "{text}");
    assert!(sidecar(&ours).is_some());

    let skipped = kube_inject("default", &["-r", "asked"]);
    assert!(skipped.status.success(), "{}", said(&skipped));
    assert!(said(&skipped).contains("skipped Pod web: the namespace has neither"), "{}", said(&skipped));
    let without = kube_inject(&demo, &["-r", "asked", "--injectConfigMapName", "nothing"]);
    assert_eq!(without.status.code(), Some(1));
    assert!(said(&without).contains("ConfigMap istio-system/nothing: does not exist"), "{}", said(&without));
}
