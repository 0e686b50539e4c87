//! What is said to a client, counted and logged: once for every request, whoever answers it.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use tracing::{Instrument, Span};

use crate::metrics::{InFlight, Metrics};
use crate::review::{Review, ReviewOutcome};
use crate::server::spans;

/// Kubernetes: names of objects.
const LONGEST_NAME: usize = 253;
/// Of why something was answered, what is logged, in bytes.
const LONGEST_CAUSE: usize = 1024;

/// A request that is not reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// The limit that was reached.
    limit: Option<&'static str>,
}

impl Refusal {
    /// `code` is a name from a fixed set: it becomes a label.
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), limit: None }
    }

    /// There is too much to do at once; `limit`, a name from a fixed set, says too much of what.
    pub(super) fn busy(limit: &'static str, message: &'static str) -> Self {
        Self { limit: Some(limit), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message) }
    }

    /// The code that was to give an answer panicked; the panic itself is on standard error.
    pub(super) fn internal_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "panic", "internal error")
    }

    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.limit.unwrap_or(self.code)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, message, limit } = self;
        let mut response = (status, message.clone()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, 1.into());
        }
        with(response, Summary { outcome: "rejected", code, reason: message, limit, review: None })
    }
}

/// The answer to a review; `revision` is the injector's.
pub(super) fn reviewed(mut review: Review, revision: &str) -> Response {
    let response = match review.outcome {
        ReviewOutcome::Failed => (StatusCode::INTERNAL_SERVER_ERROR, review.reason.clone()).into_response(),
        _ => Json(review.answer.take()).into_response(),
    };
    let (outcome, code, reason) = (review.outcome.name(), review.code, std::mem::take(&mut review.reason));
    let review = Some(Arc::new((review, revision.to_owned())));
    with(response, Summary { outcome, code, reason, limit: None, review })
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
    /// The limit for which it was turned away.
    limit: Option<&'static str>,
    /// What was reviewed, without the answer itself, and the revision.
    review: Option<Arc<(Review, String)>>,
}

fn with(mut response: Response, summary: Summary) -> Response {
    response.extensions_mut().insert(summary);
    response
}

/// The outermost layer: counts and logs the answer, or that the client did not wait for one.
pub(super) async fn record(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let span = spans::of(&request);
    let mut record = Record {
        _in_flight: metrics.requests.begin(),
        metrics,
        start: Instant::now(),
        span: span.clone(),
        answered: false,
    };
    let mut response = next.run(request).instrument(span).await;
    record.answered(response.status(), response.extensions_mut().remove());
    response
}

struct Record {
    metrics: Arc<Metrics>,
    _in_flight: InFlight,
    start: Instant,
    span: Span,
    answered: bool,
}

impl Record {
    fn answered(&mut self, status: StatusCode, summary: Option<Summary>) {
        self.answered = true;
        let other = || Summary { outcome: "rejected", code: "other", reason: String::new(), limit: None, review: None };
        let Summary { outcome, code, reason, limit, review } = summary.unwrap_or_else(other);
        let duration = self.count(outcome, code);
        if let Some(limit) = limit {
            self.metrics.requests.shed(limit);
        }
        let reason = &reason[..reason.floor_char_boundary(LONGEST_CAUSE)];
        self.span.record("http.response.status_code", status.as_u16());
        let Some((review, revision)) = review.as_deref() else {
            self.span.record("otel.status_code", "ERROR");
            tracing::warn!(status = status.as_u16(), outcome, reason = code, cause = reason, ?duration, "rejected");
            return;
        };
        let Review { uid, namespace, name, templates, patch_operations, patch_bytes, .. } = review;
        let [uid, namespace, name] = [uid, namespace, name].map(|text| brief(text));
        let templates = templates.join(",");
        match review.outcome {
            ReviewOutcome::Injected => self.metrics.requests.patch(*patch_operations, *patch_bytes),
            ReviewOutcome::Failed => drop(self.span.record("otel.status_code", "ERROR")),
            ReviewOutcome::Skipped | ReviewOutcome::Denied => {}
        }
        self.span.record("uid", uid).record("namespace", namespace).record("name", name).record("revision", revision);
        self.span.record("templates", &templates).record("patch_operations", *patch_operations);
        tracing::info!(
            uid,
            namespace,
            name,
            outcome,
            reason = code,
            cause = reason,
            templates,
            revision,
            patch_operations,
            patch_bytes,
            ?duration,
            "reviewed"
        );
    }

    fn count(&self, outcome: &'static str, code: &'static str) -> Duration {
        let duration = self.start.elapsed();
        self.metrics.requests.count(outcome, code, duration);
        self.span.record("outcome", outcome).record("reason", code);
        duration
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.answered {
            let duration = self.count("abandoned", "client_gone");
            tracing::warn!(outcome = "abandoned", reason = "client_gone", ?duration, "a client did not wait");
        }
    }
}

/// Of a text that should be a name and may be anything, as much as a name can have.
fn brief(text: &str) -> &str {
    text.char_indices().nth(LONGEST_NAME).map_or(text, |(end, _)| &text[..end])
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

    #[tokio::test]
    async fn who_is_to_come_again_is_told_when_and_counted_by_the_limit() {
        let metrics = Arc::new(Metrics::default());
        let router = Router::new()
            .route("/", get(|| async { Refusal::busy("turn", "later") }))
            .layer(from_fn_with_state(Arc::clone(&metrics), record));
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()[RETRY_AFTER]), (503, &1.into()));
        let text = metrics.encode().unwrap();
        assert!(text.contains(r#"sidecar_injector_shed_total{limit="turn"} 1"#), "{text}");
    }

    #[test]
    fn a_failure_of_the_injector_is_an_error_that_says_why() {
        let review = Review {
            answer: serde_json::json!({"response": {"allowed": false}}),
            outcome: ReviewOutcome::Failed,
            code: "invalid_template",
            reason: "a template".to_owned(),
            uid: String::new(),
            namespace: String::new(),
            name: String::new(),
            templates: Vec::new(),
            patch_operations: 0,
            patch_bytes: 0,
            notice: None,
        };
        let denied = Review { outcome: ReviewOutcome::Denied, ..review.clone() };
        let response = reviewed(review, "default");
        assert_eq!(response.status(), 500);
        assert_eq!(response.extensions().get::<Summary>().unwrap().outcome, "rejected");
        assert_eq!(reviewed(denied, "default").status(), 200);
    }
}
