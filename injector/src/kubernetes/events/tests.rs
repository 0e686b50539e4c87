//! What is sent to an API server, which is a function here.

use super::*;

use std::sync::{Arc, Mutex};

use axum::http::{Request, Response};
use http_body_util::BodyExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::client::Body;
use serde_json::Value;
use tower::service_fn;

use crate::events::Events;
use crate::eventually::eventually;

type Requests = Arc<Mutex<Vec<(String, Value)>>>;

/// A client whose server answers every request with `status`, and remembers it.
fn client(status: u16) -> (Client, Requests) {
    let requests = Requests::default();
    let remembered = Arc::clone(&requests);
    let service = service_fn(move |request: Request<Body>| {
        let requests = Arc::clone(&remembered);
        async move {
            let line = format!("{} {}", request.method(), request.uri().path());
            let body = request.into_body().collect().await?.to_bytes();
            requests.lock().unwrap().push((line, serde_json::from_slice(&body).unwrap()));
            let answer = if status == 200 {
                json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "x"}})
            } else {
                json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status, "reason": "no"})
            };
            let answer = Response::builder().status(status).body(Body::from(answer.to_string().into_bytes())).unwrap();
            Ok::<_, kube::Error>(answer)
        }
    });
    (Client::new(service, "default"), requests)
}

fn event(note: &str) -> Event {
    let text = |text: &str| Some(text.to_owned());
    let regarding = ObjectReference {
        api_version: text("apps/v1"),
        kind: text("ReplicaSet"),
        name: text("app-1"),
        namespace: text("demo"),
        uid: text("u"),
        ..ObjectReference::default()
    };
    Event { regarding, is_warning: true, reason: "InjectionSkipped", action: "Inject", note: note.to_owned() }
}

#[tokio::test]
async fn an_event_is_written_once_however_often_it_happens() {
    let (events, queue) = Events::channel();
    let (client, requests) = client(200);
    let writing = tokio::spawn(write(client, queue, "injector-0".repeat(100)));
    for _ in 0..100 {
        events.tell(event(&"ä".repeat(1000)));
    }
    eventually(|| !requests.lock().unwrap().is_empty()).await;
    drop(events);
    writing.await.unwrap();
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    let (line, written) = &requests[0];
    assert_eq!(line, "POST /apis/events.k8s.io/v1/namespaces/demo/events");
    assert!(written["metadata"]["name"].as_str().unwrap().starts_with("app-1."), "{written}");
    assert_eq!((&written["type"], &written["reason"]), (&json!("Warning"), &json!("InjectionSkipped")));
    assert_eq!((&written["regarding"]["uid"], &written["action"]), (&json!("u"), &json!("Inject")));
    assert!(written["eventTime"].is_string() && written["reportingController"] == CONTROLLER, "{written}");
    assert_eq!(written["note"].as_str().unwrap().len(), LONGEST_NOTE);
    assert_eq!(written["reportingInstance"].as_str().unwrap().len(), LONGEST_INSTANCE);
}

#[tokio::test]
async fn an_api_server_that_refuses_is_asked_no_more_for_a_while() {
    let (events, queue) = Events::channel();
    let (client, requests) = client(403);
    tokio::spawn(write(client, queue, String::new()));
    for _ in 0..10 {
        events.tell(event("x"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    eventually(|| !requests.lock().unwrap().is_empty()).await;
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    for (status, waits) in
        [(200, false), (404, false), (422, false), (403, true), (409, true), (429, true), (500, true)]
    {
        let (mut ledgers, start) = (Ledgers::default(), Instant::now());
        ledgers.of(&event("x")).observe(event("x"), start.elapsed());
        let mut writer = Writer { client: client(status).0, instance: String::new(), complained: None };
        writer.round(&mut ledgers, start).await;
        assert_eq!(ledgers.is_waiting(), waits, "{status}");
    }
    let terminating = "unable to create new content in namespace demo because it is being terminated";
    assert!(is_final(&Error::Api(kube::core::Status::failure(terminating, "Forbidden").with_code(403).boxed())));
}

#[tokio::test]
async fn an_api_server_that_does_not_answer_is_asked_once_a_round() {
    let service = service_fn(|_: Request<Body>| std::future::pending::<Result<Response<Body>, kube::Error>>());
    let (mut ledgers, start) = (Ledgers::default(), Instant::now());
    for number in 0..10 {
        let mut event = event("x");
        event.regarding.name = Some(number.to_string());
        ledgers.of(&event).observe(event, start.elapsed());
    }
    let mut writer = Writer { client: Client::new(service, "default"), instance: String::new(), complained: None };
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    writer.round(&mut ledgers, start).await;
    assert!(ledgers.is_waiting() && begun.elapsed() < PATIENCE * 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn reviews_leave_the_injectors_own_objects_something_to_write() {
    let (client, requests) = client(200);
    let (mut ledgers, start) = (Ledgers::default(), Instant::now());
    for number in 0..2000 {
        let mut event = event("x");
        event.regarding.name = Some(number.to_string());
        ledgers.of(&event).observe(event, start.elapsed());
    }
    let mut writer = Writer { client, instance: String::new(), complained: None };
    writer.round(&mut ledgers, start).await;
    let own = Event { action: "Load", ..event("own") };
    assert!(ledgers.of(&own).observe(own, start.elapsed()));
    writer.round(&mut ledgers, start).await;
    assert!(requests.lock().unwrap().iter().any(|(_, written)| written["note"] == "own"));
}

#[tokio::test]
async fn a_series_goes_on_in_its_event() {
    let (client, requests) = client(200);
    let writer = Writer { client, instance: String::new(), complained: None };
    let write = Write { key: (String::new(), ""), event: event("x"), count: 7, name: Some("app-1.abc".to_owned()) };
    assert_eq!(writer.write(&write).await.unwrap(), "app-1.abc");
    let (line, patch) = &requests.lock().unwrap()[0];
    assert_eq!(line, "PATCH /apis/events.k8s.io/v1/namespaces/demo/events/app-1.abc");
    assert_eq!((&patch["series"]["count"], patch["series"]["lastObservedTime"].is_string()), (&json!(7), true));
}
