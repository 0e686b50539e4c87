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

async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..100 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not happen");
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
async fn a_series_goes_on_in_its_event() {
    let (client, requests) = client(200);
    let writer = Writer { client, instance: String::new(), complained: None };
    let write = Write { key: (String::new(), ""), event: event("x"), count: 7, name: Some("app-1.abc".to_owned()) };
    assert_eq!(writer.write(&write).await.unwrap(), "app-1.abc");
    let (line, patch) = &requests.lock().unwrap()[0];
    assert_eq!(line, "PATCH /apis/events.k8s.io/v1/namespaces/demo/events/app-1.abc");
    assert_eq!((&patch["series"]["count"], patch["series"]["lastObservedTime"].is_string()), (&json!(7), true));
}
