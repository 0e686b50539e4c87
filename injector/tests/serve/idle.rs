//! Clients that take a place and ask for nothing.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::{PATIENCE, get, server};

/// Shorter than 600 silent clients keep a probe waiting that has to wait for them.
const PROBE: Duration = Duration::from_secs(4);
/// An address of this machine that nobody else comes from.
const GREEDY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

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
    for _ in 0..600 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((GREEDY, 0).into()).unwrap();
        silent.push(socket.connect(server.monitoring).await.unwrap());
    }
    // With those that came before it served first, the probe would wait for their patience again and again.
    for _ in 0..3 {
        let answer = timeout(PROBE, get(server.monitoring, "/healthz")).await.expect("the probe waits for the others");
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
    // They may have been served by now, or closed, but not have taken more than a share.
    let mut open = 0;
    for stream in &silent {
        let unanswered = timeout(Duration::from_millis(1), stream.readable()).await.is_err();
        open += usize::from(unanswered);
    }
    assert!(open <= 16, "{open}");
}
