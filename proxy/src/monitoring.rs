//! What the kubelet and Prometheus ask.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use sidecar_process::readiness::Readiness;

use crate::stats::Stats;

/// The pending condition while the proxy drains.
pub(crate) const DRAINING: &str = "draining";

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz/ready`: 200 when ready, else 503 with what is still pending.
pub(crate) fn health(readiness: Readiness) -> Router {
    Router::new().route("/healthz/ready", get(async move || ready(&readiness)))
}

/// `GET /stats/prometheus`, and `/metrics` for those who know no better: all metrics, as OpenMetrics text.
pub(crate) fn prometheus(stats: Stats, server: Server) -> Router {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(stats));
    registry.register_collector(Box::new(server));
    let registry = Arc::new(registry);
    let metrics = get(async move || metrics(&registry));
    Router::new().route("/stats/prometheus", metrics.clone()).route("/metrics", metrics)
}

/// What is to be told of the process itself.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) readiness: Readiness,
    pub(crate) started: Instant,
    pub(crate) workers: usize,
}

impl Collector for Server {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
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
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

fn ready(readiness: &Readiness) -> Response {
    match readiness.pending().as_slice() {
        [] => (StatusCode::OK, "ready\n").into_response(),
        pending => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", pending.join(", "))).into_response(),
    }
}

fn metrics(registry: &Registry) -> Response {
    let mut body = String::new();
    match text::encode(&mut body, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPENMETRICS)], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
