//! Spans arrive at a collector, under the span that the request names.

use std::io::{Read, Write};
use std::net::TcpListener;

use hyper::Request;
use hyper_util::rt::TokioIo;
use sidecar_test_support::eventually::eventually;

use crate::program::Serving;
use crate::{PATIENCE, review};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A collector that takes everything, and the first request it gets.
fn collect(listener: &TcpListener) -> Vec<u8> {
    listener.set_nonblocking(true).unwrap();
    let (mut stream, _) = eventually(PATIENCE, || listener.accept()).unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = Vec::new();
    // The client waits for an answer, and does not end the stream.
    while !is_whole(&request) {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "ended too early: {}", request.escape_ascii());
        request.extend(&piece[..length]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    request
}

/// Whether the body is there, of the length that the head says.
fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap();
    request.len() - end - 4 >= length.trim().parse().unwrap()
}

#[tokio::test]
async fn a_review_is_a_span_of_its_request() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (mut serving, client) = Serving::with_certificate(&["--otlp-endpoint", &endpoint, "--drain-delay", "0s"]);
    let stream = TokioIo::new(client.connect("http/1.1").await);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post("/inject")
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .body(review().to_string())
        .unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    drop(sender);
    serving.terminate();
    let request = tokio::task::spawn_blocking(move || collect(&collector)).await.unwrap();
    assert_eq!(serving.wait(), Some(0));
    assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"), "{}", request.escape_ascii());
    let trace = bytes(TRACE);
    for part in [&b"sidecar-injector"[..], b"review", b"injected", b"policy_enabled", b"demo", &trace] {
        let is_there = request.windows(part.len()).any(|window| window == part);
        assert!(is_there, "{} is not in {}", part.escape_ascii(), request.escape_ascii());
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = |start| u8::from_str_radix(&hexadecimal[start..start + 2], 16).unwrap();
    (0..hexadecimal.len()).step_by(2).map(digits).collect()
}
