//! A leader, and an API server that is a function here.

use super::*;

use std::sync::{Arc, Mutex};

use axum::http::{Method, Request, Response};
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::sync::watch;
use tower::service_fn;

use super::super::keep_registered;
use crate::certificates::{CaBundle, Validity, issue};
use crate::events::Events;
use crate::eventually::eventually;
use crate::metrics::Metrics;

const NAME: &str = "istio-sidecar-injector-canary";

/// What the API server has, and how it answers.
#[derive(Default)]
struct Server {
    object: Option<Value>,
    /// Answers of this status instead of objects.
    refuses_get: Option<u16>,
    refuses_patch: Option<u16>,
    /// Never answers a patch.
    hangs: bool,
    patches: Vec<Value>,
}

type Shared = Arc<Mutex<Server>>;

fn settings() -> Settings {
    Settings { revision: "canary".to_owned(), ..Settings::default() }
}

fn client(server: &Shared) -> Client {
    let server = Arc::clone(server);
    let service = service_fn(move |request: Request<Body>| {
        let server = Arc::clone(&server);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let query = parts.uri.query().unwrap_or_default();
            if query.contains("watch=") {
                return std::future::pending().await;
            }
            let (status, answer) = if parts.method == Method::PATCH {
                let hangs = server.lock().unwrap().hangs;
                server.lock().unwrap().patches.push(serde_json::from_slice(&body).unwrap());
                if hangs {
                    return std::future::pending().await;
                }
                patched(&mut server.lock().unwrap())
            } else {
                found(&server.lock().unwrap(), query.contains("fieldSelector"))
            };
            let answer = Response::builder().status(status).body(Body::from(answer.to_string().into_bytes())).unwrap();
            Ok::<_, kube::Error>(answer)
        }
    });
    Client::new(service, "default")
}

fn refusal(code: u16) -> (u16, Value) {
    let reason = if code == 404 { "NotFound" } else { "no" };
    (code, json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason}))
}

fn found(server: &Server, is_list: bool) -> (u16, Value) {
    match (server.refuses_get, &server.object) {
        (Some(code), _) => refusal(code),
        (None, object) if is_list => {
            let items: Vec<_> = object.iter().collect();
            (200, json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}))
        }
        (None, Some(object)) => (200, object.clone()),
        (None, None) => refusal(404),
    }
}

fn patched(server: &mut Server) -> (u16, Value) {
    if let Some(code) = server.refuses_patch {
        return refusal(code);
    }
    let mut object = server.patches.last().unwrap().clone();
    object["metadata"]["resourceVersion"] = "9".into();
    server.object = Some(object.clone());
    (200, object)
}

struct Leader {
    keeper: Keeper,
    task: KeepRegistered,
    leads: watch::Sender<bool>,
    authority: String,
}

fn leader(server: &Shared, keeps_bundle: bool) -> Leader {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let issued = issue(&[&settings().host()], Validity::one_year(clock::now())).unwrap();
    let served = bundle::chain(&issued.certificate).unwrap();
    let (leads, leading) = watch::channel(true);
    let task = KeepRegistered {
        client: client(server),
        settings: settings(),
        owner: None,
        enables_namespaces_by_default: Arc::new(|| Some(false)),
        leads: leading,
        bundle: watch::channel(Some(CaBundle { pem: issued.ca_certificate.clone() })).1,
        published: watch::channel(None).0,
        keeps_bundle,
        served: Arc::new(move || Some(served.clone())),
        metrics: Arc::new(Metrics::default()),
        events: Events::default(),
        condition: None,
    };
    let keeper = Keeper::new(Registrar::new(&task.client, &settings().field_manager()), &task);
    Leader { keeper, task, leads, authority: issued.ca_certificate }
}

impl Leader {
    fn saw(&mut self, object: Option<Value>) {
        let object = object.map(|object| serde_json::from_value(object).unwrap());
        self.keeper.saw(NAME, Ok(object), &self.task);
    }

    fn fails_to_watch(&mut self, code: u16) {
        let status = serde_json::from_value(refusal(code).1).unwrap();
        let error = watcher::Error::WatchFailed(kube::Error::Api(Box::new(status)));
        self.keeper.saw(NAME, Err(error), &self.task);
    }

    async fn pass(&mut self) -> State {
        self.keeper.pass(&self.task).await;
        self.keeper.told.0
    }

    /// As it is wanted, with this bundle.
    fn object(&self, pem: &str) -> Value {
        let wanted = settings().configurations().unwrap().remove(0);
        let mut object = if pem.is_empty() { wanted } else { wanted.with_bundle(pem) }.object;
        object["metadata"]["resourceVersion"] = "5".into();
        object
    }
}

#[tokio::test]
async fn a_watch_that_was_refused_for_a_moment_is_forgotten() {
    let server = Shared::default();
    let mut leader = leader(&server, false);
    let object = leader.object(&leader.authority);
    server.lock().unwrap().object = Some(object.clone());
    leader.saw(Some(object));
    assert_eq!(leader.pass().await, State::Current);

    leader.fails_to_watch(403);
    server.lock().unwrap().refuses_get = Some(403);
    assert_eq!(leader.pass().await, State::Forbidden);
    // What happens meanwhile is seen as soon as reading works, though no watch tells.
    server.lock().unwrap().object = Some(leader.object(""));
    server.lock().unwrap().refuses_get = None;
    assert_eq!(leader.pass().await, State::Current);
    assert_eq!(server.lock().unwrap().patches.len(), 1);
    assert_eq!(leader.pass().await, State::Current);
}

#[tokio::test]
async fn an_object_that_was_never_seen_is_read_when_it_cannot_be_watched() {
    let server = Shared::default();
    let mut leader = leader(&server, false);
    leader.fails_to_watch(403);
    assert_eq!(leader.keeper.told.0, State::Forbidden);
    assert_eq!(leader.pass().await, State::Current);
    assert!(server.lock().unwrap().object.is_some());
}

#[tokio::test]
async fn what_has_changed_since_it_was_seen_is_looked_at_again() {
    let server = Shared::default();
    let mut leader = leader(&server, false);
    leader.saw(Some(leader.object("")));
    let mut changed = leader.object("");
    changed["metadata"]["resourceVersion"] = "7".into();
    *server.lock().unwrap() = Server { object: Some(changed), refuses_patch: Some(409), ..Server::default() };
    assert_eq!(leader.pass().await, State::Outdated);
    server.lock().unwrap().refuses_patch = None;
    assert_eq!(leader.pass().await, State::Current);
    let server = server.lock().unwrap();
    let versions: Vec<_> = server.patches.iter().map(|patch| &patch["metadata"]["resourceVersion"]).collect();
    assert_eq!(versions, ["5", "7"]);
}

#[tokio::test]
async fn a_bundle_that_others_write_has_to_verify_what_is_served() {
    let server = Shared::default();
    let mut leader = leader(&server, true);
    leader.saw(None);
    assert_eq!(leader.pass().await, State::Unverified, "nobody has written one yet");
    let other = issue(&["a"], Validity::one_year(clock::now())).unwrap().ca_certificate;
    for (pem, expected) in [(other, State::Unverified), (leader.authority.clone(), State::Current)] {
        let mut object = leader.object(&pem);
        object["metadata"]["resourceVersion"] = "10".into();
        leader.saw(Some(object));
        assert_eq!(leader.pass().await, expected);
    }
    assert_eq!(server.lock().unwrap().patches.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_any_more_does_not_finish_what_it_began() {
    let server = Arc::new(Mutex::new(Server { hangs: true, ..Server::default() }));
    let Leader { task, leads, .. } = leader(&server, false);
    let metrics = Arc::clone(&task.metrics);
    let keeping = tokio::spawn(keep_registered(task));
    eventually(|| !server.lock().unwrap().patches.is_empty()).await;
    let began = Instant::now();
    leads.send_replace(false);
    eventually(|| metrics.encode().unwrap().contains("registration_state{state=\"not_leader\"} 1")).await;
    assert!(began.elapsed() < Duration::from_secs(1), "it waited for an answer");
    keeping.abort();
}
