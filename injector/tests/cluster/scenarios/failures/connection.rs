//! An API server that is restarted, away for a while, or not there yet.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use sidecar_test_support::api_server::{ApiServer, Options, require_api_server};
use sidecar_test_support::eventually::eventually;

use super::Installation;
use crate::installation::{PATIENCE, Replica};

/// The API server calls the webhook anew only after it has listed the registrations.
fn until_injected(installation: &Installation<'_>, replica: &Replica, namespace: &str, name: &str) {
    let mut count = 0;
    eventually(PATIENCE, || {
        count += 1;
        match installation.create_pod(namespace, &format!("{name}-{count}")) {
            Ok(pod) if crate::installation::has_sidecar(&pod) => Ok(()),
            other => Err(format!("{other:?}\n{}", replica.log())),
        }
    })
    .unwrap();
}

/// Whether the injector follows its ConfigMap again.
fn until_followed(installation: &Installation<'_>, replica: &Replica) {
    let generation = "sidecar_injector_configuration_generation";
    let before = replica.metric(generation, "");
    let name = installation.object_name();
    let text = installation.kubectl(&["get", "configmap", &name, "-o", "json"]).unwrap();
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut wanted: serde_json::Value = serde_json::from_str(object["data"]["values"].as_str().unwrap()).unwrap();
    wanted["step"] = before.into();
    let patch = serde_json::json!({"data": {"values": wanted.to_string()}}).to_string();
    installation.kubectl(&["patch", "configmap", &name, "--type=merge", "--patch", &patch]).unwrap();
    replica.until_metric(generation, "", |now| now > before);
}

#[test]
fn a_server_that_comes_back_finds_the_injector_as_it_was() {
    if !require_api_server() {
        return;
    }
    let server = ApiServer::start(Options::default()).unwrap();
    let installation = Installation::new(&server, "restart");
    let mut replica = installation.start_ready("restart-0", &[]);
    let demo = installation.labelled_namespace("demo");
    installation.create_injected_pod(&demo, "before");

    server.restart().unwrap();
    until_injected(&installation, &replica, &demo, "restarted");
    until_followed(&installation, &replica);
    replica.until_metric("sidecar_injector_leader", "", |leads| leads == 1.0);

    server.stop().unwrap();
    replica.until_metric("sidecar_injector_leader", "", |leads| leads == 0.0);
    sleep(Duration::from_secs(20));
    assert!(replica.is_ready(), "{}", replica.report());
    // One that starts now waits.
    let new = installation.start("restart-1", &[]);
    new.until_reported(&["[-]configuration", "[-]certificate"]);
    let lines = replica.log().lines().count();
    assert!(lines < 60, "{}", replica.log());
    server.restart().unwrap();
    new.until_ready();
    until_injected(&installation, &replica, &demo, "back");
    until_followed(&installation, &replica);
    eventually(PATIENCE, || {
        let leaders = [&replica, &new].map(|one| one.metric("sidecar_injector_leader", ""));
        if leaders[0] + leaders[1] == 1.0 { Ok(()) } else { Err(format!("{leaders:?}\n{}", replica.log())) }
    })
    .unwrap();
    replica.terminate();
    assert!(replica.wait().status.success());
}

#[test]
fn who_waits_for_a_server_ends_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let text = "{apiVersion: v1, kind: Config, current-context: a, clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}],\n\
                users: [{name: a, user: {token: a}}], contexts: [{name: a, context: {cluster: a, user: a}}]}\n";
    #[expect(clippy::disallowed_methods, reason = "where the server is, the program reads from a file")]
    fs::write(&kubeconfig, text).unwrap();
    let flag = format!("--kubeconfig={}", kubeconfig.display());
    let mut replica = Replica::start("waiting-0", &["--register", &flag, "--drain-delay=0s"]);
    replica.until_reported(&["[-]configuration", "[-]certificate", "[-]cluster caches", "onnect"]);
    assert!(!replica.is_ready());
    replica.terminate();
    let output = replica.wait();
    assert!(output.status.success(), "{}", output.stderr);
}

#[test]
fn a_replica_that_comes_first_waits_for_everything_else() {
    let Some(server) = ApiServer::shared() else { return };
    let installation = Installation::new(server, "early");
    let name = installation.object_name();
    installation.delete_bindings();
    installation.kubectl(&["delete", "configmap", &name]).unwrap();
    let mut replica = installation.start("early-0", &[]);
    replica.until_reported(&["[-]configuration", "configmaps", "[-]certificate", "secrets"]);
    let mut second = installation.start("early-1", &[]);
    second.until_reported(&["[-]configuration"]);
    second.terminate();
    assert!(second.wait().status.success());
    installation.apply();
    replica.until_ready();
    let demo = installation.labelled_namespace("demo");
    until_injected(&installation, &replica, &demo, "late");
    replica.terminate();
    assert!(replica.wait().status.success());
}
