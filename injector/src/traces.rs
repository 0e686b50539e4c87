//! Traces to a collector that speaks OTLP over HTTP; the cargo feature `otlp`.
//!
//! Spans are sent by a thread of their own, in batches, over plain HTTP, as to a collector on the node or in the cluster.
//! They are dropped when the collector is slower than requests come in.

mod client;

use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use sidecar_process::log::TRACES;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use client::Client;

/// `service.name`.
const SERVICE: &str = "sidecar-injector";
const TRACER: &str = "sidecar_injector";
/// For one batch to be taken, and for the last one at the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A collector that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// Not an address that spans can be sent to.
    #[error(
        "--otlp-endpoint `{0}`: expected http://HOST[:PORT][/PATH]; TLS is not supported here, use a collector nearby"
    )]
    Endpoint(String),
    /// The exporter does not take it.
    #[error("traces cannot be exported")]
    Exporter(#[from] ExporterBuildError),
}

/// Sends what is left when it is dropped.
#[derive(Debug)]
pub struct Flush(SdkTracerProvider);

impl Drop for Flush {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last traces are lost");
        }
    }
}

/// What collects spans, for the log to be started with; and what sends the last of them. `endpoint` is a base URL, to which
/// `/v1/traces` is added, as for the variable `OTEL_EXPORTER_OTLP_ENDPOINT`.
///
/// # Errors
/// When the endpoint is no URL of plain HTTP.
pub fn layer(endpoint: &str) -> Result<(Box<dyn Layer<Registry> + Send + Sync>, Flush), TracesError> {
    let is_usable = |uri: &Uri| uri.scheme_str() == Some("http") && uri.host().is_some();
    let invalid = || TracesError::Endpoint(endpoint.escape_default().to_string());
    let base = endpoint.parse::<Uri>().ok().filter(is_usable).ok_or_else(invalid)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client { patience: PATIENCE })
        .with_endpoint(format!("{}/v1/traces", base.to_string().trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(SERVICE).build())
        .build();
    let only_ours = Targets::new().with_target(TRACES, LevelFilter::INFO);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(TRACER))
        .with_location(false)
        .with_threads(false)
        .with_filter(only_ours);
    Ok((layer.boxed(), Flush(provider)))
}

/// Puts `span` under the one that `headers` name by W3C's `traceparent`.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    if !span.is_disabled() && headers.contains_key("traceparent") {
        // Fails where no layer collects spans.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Headers(headers)));
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_taken() {
        for endpoint in ["", "collector:4317", "https://collector:4318", "/v1/traces", "http://"] {
            let error = layer(endpoint).err().unwrap().to_string();
            assert!(error.contains("--otlp-endpoint") && error.contains("expected http://"), "{endpoint}: {error}");
        }
        assert!(layer("http://127.0.0.1:4318/").is_ok());
    }
}
