//! The webhook over real TLS: answers, refusals, limits, monitoring and drain.

#![expect(clippy::disallowed_methods, reason = "a test makes certificates for now")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[path = "../common/client.rs"]
mod client;
mod floods;
mod frames;
mod idle;
mod others;
mod program;
#[path = "../common/running.rs"]
mod running;
#[cfg(feature = "otlp")]
mod traces;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use client::Client;
use serde_json::{Value, json};
use sidecar_injector::certificates::{LOOPBACK_NAMES, Validity, issue};
use sidecar_injector::config::Configuration;
use sidecar_injector::context::Injector;
use sidecar_injector::defaults;
use sidecar_injector::events::Events;
use sidecar_injector::server::certificate;
use sidecar_injector::server::{Bound, MAX_BODY_BYTES};
use sidecar_process::drain::{Drain, Drained};
use sidecar_process::readiness::Readiness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long anything may take that should happen: others use the machine too.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    client: Client,
    monitoring: std::net::SocketAddr,
    readiness: Readiness,
    drain: Drain,
}

async fn server() -> Server {
    let configuration = Configuration::load(&defaults::sources()).unwrap();
    let current = Arc::new(ArcSwapOption::from_pointee(Injector::new(configuration)));
    let issued = issue(&LOOPBACK_NAMES, Validity::one_year(SystemTime::now())).unwrap();
    let tls = certificate::server_config(&issued.certificate, &issued.key).unwrap();
    let loopback = || "127.0.0.1:0".parse().unwrap();
    let bound = Bound::bind(loopback(), loopback()).await.unwrap();
    let (https, monitoring) = (bound.https_address().unwrap(), bound.monitoring_address().unwrap());
    let readiness = Readiness::new();
    let (drain, watch) = Drain::new();
    tokio::spawn(bound.serve(current, tls, Arc::default(), Events::default(), readiness.clone(), watch));
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
    let large = |bytes: usize| "x".repeat(bytes);
    let values = |count: usize| format!("[{}0]", "0,".repeat(count));
    for alpn in ["http/1.1", "h2"] {
        for (method, path, content_type, body, expected) in [
            ("POST", "/inject", json, "not json".to_owned(), 400),
            ("POST", "/inject", json, String::new(), 400),
            ("POST", "/inject", json, "{}".to_owned(), 400),
            (
                "POST",
                "/inject",
                json,
                r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#.to_owned(),
                400,
            ),
            ("POST", "/inject", json, large(MAX_BODY_BYTES), 400),
            ("POST", "/inject", "text/plain", review().to_string(), 415),
            ("POST", "/inject", "text/plain", large(10_000_000), 415),
            ("POST", "/inject", "application/json; charset=utf-8", review().to_string(), 200),
            ("POST", "/inject", json, large(MAX_BODY_BYTES + 1), 413),
            ("POST", "/inject", json, large(20_000_000), 413),
            ("POST", "/inject", json, values(1_000_000), 413),
            ("POST", "/elsewhere", json, large(10_000_000), 404),
            ("GET", "/inject", json, String::new(), 405),
            ("PUT", "/inject", json, large(10_000_000), 405),
            ("POST", "/inject", json, review().to_string(), 200),
            ("POST", "/inject/", json, review().to_string(), 200),
            ("POST", "/inject/cluster/c1/", json, review().to_string(), 200),
        ] {
            let size = body.len();
            let (status, answer) = server.client.request(alpn, method, path, content_type, body).await;
            assert_eq!(status, expected, "{alpn} {method} {path} {content_type} {size}: {answer}");
        }
    }
    let metrics = get(server.monitoring, "/metrics").await;
    for (reason, count) in
        [("too_large", 4), ("too_many_values", 2), ("content_type", 4), ("no_such_path", 2), ("not_a_post", 4)]
    {
        let line = format!(r#"sidecar_injector_requests_total{{outcome="rejected",reason="{reason}"}} {count}"#);
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
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
