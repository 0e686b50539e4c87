//! `POST /inject`: HTTP around [`crate::review::review`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use sidecar_contract::config::WEBHOOK_PATH;
use tokio::time::{Instant, timeout_at};
use tower_http::catch_panic::CatchPanicLayer;

use crate::context::Injector;
use crate::events::{Event, Events, INJECT};
use crate::metrics::Metrics;
use crate::path_variables;
use crate::review::{NotAReview, Notice, Review, refused, review};
use crate::server::Current;
use crate::server::answer::{Refusal, panicked, record, reviewed};
use crate::server::body::{Bodies, Held, Load, MAX_VALUES, discard};
use crate::server::peers::{Peer, Peers};

/// For a body to arrive and to be reviewed; the API server's own default patience is as long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Webhook {
    current: Current,
    bodies: Bodies,
    events: Events,
}

pub(super) fn router(current: Current, metrics: Arc<Metrics>, events: Events, peers: Peers) -> Router {
    Router::new()
        .route(WEBHOOK_PATH, post(inject))
        .route(&format!("{WEBHOOK_PATH}/"), post(inject))
        .route(&format!("{WEBHOOK_PATH}/{{*variables}}"), post(inject))
        .fallback(|request| refuse(request, StatusCode::NOT_FOUND, "no_such_path"))
        .method_not_allowed_fallback(|request| refuse(request, StatusCode::METHOD_NOT_ALLOWED, "not_a_post"))
        .with_state(Webhook { current, bodies: Bodies::default(), events })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(peers, admit))
        .layer(from_fn_with_state(metrics, record))
}

/// Turns a request away when its client, or all of them together, have too many.
async fn admit(State(peers): State<Peers>, request: Request, next: Next) -> Response {
    match peers.request(&peer(&request)) {
        Ok(place) => {
            let mut response = next.run(request).await;
            // Until the answer is read.
            response.extensions_mut().insert(Arc::new(place));
            response
        }
        Err(limit) => Refusal::busy(limit, "too many requests at once; try again").into_response(),
    }
}

/// Of a request that came by no connection, its own.
fn peer(request: &Request) -> Arc<Peer> {
    request.extensions().get().map_or_else(Arc::default, Arc::clone)
}

async fn inject(State(webhook): State<Webhook>, request: Request) -> Response {
    let deadline = Instant::now() + REQUEST_TIMEOUT;
    let peer = peer(&request);
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        discard(body).await;
        let message = "expected content-type application/json";
        return Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", message).into_response();
    }
    let variables = path_variables::parse(head.uri.path().strip_prefix(WEBHOOK_PATH).unwrap_or_default());
    let reviewing = async {
        let held = webhook.bodies.read(body, peer, deadline).await?;
        let late = |_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "the review took too long");
        timeout_at(deadline, webhook.review(held, variables)).await.map_err(late)?
    };
    match reviewing.await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

impl Webhook {
    async fn review(self, mut body: Held, variables: BTreeMap<String, String>) -> Result<Response, Refusal> {
        let load = self.bodies.turn(&mut body).await?;
        let not_yet = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "no_configuration", "no configuration yet");
        let injector = self.current.load_full().ok_or_else(not_yet)?;
        let reviewer = Arc::clone(&injector);
        // The body goes with the work, and so does its share of the memory, even when the client goes away.
        let work = move || match load {
            Load::Light | Load::Heavy => review(body.bytes(), &variables, &reviewer).map_err(not_a_review),
            Load::Excessive => too_many_values(body.bytes(), &reviewer),
        };
        let mut review = match load {
            Load::Light => work()?,
            // Nobody cancels it: it fails when it panics.
            Load::Heavy | Load::Excessive => {
                tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::internal_error())??
            }
        };
        if let Some(Notice { owner, reason, note }) = review.notice.take() {
            self.events.tell(Event { regarding: owner, is_warning: true, reason, action: INJECT, note });
        }
        Ok(reviewed(review, injector.revision_name()))
    }
}

fn not_a_review(error: NotAReview) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "not_a_review", error.to_string())
}

fn too_many_values(body: &[u8], injector: &Injector) -> Result<Review, Refusal> {
    let (code, message) = ("too_many_values", format!("the body has more than {MAX_VALUES} JSON values"));
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    refused(body, code, status.as_u16(), &message, injector).ok_or_else(|| Refusal::new(status, code, message))
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
