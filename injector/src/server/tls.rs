//! The webhook's connections: TCP, TLS, then HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sidecar_process::drain::DrainWatch;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::metrics::Metrics;
use crate::server::accept::Entrance;
use crate::server::connection::{self, Patience, Protocol};
use crate::server::peers::{Peer, Peers};

/// API servers keep a handful of connections; the rest is room for the curious.
const MAX_CONNECTIONS: usize = 512;
/// From accept to the end of the first request's headers. What has not asked for anything by then is in the way of those
/// who do.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Twice as long as Go's HTTP client keeps a connection that it does not use, so that it is the client who ends one.
const IDLE: Duration = Duration::from_secs(180);

const MOST_UNREAD: u64 = 1024 * 1024;
/// What a client that speaks no TLS is told, if what it speaks is HTTP.
const NO_TLS: &str = "this port speaks TLS: use https://\n";
/// For such a client to read it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the connections of the webhook share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) acceptor: TlsAcceptor,
    pub(super) router: Router,
    pub(super) peers: Peers,
    pub(super) metrics: Arc<Metrics>,
}

/// Accepts until `watch` says to stop. Connections go on, tracked by `watch`, until their requests are answered.
pub(super) async fn serve(listener: TcpListener, shared: Shared, watch: DrainWatch) {
    let mut entrance = Entrance::new(listener, MAX_CONNECTIONS, "the webhook", {
        let metrics = Arc::clone(&shared.metrics);
        move || metrics.requests.shed("connections")
    });
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = watch.stopping() => return,
            entered = entrance.next() => entered,
        };
        // Without an address it is gone again.
        let Ok(address) = stream.peer_addr() else { continue };
        let Some((peer, own_place)) = shared.peers.connect(address.ip()) else {
            shared.metrics.requests.shed("connections_of_one_client");
            continue;
        };
        let connection = connection(stream, peer, shared.clone(), watch.clone());
        tokio::spawn(watch.track(async move {
            connection.await;
            drop((place, own_place));
        }));
    }
}

async fn connection(stream: TcpStream, peer: Arc<Peer>, shared: Shared, watch: DrainWatch) {
    let patience = Patience { first: Instant::now() + FIRST_REQUEST, idle: IDLE };
    // Answers are small and somebody waits for each: nothing is gained by collecting them.
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    match timeout_at(patience.first, stream.peek(&mut first)).await {
        // TLS begins with a number, HTTP with the name of a method.
        Ok(Ok(1)) if first[0].is_ascii_uppercase() => {
            shared.metrics.requests.unheard("no_tls");
            return refuse(stream).await;
        }
        Ok(Ok(1)) => {}
        _ => return,
    }
    let stream = match timeout_at(patience.first, shared.acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let protocol = Protocol::negotiated(stream.get_ref().1.alpn_protocol());
    connection::serve(stream, protocol, shared.router, peer, patience, &watch).await;
}

async fn refuse(mut stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{NO_TLS}",
        NO_TLS.len()
    );
    let telling = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // What is closed with something unread is reset, and the answer lost.
        tokio::io::copy(&mut stream.take(MOST_UNREAD), &mut tokio::io::sink()).await
    };
    let _ = timeout(LAST_WORDS, telling).await;
}
