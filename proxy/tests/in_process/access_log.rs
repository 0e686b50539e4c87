//! Catches the access log of every proxy in this test process, and tests what it says.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Mutex;

use sidecar_proxy::route::Direction;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::harness::{Proxy, Redirected, echo, exchange, logged};

static LINES: Mutex<Vec<BTreeMap<String, String>>> = Mutex::new(Vec::new());

pub(crate) fn capture() {
    // Fails for all but the first test of the process, which has done it for them.
    let _ = tracing_subscriber::registry().with(Capture).try_init();
}

pub(crate) fn line_of(client: SocketAddr) -> Option<BTreeMap<String, String>> {
    let client = client.to_string();
    let lines = LINES.lock().unwrap();
    // The last: an earlier test may have had the same port.
    lines.iter().rev().find(|line| line["downstream_remote_address"] == client).cloned()
}

struct Capture;

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "access" {
            let mut line = Line(BTreeMap::new());
            event.record(&mut line);
            LINES.lock().unwrap().push(line.0);
        }
    }
}

struct Line(BTreeMap<String, String>);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

#[tokio::test]
async fn a_forwarded_connection_is_logged_with_both_ends_and_its_bytes() {
    let (server, mut peers) = echo("127.0.0.1:0").await;
    let proxy = Proxy::start(Redirected::From(server)).await;
    let client = proxy.connect(Direction::Inbound).await;
    let client_address = client.local_addr().unwrap();
    exchange(client, b"hello").await.unwrap();

    let mut line = logged(client_address).await;
    let duration: u64 = line.remove("duration").unwrap().parse().unwrap();
    assert!(duration < 20_000, "{duration} ms");
    let upstream_local = peers.recv().await.unwrap();
    let expected = [
        ("bytes_received", "5"),
        ("bytes_sent", "5"),
        ("direction", "inbound"),
        ("downstream_local_address", &server.to_string()),
        ("downstream_remote_address", &client_address.to_string()),
        ("response_code_details", "-"),
        ("response_flags", "-"),
        ("upstream_cluster", "InboundPassthroughCluster"),
        ("upstream_host", &server.to_string()),
        ("upstream_local_address", &upstream_local.to_string()),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(line, expected);
}
