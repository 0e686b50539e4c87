//! One span for each request, for whoever collects traces. Nothing is made where nobody does.

use axum::extract::Request;
use sidecar_process::log::TRACES;
use tracing::Span;
use tracing::field::Empty;

/// A span for `request`, under the one that its client is in. What comes of it is recorded later.
pub(super) fn of(request: &Request) -> Span {
    let span = tracing::info_span!(
        target: TRACES,
        "review",
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = request.method().as_str(),
        url.path = request.uri().path(),
        http.response.status_code = Empty,
        uid = Empty,
        namespace = Empty,
        name = Empty,
        outcome = Empty,
        reason = Empty,
        templates = Empty,
        revision = Empty,
        patch_operations = Empty,
    );
    #[cfg(feature = "otlp")]
    crate::traces::follow(&span, request.headers());
    span
}
