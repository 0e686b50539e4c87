//! The API server for tests: a cluster that keeps what it is told, also over a restart.

use std::net::Ipv4Addr;
use std::time::Duration;

use sidecar_test_support::api_server::{ApiServer, Error, Options, require_api_server};
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;

const OBJECTS: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: demo}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: demo}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: demo}
spec:
  containers: [{name: web, image: nginx, securityContext: {privileged: true}}]
";

#[test]
fn a_cluster_outlives_a_restart() {
    if !require_api_server() {
        return;
    }
    let server = ApiServer::start(Options::default()).unwrap();
    server.apply(OBJECTS).unwrap();
    let image = ["get", "pod", "web", "-n", "demo", "-o", "jsonpath={.spec.containers[*].image}"];
    assert_eq!(server.run(image).unwrap(), "nginx");
    let log = eventually(Duration::from_secs(5), || {
        let log = server.audit_log().unwrap();
        if log.ends_with('\n') { Ok(log) } else { Err("empty") }
    });
    assert!(log.unwrap().contains(r#""verb":"create""#));
    assert_eq!(who_has(&server, "web").unwrap(), "system:serviceaccount:demo:web");
    let refusal = server.run(["get", "pods", "-n", "demo", "--as", "system:serviceaccount:demo:web"]).unwrap_err();
    assert!(refusal.to_string().contains("forbidden"), "{refusal}");

    let address = server.address().to_owned();
    server.stop().unwrap();
    assert!(server.run(image).unwrap_err().to_string().contains("refused"));
    server.restart().unwrap();
    assert_eq!(server.address(), address);
    assert_eq!(server.run(image).unwrap(), "nginx");
}

/// Makes a token for the ServiceAccount and asks the server whose it is.
fn who_has(server: &ApiServer, account: &str) -> Result<String, Error> {
    let token = server.run(["create", "token", account, "-n", "demo"])?;
    let authority = server.certificate_authority();
    let connection = ["--kubeconfig", "/dev/null", "--server", server.address(), "--token", &token];
    let question = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", "--certificate-authority"];
    server.run(connection.iter().chain(&question).map(AsRef::as_ref).chain([authority.as_os_str()]))
}

#[test]
fn a_server_in_a_network_namespace_is_reached_from_there_only() {
    if !require_root("it makes a network namespace") || !require_api_server() {
        return;
    }
    let namespace = Namespace::create("apiserver").unwrap();
    let server = ApiServer::start(Options::inside(&namespace, Ipv4Addr::LOCALHOST.into())).unwrap();
    assert_eq!(server.run(["get", "namespace", "default", "-o", "name"]).unwrap(), "namespace/default");
    let port = server.address().rsplit(':').next().unwrap().parse().unwrap();
    assert!(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}

#[test]
fn a_server_that_does_not_start_says_why() {
    if !require_api_server() {
        return;
    }
    let options = Options { arguments: vec!["--no-such-flag".to_owned()], ..Options::default() };
    let error = ApiServer::start(options).unwrap_err().to_string();
    assert!(error.contains("no-such-flag"), "{error}");
}
