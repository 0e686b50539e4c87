//! Floods of HTTP/2 frames against a process: it takes little memory for them, and goes on answering others.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::client::Client;
use crate::frames::{CONTINUATION, END_HEADERS, HEADERS, PING, RESET, Raw, SETTINGS, frame, headers};
use crate::program::Serving;
use crate::review;

const FLOODER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// A debug build has its log and its caches too.
const GROWTH: usize = 48 * 1024 * 1024;

async fn is_served(client: &Client) {
    for alpn in ["h2", "http/1.1"] {
        let asked = client.post(alpn, "/inject", "application/json", review().to_string());
        let (status, _) = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap();
        assert_eq!(status, 200, "{alpn}");
    }
}

/// Lets several connections flood a process with `bytes`, while others ask.
async fn withstands(what: &str, times: usize, bytes: impl Fn(usize) -> Vec<u8>) {
    let (serving, client) = Serving::with_certificate(&[]);
    is_served(&client).await;
    let before = serving.resident();
    let mut floods = Vec::new();
    for _ in 0..8 {
        floods.push(Raw::connect(&client, FLOODER, &[]).await);
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
    assert!(most < before + GROWTH, "{what}: {taken} taken, {before} bytes before, {most} at most");
    drop(floods);
    is_served(&client).await;
    let readiness = serving.get("/readyz");
    assert!(readiness.starts_with("HTTP/1.0 200"), "{readiness}");
}

#[tokio::test]
async fn streams_that_are_opened_and_reset() {
    withstands("rapid reset", 1, |round| {
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
    withstands("continuation", 200, |round| {
        let piece = |name: u8| [&[0x00, 1, name, 0x7f, 0x80, 0x7f][..], &[b'a'; 16255]].concat();
        if round == 0 { frame(HEADERS, 0, 1, &headers()) } else { frame(CONTINUATION, 0, 1, &piece(b'x')) }
    })
    .await;
}

#[tokio::test]
async fn settings_and_pings_whose_answers_nobody_reads() {
    withstands("settings", 16, |_| frame(SETTINGS, 0, 0, &[]).repeat(5000)).await;
    withstands("pings", 16, |_| frame(PING, 0, 0, &[7; 8]).repeat(5000)).await;
}
