//! The webhook over real TLS: answers, refusals, limits, monitoring and drain.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod client;

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use client::Client;
use serde_json::{Value, json};
use sidecar_injector::config::Configuration;
use sidecar_injector::context::Injector;
use sidecar_injector::defaults;
use sidecar_injector::server::{Bound, MAX_BODY_BYTES, certificate};
use sidecar_process::drain::{Drain, Drained};
use sidecar_process::readiness::Readiness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Server {
    client: Client,
    monitoring: std::net::SocketAddr,
    readiness: Readiness,
    drain: Drain,
}

async fn server() -> Server {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    let injector = Arc::new(Injector { configuration, revision: String::new(), native_sidecars: false });
    let issued = certificate::issue(&[]).unwrap();
    let tls = certificate::server_config(&issued.certificate, &issued.key).unwrap();
    let loopback = || "127.0.0.1:0".parse().unwrap();
    let bound = Bound::bind(loopback(), loopback()).await.unwrap();
    let (https, monitoring) = (bound.https_address().unwrap(), bound.monitoring_address().unwrap());
    let readiness = Readiness::new();
    let (drain, watch) = Drain::new();
    tokio::spawn(bound.serve(injector, tls, readiness.clone(), watch));
    Server { client: Client::new(https, &issued.ca_certificate), monitoring, readiness, drain }
}

fn review() -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "7",
        "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "demo",
        "object": {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}}}})
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_review_is_answered_over_http_1_and_http_2() {
    let server = server().await;
    for alpn in ["http/1.1", "h2"] {
        let (status, body) = server.client.post(alpn, "/inject", "application/json", review().to_string()).await;
        assert_eq!(status, 200, "{alpn}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&answer["response"]["uid"], &answer["response"]["allowed"]), (&json!("7"), &json!(true)), "{alpn}");
        assert!(answer["response"]["patch"].is_string(), "{alpn}");
    }
}

#[tokio::test]
async fn what_is_no_review_gets_the_right_status() {
    let server = server().await;
    let json = "application/json";
    let too_large = "x".repeat(MAX_BODY_BYTES + 1);
    for (path, content_type, body, expected) in [
        ("/inject", json, "not json".to_owned(), 400),
        ("/inject", json, String::new(), 400),
        ("/inject", json, "{}".to_owned(), 400),
        ("/inject", json, r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#.to_owned(), 400),
        ("/inject", "text/plain", review().to_string(), 415),
        ("/inject", "application/json; charset=utf-8", review().to_string(), 200),
        ("/inject", json, too_large, 413),
        ("/elsewhere", json, review().to_string(), 404),
    ] {
        let (status, answer) = server.client.post("http/1.1", path, content_type, body).await;
        assert_eq!(status, expected, "{path} {content_type}: {answer}");
    }
    let (status, _) = server.client.request("http/1.1", "GET", "/inject", "application/json", String::new()).await;
    assert_eq!(status, 405);
    let (status, _) = server.client.post("http/1.1", "/inject", json, review().to_string()).await;
    assert_eq!(status, 200, "still serves");
}

#[tokio::test]
async fn monitoring_tells_health_readiness_and_counts() {
    let server = server().await;
    server.client.post("http/1.1", "/inject", "application/json", review().to_string()).await;
    server.client.post("http/1.1", "/inject", "text/plain", String::new()).await;
    assert!(get(server.monitoring, "/healthz").await.starts_with("HTTP/1.0 200"));
    assert!(get(server.monitoring, "/readyz").await.starts_with("HTTP/1.0 200"));
    let metrics = get(server.monitoring, "/metrics").await;
    assert!(
        metrics.contains(r#"sidecar_injector_requests_total{outcome="injected",reason="policy_enabled"} 1"#),
        "{metrics}"
    );
    assert!(
        metrics.contains(r#"sidecar_injector_requests_total{outcome="rejected",reason="content_type"} 1"#),
        "{metrics}"
    );
    server.readiness.withdraw("draining");
    let answer = get(server.monitoring, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.0 503") && answer.contains("draining"), "{answer}");
}

#[tokio::test]
async fn a_drain_finishes_the_request_under_way() {
    let server = server().await;
    let body = review().to_string();
    let (first, rest) = body.split_at(body.len() / 2);
    let mut stream = server.client.connect("http/1.1").await;
    let head = format!(
        "POST /inject HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{first}").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let draining = tokio::spawn(server.drain.run(Duration::from_secs(20)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!draining.is_finished(), "the drain waits for the request");
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("JSONPatch"), "{answer}");
    assert_eq!(draining.await.unwrap(), Drained::Finished);
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_harms_nobody() {
    let server = server().await;
    let mut plain = tokio::net::TcpStream::connect(server.client.address()).await.unwrap();
    plain.write_all(b"POST /inject HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    let (status, _) = server.client.post("http/1.1", "/inject", "application/json", review().to_string()).await;
    assert_eq!(status, 200);
}

fn serve(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_sidecar-injector"))
        .arg("serve")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end(mut child: Child) -> (Option<i32>, String) {
    let mut log = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut log).unwrap();
    (child.wait().unwrap().code(), log)
}

#[test]
fn the_program_serves_until_it_is_told_to_stop() {
    use std::io::BufRead;
    let mut child = serve(&[
        "--dev",
        "--https-address",
        "127.0.0.1:0",
        "--monitoring-address",
        "127.0.0.1:0",
        "--log-format",
        "json",
    ]);
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["message"], "listening", "{line}");
    let monitoring = event["monitoring"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(monitoring).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_prevents_serving_is_said_and_ends_the_program() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, log) = end(serve(&["--dev", "--https-address", &address, "--monitoring-address", "127.0.0.1:0"]));
    assert_eq!(code, Some(1));
    assert!(log.contains(&address) && log.contains("the webhook") && log.contains("in use"), "{log}");

    let (code, log) = end(serve(&["--tls-cert-file", "/none", "--tls-key-file", "/none"]));
    assert_eq!((code, log.contains("/none: cannot be opened")), (Some(1), true), "{log}");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, log) = end(serve(&["--tls-cert-file", manifest, "--tls-key-file", manifest]));
    assert_eq!((code, log.contains("is not PEM") && log.contains("Cargo.toml")), (Some(1), true), "{log}");
    assert_eq!(end(serve(&[])).0, Some(2));
    assert_eq!(end(serve(&["--dev", "--tls-cert-file", "a", "--tls-key-file", "b"])).0, Some(2));
}
