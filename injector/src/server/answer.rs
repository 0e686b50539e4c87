//! What is said to a client, counted and logged: once for every request, whoever answers it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};

use crate::metrics::Metrics;
use crate::review::Review;

/// A request that is not reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// `code` is a name from a fixed set: it becomes a label.
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// The code that was to give an answer panicked; the panic itself is on standard error.
    pub(super) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "panic", "internal error")
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message } = self;
        let mut response = (status, message.clone()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        with(response, Summary { outcome: "rejected", code, reason: message, pod: String::new() })
    }
}

/// The answer to a review.
pub(super) fn reviewed(review: Review) -> Response {
    let Review { answer, outcome, code, reason, name: pod, .. } = review;
    with(Json(answer).into_response(), Summary { outcome: outcome.name(), code, reason, pod })
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    Refusal::internal_error().into_response()
}

/// What is counted and logged about an answer; travels with it.
#[derive(Clone, Debug)]
struct Summary {
    outcome: &'static str,
    code: &'static str,
    reason: String,
    pod: String,
}

fn with(mut response: Response, summary: Summary) -> Response {
    response.extensions_mut().insert(summary);
    response
}

/// The outermost layer: counts and logs the answer, or that the client did not wait for one.
pub(super) async fn record(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let mut record = Record { metrics, start: Instant::now(), answered: false };
    let mut response = next.run(request).await;
    record.answered(response.status(), response.extensions_mut().remove());
    response
}

struct Record {
    metrics: Arc<Metrics>,
    start: Instant,
    answered: bool,
}

impl Record {
    fn answered(&mut self, status: StatusCode, summary: Option<Summary>) {
        self.answered = true;
        let Summary { outcome, code, reason, pod } = summary.unwrap_or(Summary {
            outcome: "rejected",
            code: "other",
            reason: String::new(),
            pod: String::new(),
        });
        let duration = self.count(outcome, code);
        if status.is_success() {
            tracing::info!(pod, outcome, code, reason, ?duration, "reviewed");
        } else {
            tracing::warn!(status = status.as_u16(), outcome, code, reason, ?duration, "rejected a request");
        }
    }

    fn count(&self, outcome: &'static str, code: &'static str) -> Duration {
        let duration = self.start.elapsed();
        self.metrics.requests.count(outcome, code, duration);
        duration
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.answered {
            let duration = self.count("abandoned", "client_gone");
            tracing::warn!(outcome = "abandoned", code = "client_gone", ?duration, "a client did not wait");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    #[tokio::test]
    async fn panics_and_clients_that_leave_are_counted() {
        let metrics = Arc::new(Metrics::default());
        let router = Router::new()
            .route(
                "/panic",
                get(|| async {
                    if true {
                        panic!("a mistake")
                    }
                }),
            )
            .route("/slow", get(std::future::pending::<()>))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(Arc::clone(&metrics), record));
        let request = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        assert_eq!(request("/panic").await.unwrap().status(), 500);
        let patience = Duration::from_millis(10);
        assert!(tokio::time::timeout(patience, request("/slow")).await.is_err());
        let text = metrics.encode().unwrap();
        for labels in [r#"outcome="rejected",reason="panic""#, r#"outcome="abandoned",reason="client_gone""#] {
            assert!(text.contains(&format!("sidecar_injector_requests_total{{{labels}}} 1")), "{text}");
        }
    }

    #[test]
    fn who_is_to_come_again_is_told_when() {
        let response = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "later").into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "1");
    }
}
