//! Relaying between real sockets on loopback.

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::sizing::MOST_HELD;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    from_downstream: usize,
    to_upstream: usize,
    from_upstream: usize,
    to_downstream: usize,
}

impl Meter for Counted {
    fn read(&mut self, from: Side, bytes: usize) {
        *match from {
            Side::Downstream => &mut self.from_downstream,
            Side::Upstream => &mut self.from_upstream,
        } += bytes;
    }

    fn written(&mut self, to: Side, bytes: usize) {
        *match to {
            Side::Downstream => &mut self.to_downstream,
            Side::Upstream => &mut self.to_upstream,
        } += bytes;
    }
}

/// A client and a server with a relay in between.
struct Relayed {
    client: TcpStream,
    server: TcpStream,
    relay: JoinHandle<(Outcome, Counted)>,
}

impl Relayed {
    async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(half_close_timeout: Option<Duration>) -> Self {
        let (client, mut downstream) = pair().await;
        let (mut upstream, server) = pair().await;
        let relay = tokio::spawn(async move {
            let mut counted = Counted::default();
            let outcome = relay(&mut downstream, &mut upstream, &mut counted, half_close_timeout).await;
            if outcome != Outcome::Closed {
                downstream.set_zero_linger().unwrap();
                upstream.set_zero_linger().unwrap();
            }
            (outcome, counted)
        });
        Self { client, server, relay }
    }
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (client, accepted) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
    (client.unwrap(), accepted.unwrap().0)
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// Bytes without a short period, so that a shifted or repeated piece shows.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}

#[tokio::test]
async fn the_client_may_finish_first_and_still_be_answered() {
    let Relayed { mut client, mut server, relay } = Relayed::start().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    soon(server.read_to_string(&mut question)).await.unwrap();
    assert_eq!(question, "question");

    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "answer");
    let (outcome, counted) = soon(relay).await.unwrap();
    assert_eq!(outcome, Outcome::Closed);
    assert_eq!(counted, Counted { from_downstream: 8, to_upstream: 8, from_upstream: 6, to_downstream: 6 });
}

#[tokio::test]
async fn the_server_may_finish_first_and_still_be_told_more() {
    let Relayed { mut client, mut server, relay } = Relayed::start().await;
    server.write_all(b"greeting").await.unwrap();
    server.shutdown().await.unwrap();
    let mut greeting = String::new();
    soon(client.read_to_string(&mut greeting)).await.unwrap();
    assert_eq!(greeting, "greeting");

    client.write_all(b"report").await.unwrap();
    drop(client);
    let mut report = String::new();
    soon(server.read_to_string(&mut report)).await.unwrap();
    assert_eq!(report, "report");
    assert_eq!(soon(relay).await.unwrap().0, Outcome::Closed);
}

#[tokio::test]
async fn large_transfers_both_ways_at_once_arrive_whole() {
    const LENGTH: usize = 24 * 1024 * 1024;
    async fn exchange(stream: TcpStream, send: Vec<u8>) -> Vec<u8> {
        let (mut reader, mut writer) = stream.into_split();
        let sending = tokio::spawn(async move {
            writer.write_all(&send).await.unwrap();
            writer.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        sending.await.unwrap();
        received
    }
    let Relayed { client, server, relay } = Relayed::start().await;
    let (request, response) = (noise(LENGTH, 1), noise(LENGTH + 12_345, 2));
    let (at_client, at_server) =
        soon(async { tokio::join!(exchange(client, request.clone()), exchange(server, response.clone())) }).await;
    assert!(at_server == request, "the request was changed on its way");
    assert!(at_client == response, "the response was changed on its way");
    let (outcome, counted) = soon(relay).await.unwrap();
    assert_eq!(outcome, Outcome::Closed);
    let (sent, received) = (request.len(), response.len());
    let expected =
        Counted { from_downstream: sent, to_upstream: sent, from_upstream: received, to_downstream: received };
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn a_reset_by_one_side_resets_the_other() {
    for (resets, expected) in [(Side::Downstream, Side::Downstream), (Side::Upstream, Side::Upstream)] {
        let Relayed { mut client, mut server, relay } = Relayed::start().await;
        client.write_all(b"x").await.unwrap();
        soon(server.read_u8()).await.unwrap();
        let (gone, mut left) = if resets == Side::Downstream { (client, server) } else { (server, client) };
        gone.set_zero_linger().unwrap();
        drop(gone);
        let error = soon(left.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{resets:?}");
        assert_eq!(soon(relay).await.unwrap().0, Outcome::Broken(expected, ErrorKind::ConnectionReset));
    }
}

#[tokio::test]
async fn a_last_answer_is_delivered_though_the_server_stopped_listening() {
    let Relayed { client, mut server, relay } = Relayed::start().await;
    let (mut reader, mut writer) = client.into_split();
    // The server answers before it has read everything, as HTTP servers do that refuse a large upload.
    let uploading = tokio::spawn(async move {
        let piece = noise(64 * 1024, 3);
        while writer.write_all(&piece).await.is_ok() {}
    });
    server.read_u8().await.unwrap();
    server.write_all(b"too large").await.unwrap();
    drop(server);
    let mut answer = [0; 9];
    soon(reader.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"too large");
    soon(uploading).await.unwrap();
    assert!(matches!(soon(relay).await.unwrap().0, Outcome::Broken(Side::Upstream, _)));
}

#[tokio::test]
async fn what_a_slow_reader_has_not_taken_is_not_piled_up() {
    let Relayed { mut client, mut server, relay } = Relayed::start().await;
    // Nobody reads at the server: writing must come to a stop once the socket buffers are full.
    let piece = noise(64 * 1024, 4);
    let mut written = 0;
    while let Ok(count) = timeout(Duration::from_millis(500), client.write(&piece[written % piece.len()..])).await {
        written += count.unwrap();
        assert!(written < 64 * 1024 * 1024, "the relay swallows everything");
    }
    // Read later, it is all there and in order.
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    soon(server.read_to_end(&mut received)).await.unwrap();
    assert_eq!(received.len(), written);
    assert!(received.chunks(piece.len()).all(|chunk| chunk == &piece[..chunk.len()]));
    drop((client, server));
    let (outcome, counted) = soon(relay).await.unwrap();
    assert_eq!((outcome, counted.to_upstream), (Outcome::Closed, written));
}

#[tokio::test]
async fn what_is_held_for_a_peer_that_does_not_read_is_bounded() {
    assert!(held_for_a_peer_that_does_not_read().await <= LONGEST_READ);
}

#[tokio::test]
async fn a_worker_that_holds_much_holds_little_more() {
    // Test and relay share one thread, as connections of a worker do.
    let much = Rest::of(&vec![0; MOST_HELD]);
    assert!(held_for_a_peer_that_does_not_read().await <= 1024);
    drop(much);
    assert_eq!(HELD.get(), 0, "what is no longer held is still counted");
}

/// In bytes, when nothing moves any more.
async fn held_for_a_peer_that_does_not_read() -> usize {
    let Relayed { mut client, server, relay } = Relayed::start().await;
    let piece = noise(1024 * 1024, 5);
    while timeout(Duration::from_millis(500), client.write(&piece)).await.is_ok() {}
    // Aborting shows how far the relay was: it has read no more than it could hold.
    drop(server);
    drop(client);
    let (outcome, counted) = soon(relay).await.unwrap();
    assert!(matches!(outcome, Outcome::Broken(..)), "{outcome:?}");
    counted.from_downstream - counted.to_upstream
}

#[tokio::test]
async fn a_half_closed_connection_that_moves_nothing_is_given_up() {
    const TIMEOUT: Duration = Duration::from_millis(500);
    let Relayed { mut client, mut server, relay } = Relayed::start_with(Some(TIMEOUT)).await;
    client.shutdown().await.unwrap();
    assert_eq!(soon(server.read(&mut [0])).await.unwrap(), 0);
    // As long as something comes, it is kept.
    let begun = std::time::Instant::now();
    while begun.elapsed() < 3 * TIMEOUT {
        server.write_all(b"x").await.unwrap();
        soon(client.read_u8()).await.unwrap();
        tokio::time::sleep(TIMEOUT / 20).await;
    }
    assert_eq!(soon(relay).await.unwrap().0, Outcome::Broken(Side::Upstream, ErrorKind::TimedOut));
}

#[tokio::test]
async fn an_open_connection_may_be_silent_for_longer_than_a_half_closed_one() {
    let Relayed { mut client, mut server, relay: _relay } = Relayed::start_with(Some(Duration::from_millis(50))).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.write_all(b"x").await.unwrap();
    soon(server.read_u8()).await.unwrap();
}

#[tokio::test]
async fn a_busy_connection_lets_others_have_their_turn() {
    // Test, relay and peers share one thread, as connections of a worker do.
    let Relayed { client, server, relay: _bulk } = Relayed::start().await;
    let (mut server_read, _server_write) = server.into_split();
    let (_client_read, mut client_write) = client.into_split();
    let sending = tokio::spawn(async move { while client_write.write_all(&[0; 256 * 1024]).await.is_ok() {} });
    let taking = tokio::spawn(async move {
        let mut buffer = vec![0; 256 * 1024];
        while server_read.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    });

    let mut small = Relayed::start().await;
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        small.client.write_all(b"p").await.unwrap();
        soon(small.server.read_u8()).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    sending.abort();
    taking.abort();
}

#[tokio::test]
async fn the_future_of_an_idle_relay_is_small() {
    let (_client, mut downstream) = pair().await;
    let (mut upstream, _server) = pair().await;
    let mut counted = Counted::default();
    let size = size_of_val(&relay(&mut downstream, &mut upstream, &mut counted, None));
    assert!(size <= 288, "{size} bytes");
}
