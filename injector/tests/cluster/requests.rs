//! What is said about requests: to whoever creates a pod, to its owner, and to the audit log.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use sidecar_injector::certificates::{Validity, issue};
use sidecar_injector::clock::now;
use sidecar_injector::config::Configuration;
use sidecar_injector::context::Injector;
use sidecar_injector::defaults;
use sidecar_injector::events::Events;
use sidecar_injector::kubernetes::events::write;
use sidecar_injector::server::Bound;
use sidecar_injector::server::certificate::server_config;
use sidecar_process::drain::Drain;
use sidecar_process::readiness::Readiness;
use sidecar_test_support::api_server::ApiServer;
use sidecar_test_support::eventually::eventually;
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(30);
const REVISION: &str = "requests";
const OWN: &str = "own=request.namespace.startsWith('requests-')";

async fn client(server: &ApiServer) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(server.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// An injector that is registered, and goes on until it is dropped.
fn serve(server: &ApiServer) -> (Runtime, Drain) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let issued = issue(&["127.0.0.1"], Validity::one_year(now())).unwrap();
    let (drain, watch) = Drain::new();
    let address = runtime.block_on(async {
        let loopback = || "127.0.0.1:0".parse().unwrap();
        let bound = Bound::bind(loopback(), loopback()).await.unwrap();
        let address = bound.https_address().unwrap();
        let configuration = Configuration::load(&defaults::sources()).unwrap();
        let injector = Injector::new(configuration).with(|settings| REVISION.clone_into(&mut settings.revision));
        let current = Arc::new(ArcSwapOption::from_pointee(injector));
        let tls = server_config(&issued.certificate, &issued.key).unwrap();
        let (events, queue) = Events::channel();
        tokio::spawn(write(client(server).await, queue, "injector-0".to_owned()));
        tokio::spawn(bound.serve(current, tls, Arc::default(), events, Readiness::new(), watch));
        address
    });
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut bundle.as_file(), issued.ca_certificate.as_bytes()).unwrap();
    let url = format!("https://{address}");
    let bundle = bundle.path().to_str().unwrap();
    let arguments = ["--revision", REVISION, "--url", &url, "--ca-bundle-file", bundle, "--match-condition", OWN];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sidecar-injector"));
    command.args(["webhook", "apply", "--namespace", "requests-own", "--kubeconfig"]).arg(server.kubeconfig());
    let output = command.args(arguments).env_remove("POD_NAMESPACE").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (runtime, drain)
}

fn pod(namespace: &str, name: &str, spec: &Value) -> String {
    let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-owner"), "uid": format!("uid-of-{name}"),
        "controller": true});
    json!({"apiVersion": "v1", "kind": "Pod", "spec": spec,
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [owner]}})
    .to_string()
}

fn create(server: &ApiServer, object: &str, arguments: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file.as_file(), object.as_bytes()).unwrap();
    server.kubectl().args(["create", "-f"]).arg(file.path()).args(arguments).output().unwrap()
}

fn events(server: &ApiServer, namespace: &str) -> Vec<Value> {
    let text = server.run(["get", "events.events.k8s.io", "-n", namespace, "-o", "json"]).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["items"].as_array().unwrap().clone()
}

#[test]
fn a_surprise_reaches_the_user_the_owner_and_the_audit_log() {
    let Some(server) = ApiServer::shared() else { return };
    for name in ["requests-real", "requests-dry"] {
        let labels = json!({"istio.io/rev": REVISION});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        server.apply(&namespace.to_string()).unwrap();
    }
    let _serving = serve(server);
    let on_host = json!({"hostNetwork": true, "containers": [{"name": "a", "image": "a"}]});
    let plain = json!({"containers": [{"name": "a", "image": "a"}]});

    // The API server hears of a registration within a second or so.
    let injected = eventually(PATIENCE, || {
        let output = create(server, &pod("requests-dry", "probe", &plain), &["--dry-run=server", "-o", "json"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains("istio-proxy") { Ok(text) } else { Err(format!("{text}{:?}", output.stderr.escape_ascii())) }
    });
    injected.unwrap();

    for (namespace, arguments) in [("requests-real", &[][..]), ("requests-dry", &["--dry-run=server"][..])] {
        let output = create(server, &pod(namespace, "on-host", &on_host), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.contains("Warning: no sidecar: the pod uses the host's network"),
            "{said}"
        );
        let mut bad: Value = serde_json::from_str(&pod(namespace, "bad", &plain)).unwrap();
        bad["metadata"]["annotations"] = json!({"sidecar.istio.io/proxyCPU": "lots"});
        let output = create(server, &bad.to_string(), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("denied the request: sidecar injection: "), "{said}");
    }
    assert!(create(server, &pod("requests-real", "plain", &plain), &[]).status.success());

    let told =
        eventually(PATIENCE, || Some(events(server, "requests-real")).filter(|events| events.len() >= 2).ok_or("none"));
    let told = told.unwrap();
    let mut reasons: Vec<_> = told
        .iter()
        .map(|event| [&event["reason"], &event["regarding"]["uid"], &event["type"]].map(|text| text.as_str().unwrap()))
        .collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [["InjectionDenied", "uid-of-bad", "Warning"], ["InjectionSkipped", "uid-of-on-host", "Warning"]]
    );
    assert!(told.iter().all(|event| event["reportingInstance"] == "injector-0"), "{told:?}");
    assert_eq!(events(server, "requests-dry").len(), 0, "a dry run has no effect on others");

    are_audited(server);
}

/// Waits for what the audit log says of the three pods.
fn are_audited(server: &ApiServer) {
    for (name, expected) in [
        ("on-host", &[("decision", "skipped"), ("reason", "host_network"), ("revision", REVISION)][..]),
        ("plain", &[("decision", "injected"), ("reason", "policy_enabled"), ("templates", "sidecar")]),
        ("bad", &[("decision", "denied"), ("reason", "invalid_pod")]),
    ] {
        let of_pod = |entry: &Value| {
            entry["objectRef"]["namespace"] == "requests-real"
                && (entry["objectRef"]["name"] == name || entry["requestObject"]["metadata"]["name"] == name)
        };
        // The API server writes it after the answer, and a line may be there in part.
        let entry = eventually(PATIENCE, || {
            let log = server.audit_log().unwrap();
            let mut entries = log.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            entries.find(of_pod).ok_or("not in the audit log")
        });
        let entry = entry.unwrap();
        for (key, value) in expected {
            let key = format!("rev.namespace.sidecar-injector.istio.io/{key}");
            assert_eq!(entry["annotations"][&key], *value, "{name} {key}: {}", entry["annotations"]);
        }
    }
}
