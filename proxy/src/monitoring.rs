//! What the kubelet and Prometheus ask.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sidecar_process::readiness::Readiness;

use crate::exposition::{Exposition, Format, Kind};
use crate::stats::Stats;

/// The pending condition while the proxy drains.
pub(crate) const DRAINING: &str = "draining";

/// `GET /healthz/ready`: 200 when ready, else 503 with what is still pending.
pub(crate) fn health(readiness: Readiness) -> Router {
    Router::new().route("/healthz/ready", get(async move || ready(&readiness)))
}

/// `GET /stats/prometheus`, and `/metrics` for those who know no better: all metrics, in the format that is asked for.
pub(crate) fn prometheus(stats: Stats, server: Server) -> Router {
    let state = Arc::new((stats, server));
    let metrics = get(async move |headers: HeaderMap| metrics(&headers, &state.0, &state.1));
    Router::new().route("/stats/prometheus", metrics.clone()).route("/metrics", metrics)
}

/// What is to be told of the process itself.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) readiness: Readiness,
    pub(crate) started: Instant,
    pub(crate) workers: usize,
}

impl Server {
    fn expose(&self, exposition: &mut Exposition) {
        let pending = self.readiness.pending();
        // Envoy's numbers: 0 live, 1 draining, 3 initialising.
        let state = match pending.as_slice() {
            [] => 0,
            pending if pending.contains(&DRAINING) => 1,
            _ => 3,
        };
        for (name, help, value) in [
            ("envoy_server_live", "1 if the proxy is not draining", u64::from(state != 1)),
            ("envoy_server_state", "0 live, 1 draining, 3 initialising", state),
            ("envoy_server_uptime", "Seconds since the start", self.started.elapsed().as_secs()),
            ("envoy_server_concurrency", "Workers", self.workers as u64),
        ] {
            exposition.single(name, help, Kind::Gauge, value);
        }
    }
}

fn ready(readiness: &Readiness) -> Response {
    match readiness.pending().as_slice() {
        [] => (StatusCode::OK, "ready\n").into_response(),
        pending => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", pending.join(", "))).into_response(),
    }
}

fn metrics(headers: &HeaderMap, stats: &Stats, server: &Server) -> Response {
    let asked = |value: &HeaderValue| value.to_str().map_or(Format::Text, Format::accepted);
    let format = headers.get(header::ACCEPT).map_or(Format::Text, asked);
    let mut exposition = Exposition::new(format);
    stats.expose(&mut exposition);
    server.expose(&mut exposition);
    ([(header::CONTENT_TYPE, format.content_type())], exposition.finish()).into_response()
}
