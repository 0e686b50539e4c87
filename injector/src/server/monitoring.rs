//! `/healthz`, `/readyz` and `/metrics`, in the clear, on a port of their own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sidecar_process::readiness::Readiness;
use tokio::net::TcpListener;
use tower_http::timeout::TimeoutLayer;

use crate::metrics::Metrics;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn serve(listener: TcpListener, metrics: Arc<Metrics>, readiness: Readiness) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(readiness))
        .route("/metrics", get(scrape).with_state(metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "monitoring ended");
    }
}

async fn ready(State(readiness): State<Readiness>) -> Response {
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
