//! `POST /inject`: HTTP around [`crate::review::review`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sidecar_contract::config::WEBHOOK_PATH;
use tokio::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;

use crate::metrics::Metrics;
use crate::path_variables;
use crate::review::{NotAReview, Review, review};
use crate::server::Current;
use crate::server::answer::{Refusal, panicked, record, reviewed};
use crate::server::body::{Bodies, Held, Load, discard};

/// A body that takes longer to arrive is given up; the API server's own default patience is as long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Webhook {
    current: Current,
    bodies: Bodies,
}

pub(super) fn router(current: Current, metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route(WEBHOOK_PATH, post(inject))
        .route(&format!("{WEBHOOK_PATH}/"), post(inject))
        .route(&format!("{WEBHOOK_PATH}/{{*variables}}"), post(inject))
        .fallback(|request| refuse(request, StatusCode::NOT_FOUND, "no_such_path"))
        .method_not_allowed_fallback(|request| refuse(request, StatusCode::METHOD_NOT_ALLOWED, "not_a_post"))
        .with_state(Webhook { current, bodies: Bodies::default() })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(metrics, record))
}

async fn inject(State(webhook): State<Webhook>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        discard(body).await;
        let message = "expected content-type application/json";
        return Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message).into_response();
    }
    let variables = path_variables::parse(head.uri.path().strip_prefix(WEBHOOK_PATH).unwrap_or_default());
    let reviewing = async {
        let held = webhook.bodies.read(body, Instant::now() + REQUEST_TIMEOUT).await?;
        webhook.review(held, variables).await
    };
    match reviewing.await {
        Ok(review) => reviewed(review),
        Err(refusal) => refusal.into_response(),
    }
}

impl Webhook {
    async fn review(self, mut body: Held, variables: BTreeMap<String, String>) -> Result<Review, Refusal> {
        let load = self.bodies.turn(&mut body).await?;
        let not_yet = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_configuration", "no configuration yet");
        let injector = self.current.load_full().ok_or_else(not_yet)?;
        // The body goes with the work, and so does its share of the memory, even when the client goes away.
        let work = move || review(body.bytes(), &variables, &injector);
        let reviewed = match load {
            Load::Light => work(),
            // Nobody cancels it: it fails when it panics.
            Load::Heavy => tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::internal_error())?,
        };
        let not_a_review = |error: NotAReview| Refusal::new(StatusCode::BAD_REQUEST, "not_a_review", error.to_string());
        reviewed.map_err(not_a_review)
    }
}

async fn refuse(request: Request, status: StatusCode, code: &'static str) -> Refusal {
    discard(request.into_body()).await;
    Refusal::new(status, code, format!("POST an AdmissionReview to {WEBHOOK_PATH}"))
}

/// `application/json`, with or without parameters such as `; charset=utf-8`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
