//! One replica, and an API server that answers as it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};
use sidecar_process::readiness::Readiness;
use tower::service_fn;

use super::*;
use crate::certificates::{LOOPBACK_NAMES, Validity, issue};
use crate::clock;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::server::certificate::ServingCertificate;

struct Server {
    is_forbidden: Arc<AtomicBool>,
    date: Arc<Mutex<String>>,
    writes: Arc<Mutex<Vec<String>>>,
}

fn server() -> (Client, Server) {
    let server = Server { is_forbidden: Arc::default(), date: Arc::default(), writes: Arc::default() };
    let (is_forbidden, date, writes) =
        (Arc::clone(&server.is_forbidden), Arc::clone(&server.date), Arc::clone(&server.writes));
    let service = service_fn(move |request: Request<Body>| {
        let is_write = request.method() != Method::GET;
        if is_write {
            writes.lock().unwrap().push(request.method().to_string());
        }
        let (code, body) = if is_forbidden.load(Ordering::Relaxed) {
            (StatusCode::FORBIDDEN, status(403, "you may not"))
        } else if is_write {
            (StatusCode::FORBIDDEN, status(403, "you may not write"))
        } else {
            (StatusCode::OK, serde_json::to_value(written(&self_signed(), "5")).unwrap())
        };
        let response = Response::builder().status(code).header("date", date.lock().unwrap().as_str());
        let response = response.body(Body::from(body.to_string().into_bytes()));
        async move { response }
    });
    (Client::new(service, "default"), server)
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code})
}

fn self_signed() -> Data {
    let issued = issue(&LOOPBACK_NAMES, Validity::one_year(clock::now())).unwrap();
    [(CERTIFICATE_KEY, issued.certificate), (PRIVATE_KEY_KEY, issued.key), (BUNDLE_KEY, issued.ca_certificate)]
        .map(|(key, text)| (key.to_owned(), text.into_bytes()))
        .into()
}

fn written(data: &Data, version: &str) -> Secret {
    let data: Value =
        data.iter().map(|(key, bytes)| (key.clone(), json!(k8s_openapi::ByteString(bytes.clone())))).collect();
    let metadata = json!({"name": "one", "resourceVersion": version});
    serde_json::from_value(json!({"metadata": metadata, "data": data})).unwrap()
}

fn keeper(client: Client, settings: Option<Settings>) -> (Keeper, Readiness) {
    let readiness = Readiness::new();
    let outlets = Outlets {
        serving: ServingCertificate::default(),
        bundle: watch::channel(None).0,
        metrics: Arc::new(Metrics::default()),
        condition: readiness.register("certificate"),
        clock: clock::now,
    };
    let place = SecretPlace { namespace: "demo".to_owned(), name: "one".to_owned(), events: Events::default() };
    (Keeper::new(client, place, outlets, settings), readiness)
}

fn loads(keeper: &Keeper) -> bool {
    keeper.loader.outlets().metrics.encode().unwrap().contains("certificate_last_load_success 1")
}

fn forbidden() -> watcher::Error {
    let status = kube::core::Status { code: 403, ..kube::core::Status::default() };
    watcher::Error::WatchStartFailed(Error::Api(Box::new(status)))
}

#[tokio::test]
async fn a_watch_error_is_a_problem_only_while_the_secret_cannot_be_read() {
    let (client, server) = server();
    let (mut keeper, readiness) = keeper(client, None);
    keeper.take(Some(Err(forbidden())));
    assert!(!loads(&keeper), "nothing was read yet");
    keeper.look_again().await;
    assert!(loads(&keeper) && readiness.pending().is_empty());
    server.is_forbidden.store(true, Ordering::Relaxed);
    keeper.take(Some(Err(forbidden())));
    assert!(loads(&keeper));
    assert_eq!(keeper.wait(), TRY_AGAIN);
    keeper.look_again().await;
    assert!(!loads(&keeper) && readiness.pending().is_empty() && readiness.verbose().contains("you may not"));
    server.is_forbidden.store(false, Ordering::Relaxed);
    keeper.look_again().await;
    assert!(loads(&keeper) && !readiness.verbose().contains("you may not"));
    assert_eq!(keeper.wait(), LOOK_AGAIN);
}

#[tokio::test]
async fn a_secret_of_somebody_else_without_an_authority_is_noticed_once() {
    let (mut keeper, _readiness) = keeper(server().0, None);
    let whole = self_signed();
    for (bundle, expected) in
        [(None, true), (Some(&b"no certificate"[..]), true), (Some(&whole[BUNDLE_KEY][..]), false)]
    {
        let mut data = whole.clone();
        data.remove(BUNDLE_KEY);
        data.extend(bundle.map(|bundle| (BUNDLE_KEY.to_owned(), bundle.to_vec())));
        keeper.see(Some(written(&data, "5")));
        assert!(loads(&keeper), "it is served all the same");
        assert_eq!(keeper.lacks_bundle, expected);
    }
}

#[tokio::test]
async fn what_a_watch_tells_late_is_not_taken_for_news() {
    let (mut keeper, _readiness) = keeper(server().0, None);
    let serving = keeper.loader.outlets().serving.clone();
    let [old, new] = [self_signed(), self_signed()];
    keeper.see(Some(written(&new, "10")));
    let chain = serving.chain();
    keeper.take(Some(Ok(Some(written(&old, "9")))));
    assert_eq!(serving.chain(), chain);
    keeper.take(Some(Ok(Some(written(&old, "11")))));
    assert_ne!(serving.chain(), chain);
}

#[tokio::test]
async fn a_leader_whose_clock_is_wrong_writes_nothing_and_failures_end() {
    let (client, server) = server();
    let (mut keeper, _readiness) = keeper(client, Some(Settings::new(vec!["one.demo.svc".to_owned()])));
    keeper.see(None);
    "Sun, 06 Nov 1994 08:49:37 GMT".clone_into(&mut server.date.lock().unwrap());
    keeper.lead(None).await;
    assert!(keeper.failure.as_ref().is_some_and(|failure| failure.contains("ahead of the API server's")));
    assert!(server.writes.lock().unwrap().is_empty());
    server.date.lock().unwrap().clear();
    for _ in 0..3 {
        keeper.lead(None).await;
        assert!(keeper.failure.as_ref().is_some_and(|failure| failure.contains("you may not write")));
    }
    assert_eq!(server.writes.lock().unwrap().len(), 1, "there is a pause between two");
    assert_eq!(keeper.wait(), TRY_AGAIN);
}
