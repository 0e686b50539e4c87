//! A small HTTP server for questions that are answered at once: one request a connection, within a deadline.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sidecar_process::accept::Acceptor;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// Connections at once; a further one ends the oldest. Probes and scrapes come one at a time and are answered at once,
/// so the oldest is one that does not ask.
const MAX_CONNECTIONS: usize = 64;
/// From accept to the last byte of the answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// For the request line and headers: shorter than the kubelet waits for an answer.
const HEADER_TIMEOUT: Duration = Duration::from_secs(1);
/// Of request line and headers, in bytes; hyper takes no less.
const MAX_HEADER_SIZE: usize = 8192;

/// Serves for ever. Dropped, it drops its connections too.
pub(crate) async fn serve(listener: TcpListener, router: Router) -> Infallible {
    let mut acceptor = Acceptor::new(listener, "monitoring", || ());
    let mut connections = JoinSet::new();
    let mut by_age = VecDeque::<AbortHandle>::with_capacity(MAX_CONNECTIONS);
    loop {
        let (stream, _) = acceptor.next().await;
        while connections.try_join_next().is_some() {}
        by_age.retain(|connection| !connection.is_finished());
        if by_age.len() == MAX_CONNECTIONS
            && let Some(oldest) = by_age.pop_front()
        {
            oldest.abort();
        }
        by_age.push_back(connections.spawn(answer(stream, router.clone())));
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_SIZE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match tokio::time::timeout(CONNECTION_TIMEOUT, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a health or metrics connection failed"),
        Err(_) => tracing::debug!("a health or metrics connection took too long"),
    }
}
