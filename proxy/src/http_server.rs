//! A small HTTP server for questions that are answered at once: one request a connection, within a deadline.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::accept::Acceptor;

/// Connections at once; further ones wait. Probes and scrapes come one at a time.
const MAX_CONNECTIONS: usize = 64;
/// From accept to the last byte of the answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// For the request line and headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// Of request line and headers, in bytes; hyper takes no less.
const MAX_HEADER_SIZE: usize = 8192;

/// Serves for ever. Dropped, it drops its connections too.
pub(crate) async fn serve(listener: TcpListener, router: Router) -> Infallible {
    let mut acceptor = Acceptor::new(listener);
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = acceptor.next().await;
        let permit = room.clone().acquire_owned().await;
        let answer = answer(stream, router.clone());
        connections.spawn(async move {
            let _permit = permit;
            answer.await;
        });
        while connections.try_join_next().is_some() {}
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
