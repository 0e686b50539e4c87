//! The webhook's connections: TCP, TLS, then HTTP/1.1 or HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use sidecar_process::drain::DrainWatch;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::server::accept::{Entrance, Place};
use crate::server::connection::{self, Patience, Protocol};

/// API servers keep a handful of connections; the rest is room for the curious.
const MAX_CONNECTIONS: usize = 512;
/// From accept to the end of the first request's headers. What has not asked for anything by then is in the way of those
/// who do.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Twice as long as Go's HTTP client keeps a connection that it does not use, so that it is the client who ends one.
const IDLE: Duration = Duration::from_secs(180);

/// Accepts until `watch` says to stop. Connections go on, tracked by `watch`, until their requests are answered.
pub(super) async fn serve(listener: TcpListener, tls: Arc<ServerConfig>, router: Router, watch: DrainWatch) {
    let acceptor = TlsAcceptor::from(tls);
    let mut entrance = Entrance::new(listener, MAX_CONNECTIONS, "the webhook");
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = watch.stopping() => return,
            entered = entrance.next() => entered,
        };
        let connection = connection(stream, place, acceptor.clone(), router.clone(), watch.clone());
        tokio::spawn(watch.track(connection));
    }
}

async fn connection(stream: TcpStream, _place: Place, acceptor: TlsAcceptor, router: Router, watch: DrainWatch) {
    let patience = Patience { first: Instant::now() + FIRST_REQUEST, idle: IDLE };
    // Answers are small and somebody waits for each: nothing is gained by collecting them.
    let _ = stream.set_nodelay(true);
    let stream = match timeout_at(patience.first, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
        Err(_) => return tracing::debug!("TLS handshake took too long"),
    };
    let protocol = Protocol::negotiated(stream.get_ref().1.alpn_protocol());
    connection::serve(stream, protocol, router, patience, watch.stopping()).await;
}
