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

/// More pods than a page has.
const MANY: usize = 260;

/// A namespace with pods that were there before the label.
fn crowded(server: &ApiServer, name: &str, revision: &str) {
    let namespace = |labels: &Value| {
        let metadata = json!({"name": name, "labels": labels});
        server.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).to_string()).unwrap();
    };
    namespace(&json!({}));
    let pod = |number: usize| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("web-{number}"), "namespace": name},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]}})
    };
    let pods: Vec<Value> = (0..MANY).map(pod).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": pods}).to_string();
    std::io::Write::write_all(&mut file.as_file(), list.as_bytes()).unwrap();
    server.run(["create", "--validate=false", "-f", file.path().to_str().unwrap()]).unwrap();
    sleep(A_SECOND);
    namespace(&json!({"istio.io/rev": revision}));
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

/// A pod whose name is made up after admission, as those of a ReplicaSet are, with what the API server has defaults for.
fn create_generated(server: &ApiServer, namespace: &str) {
    let owner = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-5d4f", "controller": true,
        "uid": "a5f2"}]);
    let ports = json!([{"containerPort": 8080}, {"containerPort": 8443, "name": "https"}]);
    let probe = json!({"httpGet": {"port": "https", "scheme": "HTTPS"}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "shop-5d4f-", "namespace": namespace, "ownerReferences": owner,
            "labels": {"pod-template-hash": "5d4f"}},
        "spec": {"serviceAccountName": "default", "initContainers": [{"name": "init", "image": "a"}],
            "containers": [{"name": "app", "image": "a", "ports": ports, "startupProbe": probe}]}});
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), pod.to_string().as_bytes()).unwrap();
    server.run(["create", "-f", file.path().to_str().unwrap()]).unwrap();
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
    create_generated(server, &demo);
    let (code, found) = all(&demo);
    assert_eq!((code, &found["checked"]), (0, &json!(2)), "{found:#}");
    crowded(server, "explained-crowd", &installation.revision);
    let (code, found) = all("explained-crowd");
    let findings = found["findings"].as_array().unwrap();
    assert_eq!((code, findings.len(), &found["checked"]), (3, MANY, &json!(MANY)));
    assert!(findings.iter().all(|finding| finding["cause"]["code"] == "created_before_label"), "{found:#}");
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

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  serviceAccountName: default\n  containers:\n  - name: app\n    image: registry.example/app:1\n";

/// What `kube-inject --from-cluster` prints and says of a pod in this namespace.
fn kube_injected(server: &ApiServer, namespace: &str, more: &[&str]) -> Output {
    let manifest = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut manifest.as_file(), POD.as_bytes()).unwrap();
    let given = ["kube-inject", "-f", manifest.path().to_str().unwrap(), "--from-cluster", "-n", namespace];
    run(server, &[&given[..], more].concat())
}

fn labelled(server: &ApiServer, name: &str, revision: &str) {
    let metadata = json!({"name": name, "labels": {"istio.io/rev": revision}});
    server.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}).to_string()).unwrap();
}

#[test]
fn path_and_settings_of_the_injector_that_runs_are_followed() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "pathed");
    let flags = ["--nativeSidecars=false", "--path-variable=cluster=c1", "--path-variable=net=n1"];
    let _replica = installation.start_ready("pathed-0", &flags);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "web");
    let (code, web) = checked(server, &["pod/web", "-n", &demo]);
    assert_eq!((code, web["running"]["state"].as_str()), (0, Some("as_it_should_be")), "{web:#}");
    let (code, all) = checked(server, &["--all", "-n", &demo]);
    assert_eq!((code, &all["checked"], &all["unjudged"]), (0, &json!(1), &json!(0)), "{all:#}");

    // Nobody has named the revision: it is that of the namespace.
    let injected = kube_injected(server, &demo, &["--strict"]);
    let text = String::from_utf8_lossy(&injected.stdout).into_owned();
    assert!(injected.status.success(), "{}", said(&injected));
    for (name, value) in [("ISTIO_META_CLUSTER_ID", "c1"), ("ISTIO_META_NETWORK", "n1")] {
        assert!(text.contains(&format!("- name: {name}\n      value: {value}")), "{text}");
    }
    assert!(text.contains("\"revision\":\"pathed\""), "{text}");
}

#[test]
fn what_a_registration_and_a_deployment_say_is_told() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "unasked");
    let apply = |revision: &str, more: &[&str]| {
        let arguments =
            ["webhook", "apply", "--revision", revision, "--failure-policy", "Ignore", "--ca-bundle", "keep"];
        let output = run(server, &[&arguments[..], more].concat());
        assert!(output.status.success(), "{}", said(&output));
    };
    apply("unasked", &["--match-condition", "own=object.metadata.name != 'x'"]);
    labelled(server, "unasked-demo", "unasked");
    let native = |output: &Output| {
        let pod = sidecar_injector::yaml::read_manifest(&String::from_utf8_lossy(&output.stdout)).unwrap();
        let init = pod["spec"]["initContainers"].as_array().unwrap().clone();
        init.iter().any(|container| container["name"] == "istio-proxy")
    };
    let by_nodes = kube_injected(server, "unasked-demo", &[]);
    assert!(said(&by_nodes).contains("its conditions hold, which are not evaluated here: own:"), "{}", said(&by_nodes));
    assert!(native(&by_nodes), "{}", said(&by_nodes));
    let patch =
        json!([{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--nativeSidecars=false"}]);
    let name = installation.object_name();
    installation.kubectl(&["patch", "deployment", &name, "--type=json", "-p", &patch.to_string()]).unwrap();
    assert!(!native(&kube_injected(server, "unasked-demo", &[])));

    apply("nowhere", &["--tag", "nowhere-tag"]);
    labelled(server, "nowhere-demo", "nowhere-tag");
    installation.create_pod("nowhere-demo", "web").unwrap();
    let missing = "ConfigMap istio-system/istio-sidecar-injector-nowhere: does not exist";
    let explained = run(server, &["check", "pod/web", "-n", "nowhere-demo"]);
    let text = said(&explained);
    assert_eq!(explained.status.code(), Some(1), "{text}");
    assert!(text.contains("yes rev.namespace.sidecar-injector.istio.io") && text.contains(missing), "{text}");
    let all = run(server, &["check", "--all", "-n", "nowhere-demo"]);
    assert!(said(&all).contains("1 pods, 0 not as they should be, 1 of which it cannot be told"), "{}", said(&all));
    let tagged = kube_injected(server, "nowhere-demo", &["-r", "nowhere-tag"]);
    assert!(said(&tagged).contains(missing), "{}", said(&tagged));
    let nobody = run(server, &["check", "--all", "-n", "nosuch"]);
    assert_eq!(nobody.status.code(), Some(1), "{}", said(&nobody));
    assert!(said(&nobody).contains("namespace nosuch: does not exist"), "{}", said(&nobody));
}

#[test]
fn what_may_not_be_read_is_named() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "unread");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.args(["check", "--all", "-r", "unread", "--kubeconfig"]).arg(installation.kubeconfig());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("may not read"), "{}", said(&output));
}
