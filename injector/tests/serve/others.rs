//! Clients that are slow, greedy, or speak something else: nobody else notices.

#![expect(clippy::panic, reason = "what does not happen in time fails the test with its own words")]

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, Raw, frame, headers};
use crate::{PATIENCE, Server, get, review, server};

const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// As many requests as one client may have under way, and the streams of a connection.
const MOST: usize = 640;
const STREAMS: usize = 128;
/// Initial window size of a client that reads nothing.
const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

async fn is_served(server: &Server) {
    for alpn in ["h2", "http/1.1"] {
        let asked = server.client.post(alpn, "/inject", "application/json", review().to_string());
        let (status, answer) = timeout(PATIENCE, asked).await.unwrap();
        assert_eq!(status, 200, "{alpn}: {answer}");
    }
}

/// The value of a metric, once it is at least `least`.
async fn metric(server: &Server, line: &str, least: usize) -> usize {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let metrics = get(server.monitoring, "/metrics").await;
        let value =
            metrics.lines().find_map(|text| text.strip_prefix(line)).map_or(0, |text| text.trim().parse().unwrap());
        if value >= least {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{line} does not come to {least}");
}

/// Opens more streams than one client may have, over several connections.
async fn all_streams(server: &Server, settings: &[u8], body: Option<&[u8]>) -> Vec<Raw> {
    let mut connections = Vec::new();
    for _ in 0..MOST / STREAMS + 1 {
        let mut raw = Raw::connect(&server.client, GREEDY, settings).await;
        let stream = |number: usize| {
            let id = (number * 2 + 1) as u32;
            let data = body.map(|body| frame(DATA, END_STREAM, id, body)).unwrap_or_default();
            [frame(HEADERS, END_HEADERS, id, &headers()), data].concat()
        };
        // In a few pieces, as the window of the connection is limited.
        for first in (0..STREAMS).step_by(16) {
            assert!(raw.send(&(first..first + 16).flat_map(stream).collect::<Vec<_>>()).await);
        }
        connections.push(raw);
    }
    connections
}

#[tokio::test]
async fn a_client_whose_bodies_do_not_arrive_takes_its_share_and_no_more() {
    let server = server().await;
    let connections = all_streams(&server, &[], None).await;
    let shed = metric(&server, r#"sidecar_injector_shed_total{limit="requests_of_one_client"}"#, STREAMS).await;
    assert_eq!(shed, STREAMS);
    assert_eq!(metric(&server, "sidecar_injector_requests_in_flight", MOST).await, MOST);
    is_served(&server).await;
    drop(connections);
    let mut left = MOST;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        left = metric(&server, "sidecar_injector_requests_in_flight", 0).await;
        if left == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{left} requests are under way after their client has left");
}

#[tokio::test]
async fn a_client_that_reads_no_answers_takes_its_share_and_no_more() {
    let server = server().await;
    let connections = all_streams(&server, &NO_WINDOW, Some(review().to_string().as_bytes())).await;
    let shed = metric(&server, r#"sidecar_injector_shed_total{limit="requests_of_one_client"}"#, 1).await;
    assert!(shed <= STREAMS, "{shed}");
    is_served(&server).await;
    drop(connections);
}

#[tokio::test]
async fn connections_that_say_nothing_take_a_share_and_no_more() {
    let server = server().await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(server.client.tcp_from(GREEDY).await);
    }
    let shed = metric(&server, r#"sidecar_injector_shed_total{limit="connections_of_one_client"}"#, 80).await;
    assert_eq!(shed, 80);
    is_served(&server).await;
}

#[tokio::test]
async fn a_client_that_speaks_plain_http_is_told_so() {
    let server = server().await;
    for request in ["POST /inject HTTP/1.1\r\nhost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut plain = server.client.tcp_from(GREEDY).await;
        plain.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        plain.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("this port speaks TLS"), "{answer}");
    }
    metric(&server, r#"sidecar_injector_requests_total{outcome="rejected",reason="no_tls"}"#, 2).await;
    is_served(&server).await;
}

#[tokio::test]
async fn what_is_not_tls_ends_the_connection() {
    let server = server().await;
    let hello = [&[22, 3, 1, 0x40, 0][..], &[1; 0x4000]].concat();
    for garbage in [&[0; 100_000][..], &[22; 100_000], b"\x16\x03\x01\xff\xff", &hello, b"{\"kind\":", b"\xff"] {
        let mut stream = server.client.tcp_from(GREEDY).await;
        let _ = stream.write_all(garbage).await;
        let _ = stream.shutdown().await;
        let mut said = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "still open after {} bytes", garbage.len());
        assert!(said.len() < 100, "an alert at most");
    }
    is_served(&server).await;
}

#[tokio::test]
async fn headers_are_limited() {
    let server = server().await;
    let mut stream = server.client.connect("http/1.1").await;
    let _ = stream.write_all(b"POST /inject HTTP/1.1\r\nhost: a\r\n").await;
    for _ in 0..20 {
        let line = format!("x: {}\r\n", "a".repeat(60_000));
        if stream.write_all(line.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", answer.escape_ascii());

    let mut stream = server.client.connect("http/1.1").await;
    let head = format!("POST /inject HTTP/1.1\r\nhost: a\r\nx: {}\r\n", "a".repeat(70_000));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 431"), "{}", answer.escape_ascii());
    is_served(&server).await;
}
