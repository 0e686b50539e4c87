//! What the kubelet and Prometheus get to see.

use std::time::{Duration, Instant};

use sidecar_proxy::bind::Purpose;
use tokio::net::TcpStream;

use crate::harness::{Ipv4OrV6, Proxy, Redirected, answer, get};

#[tokio::test]
async fn metrics_are_found_at_both_paths_over_both_families() {
    let proxy = Proxy::start(Redirected::Never).await;
    for family in [Ipv4OrV6::V4, Ipv4OrV6::V6] {
        for path in ["/stats/prometheus", "/metrics"] {
            let (status, body) = get(proxy.address(Purpose::Prometheus, family), path).await;
            assert_eq!(status, 200);
            assert!(body.contains("\nenvoy_server_live 1\n"), "{body}");
            assert!(body.contains("\nenvoy_server_concurrency 2\n"), "{body}");
            assert!(!body.contains("# EOF"), "{body}");
        }
    }
}

#[tokio::test]
async fn the_format_of_metrics_is_the_one_that_is_asked_for() {
    let proxy = Proxy::start(Redirected::Never).await;
    let prometheus = proxy.address(Purpose::Prometheus, Ipv4OrV6::V4);
    for (accept, content_type, last, kind) in [
        ("*/*", "text/plain; version=0.0.4", "", "envoy_cluster_upstream_cx_connect_fail counter"),
        (
            "application/openmetrics-text",
            "application/openmetrics-text",
            "# EOF\n",
            "envoy_cluster_upstream_cx counter",
        ),
    ] {
        let request = format!("GET /stats/prometheus HTTP/1.1\r\nhost: pod\r\naccept: {accept}\r\n\r\n");
        let response = answer(TcpStream::connect(prometheus).await.unwrap(), request.as_bytes()).await;
        let response = String::from_utf8(response).unwrap();
        assert!(response.contains(&format!("content-type: {content_type}")), "{response}");
        assert!(response.ends_with(last) && response.contains(&format!("# TYPE {kind}\n")), "{response}");
    }
}

#[tokio::test]
async fn each_port_answers_its_own_questions_only() {
    let proxy = Proxy::start(Redirected::Never).await;
    let (health, prometheus) =
        (proxy.address(Purpose::Health, Ipv4OrV6::V4), proxy.address(Purpose::Prometheus, Ipv4OrV6::V4));
    assert_eq!(get(health, "/healthz/ready").await.0, 200);
    assert_eq!(get(health, "/stats/prometheus").await.0, 404);
    assert_eq!(get(prometheus, "/healthz/ready").await.0, 404);
}

#[tokio::test]
async fn a_request_too_large_or_never_finished_does_not_hold_a_connection() {
    let proxy = Proxy::start(Redirected::Never).await;
    let health = proxy.address(Purpose::Health, Ipv4OrV6::V4);
    let large = format!("GET /healthz/ready HTTP/1.1\r\nhost: pod\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let refused = answer(TcpStream::connect(health).await.unwrap(), large.as_bytes()).await;
    assert!(!refused.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&refused));

    let begun = Instant::now();
    answer(TcpStream::connect(health).await.unwrap(), b"GET /healthz/ready HTTP/1.1\r\n").await;
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn connections_that_do_not_ask_keep_nobody_from_being_answered() {
    let proxy = Proxy::start(Redirected::Never).await;
    let health = proxy.address(Purpose::Health, Ipv4OrV6::V4);
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(health).await.unwrap());
    }
    // The kubelet gives it three seconds.
    let answered = tokio::time::timeout(Duration::from_secs(2), get(health, "/healthz/ready")).await;
    assert_eq!(answered.unwrap().0, 200);
}
