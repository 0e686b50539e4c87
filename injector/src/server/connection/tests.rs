//! How long a connection may say nothing.

use super::*;

use axum::body::Bytes;
use axum::routing::{get, post};
use http_body_util::Empty;
use sidecar_process::drain::Drain;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

const FIRST: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(100);

fn connect(protocol: Protocol, stopping: impl Future<Output = ()> + Send + 'static) -> (DuplexStream, JoinHandle<()>) {
    let (drain, watch) = Drain::new();
    tokio::spawn(async move {
        stopping.await;
        drain.run(Duration::MAX).await
    });
    connect_watched(protocol, watch)
}

fn connect_watched(protocol: Protocol, watch: DrainWatch) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = duplex(64 * 1024);
    (client, tokio::spawn(served(server, protocol, watch)))
}

async fn served(server: DuplexStream, protocol: Protocol, watch: DrainWatch) {
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/slow", post(|| tokio::time::sleep(Duration::from_secs(1000))));
    let patience = Patience { first: Instant::now() + FIRST, idle: IDLE };
    serve(server, protocol, router, Arc::default(), patience, &watch).await;
}

/// When the server lets go, in seconds from now, rounded up: HTTP/2 is allowed a few milliseconds of its own.
async fn seconds_to_the_end(connection: JoinHandle<()>) -> u64 {
    let start = Instant::now();
    connection.await.unwrap();
    start.elapsed().as_millis().div_ceil(1000) as u64
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_asks_is_dropped() {
    let (_client, connection) = connect(Protocol::Http1, std::future::pending());
    assert_eq!(seconds_to_the_end(connection).await, 10);
    // Without its preface HTTP/2 cannot even be told goodbye.
    let (_client, connection) = connect(Protocol::Http2, std::future::pending());
    assert_eq!(seconds_to_the_end(connection).await, 13);
    let (mut client, connection) = connect(Protocol::Http1, std::future::pending());
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n").await.unwrap();
    assert_eq!(seconds_to_the_end(connection).await, 13);
    let (client, connection) = connect(Protocol::Http2, std::future::pending());
    let (_sender, driver) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(client))
            .await
            .unwrap();
    tokio::spawn(driver);
    assert_eq!(seconds_to_the_end(connection).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asked_may_keep_its_connection_for_a_while() {
    let (mut client, connection) = connect(Protocol::Http1, std::future::pending());
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);
    }
    assert_eq!(seconds_to_the_end(connection).await, 100);

    let (client, connection) = connect(Protocol::Http2, std::future::pending());
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    tokio::spawn(driver);
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        let request = Request::get("http://a/").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    }
    assert_eq!(seconds_to_the_end(connection).await, 100);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_with_the_handshake_counts_as_the_first() {
    // The order in which the parts of a connection are looked at is left to chance.
    for _ in 0..50 {
        let ((_drain, watch), (mut client, server)) = (Drain::new(), duplex(64 * 1024));
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let connection = tokio::spawn(served(server, Protocol::Http1, watch));
        assert_eq!(seconds_to_the_end(connection).await, 100);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_keeps_its_connection() {
    let (mut client, connection) = connect(Protocol::Http1, tokio::time::sleep(Duration::from_secs(20)));
    client.write_all(b"POST /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert_eq!(seconds_to_the_end(connection).await, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_its_answers_is_dropped() {
    let (mut client, connection) = connect(Protocol::Http1, std::future::pending());
    let flood =
        tokio::spawn(async move { while client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.is_ok() {} });
    assert_eq!(seconds_to_the_end(connection).await, ANSWER.as_secs());
    flood.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn silent_clients_do_not_hold_up_a_drain() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let (_client, connection) = connect(protocol, tokio::time::sleep(Duration::from_secs(1)));
        assert!(seconds_to_the_end(connection).await <= 4, "{protocol:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_comes_when_a_connection_is_about_to_end_is_answered_and_told_so() {
    let (mut client, connection) = connect(Protocol::Http1, tokio::time::sleep(Duration::from_secs(2)));
    let mut answer = String::new();
    for after in [1, 2] {
        tokio::time::sleep(Duration::from_secs(after)).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut bytes = [0; 1024];
        let length = client.read(&mut bytes).await.unwrap();
        answer = String::from_utf8_lossy(&bytes[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert_eq!(answer.contains("connection: close"), after == 2, "{answer}");
    }
    assert_eq!(seconds_to_the_end(connection).await, 0, "{answer}");
    assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn before_the_end_connections_are_given_up_one_answer_at_a_time() {
    let (drain, watch) = Drain::new();
    let (mut client, connection) = connect_watched(Protocol::Http1, watch.clone());
    drain.announce();
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert!(!connection.is_finished());
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("connection: close") && answer.ends_with("here"), "{answer}");
    assert_eq!(seconds_to_the_end(connection).await, 0);

    let (client, _connection) = connect_watched(Protocol::Http2, watch);
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
    tokio::spawn(driver);
    for _ in 0..2 {
        let request = Request::get("http://a/").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    }
}

#[test]
fn no_negotiation_means_http_1() {
    let negotiated = [None, Some(&b"http/1.1"[..]), Some(b"h2")].map(Protocol::negotiated);
    assert_eq!(negotiated, [Protocol::Http1, Protocol::Http1, Protocol::Http2]);
}
