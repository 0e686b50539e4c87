//! Floods of HTTP/2 frames against a process: it takes little memory for them, and goes on answering others.

use std::net::Ipv4Addr;

use crate::client::Client;
use crate::frames::{CONTINUATION, END_HEADERS, HEADERS, PING, RESET, Raw, SETTINGS, frame, headers};
use crate::program::Serving;
use crate::{PATIENCE, review};

const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A debug build has its log and its caches too.
const GROWTH: usize = 48 * 1024 * 1024;
const CONNECTIONS: usize = 8;

async fn is_served(client: &Client) {
    for alpn in ["h2", "http/1.1"] {
        let asked = client.post(alpn, "/inject", "application/json", review().to_string());
        let (status, _) = tokio::time::timeout(PATIENCE, asked).await.unwrap();
        assert_eq!(status, 200, "{alpn}");
    }
}

/// Lets several connections flood a process with `bytes`, after each has sent `first`, while others ask.
async fn withstands(what: &str, times: usize, first: &[u8], bytes: impl Fn(usize) -> Vec<u8>) {
    let (serving, client) = Serving::with_certificate(&[]);
    is_served(&client).await;
    let before = serving.resident();
    let mut floods = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut raw = Raw::connect(&client, FLOODER, &[]).await;
        assert!(raw.send(first).await, "{what}");
        floods.push(raw);
    }
    let mut taken = 0;
    let mut most = before;
    for round in 0..4 {
        let bytes = bytes(round);
        for raw in &mut floods {
            taken += raw.flood(&bytes, times).await;
        }
        is_served(&client).await;
        most = most.max(serving.resident());
    }
    assert!(taken >= CONNECTIONS * 4096, "{what}: only {taken} bytes taken, which is no flood");
    assert!(most < before + GROWTH, "{what}: {taken} bytes taken, {before} before in memory, {most} at most");
    drop(floods);
    is_served(&client).await;
    let readiness = serving.get("/readyz");
    assert!(readiness.starts_with("HTTP/1.0 200"), "{readiness}");
}

#[tokio::test]
async fn streams_that_are_opened_and_reset() {
    withstands("rapid reset", 1, &[], |round| {
        let stream = |number: usize| {
            let id = ((round * 2000 + number) * 2 + 1) as u32;
            [frame(HEADERS, END_HEADERS, id, &headers()), frame(RESET, 0, id, &8_u32.to_be_bytes())].concat()
        };
        (0..2000).flat_map(stream).collect()
    })
    .await;
}

#[tokio::test]
async fn headers_that_never_end() {
    // A header of 16,256 bytes.
    let header = [&[0x00, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'a'; 16256]].concat();
    let open = frame(HEADERS, 0, 1, &headers());
    withstands("long continuations", 200, &open, |_| frame(CONTINUATION, 0, 1, &header)).await;
    withstands("empty continuations", 200, &open, |_| frame(CONTINUATION, 0, 1, &[]).repeat(1000)).await;
}

#[tokio::test]
async fn settings_and_pings_whose_answers_nobody_reads() {
    withstands("settings", 16, &[], |_| frame(SETTINGS, 0, 0, &[]).repeat(5000)).await;
    withstands("pings", 16, &[], |_| frame(PING, 0, 0, &[7; 8]).repeat(5000)).await;
}
