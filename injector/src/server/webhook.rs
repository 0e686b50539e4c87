//! `POST /inject`: HTTP around [`crate::review::review`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use sidecar_contract::config::WEBHOOK_PATH;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::context::Injector;
use crate::metrics::Metrics;
use crate::review::review;

/// Largest request body. An object in etcd is limited to 1.5 MiB, and a review may carry two of them.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
/// A body that takes longer to arrive is given up; the API server's own default patience is as long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Webhook {
    injector: Arc<Injector>,
    metrics: Arc<Metrics>,
}

pub(super) fn router(injector: Arc<Injector>, metrics: Arc<Metrics>) -> Router {
    let limits = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT));
    Router::new()
        .route(WEBHOOK_PATH, post(inject))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(limits)
        .with_state(Webhook { injector, metrics })
}

async fn inject(State(webhook): State<Webhook>, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Response {
    let start = Instant::now();
    let (response, outcome, reason) = answer(&webhook.injector, &headers, body);
    webhook.metrics.count(outcome, reason, start.elapsed());
    response
}

type Answer = (Response, &'static str, &'static str);

fn answer(injector: &Injector, headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Answer {
    if !is_json(headers) {
        let message = "expected content-type application/json".to_owned();
        return rejected(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message);
    }
    let body = match body {
        Ok(body) => body,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
            return rejected(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message);
        }
        Err(error) => return rejected(error.status(), "unreadable", error.body_text()),
    };
    match review(&body, injector) {
        Ok(review) => {
            let (outcome, code) = (review.outcome.name(), review.code);
            tracing::info!(pod = review.pod, outcome, code, reason = review.reason, "reviewed");
            (Json(review.answer).into_response(), outcome, code)
        }
        Err(error) => rejected(StatusCode::BAD_REQUEST, "not_a_review", error.to_string()),
    }
}

fn rejected(status: StatusCode, reason: &'static str, message: String) -> Answer {
    tracing::warn!(status = status.as_u16(), reason, message, "rejected a request");
    ((status, message).into_response(), "rejected", reason)
}

/// `application/json`, with or without parameters such as `; charset=utf-8`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
