//! `/healthz`, `/readyz` and `/metrics`, in the clear, on a port of their own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sidecar_process::drain::Drain;
use sidecar_process::readiness::Readiness;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower_http::timeout::TimeoutLayer;

use crate::metrics::Metrics;
use crate::server::accept::{Entrance, Place};
use crate::server::connection::{self, Patience, Protocol};
use crate::server::peers::{Peer, Peers};

/// Probes and scrapes come one at a time.
const MAX_CONNECTIONS: usize = 64;
/// Those of one client, which is the kubelet, whoever scrapes, or in the way of both.
const CONNECTIONS_OF_ONE: usize = 16;
/// Shorter than the kubelet waits between probes, so that idlers cannot keep them out for long.
const FIRST_REQUEST: Duration = Duration::from_secs(3);
/// Nobody asks twice within seconds.
const IDLE: Duration = Duration::from_secs(3);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves for ever. Dropped, it drops its connections too.
pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>, readiness: Readiness) -> Infallible {
    let router = router(metrics, readiness);
    let mut entrance = Entrance::new(listener, MAX_CONNECTIONS, "monitoring", || ());
    let peers = Peers::with_connections(CONNECTIONS_OF_ONE);
    let mut connections = JoinSet::new();
    loop {
        let (stream, place) = entrance.next().await;
        // Without an address it is gone again.
        let Ok(address) = stream.peer_addr() else { continue };
        // What is past the share is closed at once: in the kernel's queue it would be in the way of others.
        let Some((peer, own_place)) = peers.connect(address.ip()) else { continue };
        connections.spawn(connection(stream, peer, (place, own_place), router.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, peer: Arc<Peer>, places: (Place, OwnedSemaphorePermit), router: Router) {
    let patience = Patience { first: Instant::now() + FIRST_REQUEST, idle: IDLE };
    // It answers to the very end.
    let (_, never) = Drain::new();
    connection::serve(stream, Protocol::Http1, router, peer, patience, &never).await;
    drop(places);
}

fn router(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
}

async fn ready(State(readiness): State<Readiness>, RawQuery(query): RawQuery) -> Response {
    let is_verbose =
        query.is_some_and(|query| query.split('&').any(|item| item == "verbose" || item.starts_with("verbose=")));
    if is_verbose {
        let status = if readiness.pending().is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        return (status, readiness.verbose()).into_response();
    }
    match readiness.pending().as_slice() {
        [] => "ready\n".into_response(),
        pending => {
            let waiting = format!("not ready: waiting for {}\n", pending.join(", "));
            (StatusCode::SERVICE_UNAVAILABLE, waiting).into_response()
        }
    }
}

async fn scrape(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
