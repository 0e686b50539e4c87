//! Clients that take a place and ask for nothing.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::{PATIENCE, get, server};

#[tokio::test]
async fn clients_that_say_nothing_after_the_handshake_are_dropped() {
    let server = server().await;
    let silent = async |alpn: &str, first: &[u8]| {
        let mut stream = server.client.connect(alpn).await;
        stream.write_all(first).await.unwrap();
        let mut said = Vec::new();
        let ended = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        assert!(ended.is_ok(), "{alpn}: still open");
    };
    tokio::join!(
        silent("", b""),
        silent("http/1.1", b""),
        silent("http/1.1", b"POST /inject HTTP/1.1\r\n"),
        silent("h2", b""),
        silent("h2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    );
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_probes_out() {
    let server = server().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(server.monitoring).await.unwrap());
    }
    let start = Instant::now();
    let answer = timeout(PATIENCE, get(server.monitoring, "/healthz")).await.expect("the probe waits for ever");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(start.elapsed() >= Duration::from_secs(1), "there is room for all of them");
}
