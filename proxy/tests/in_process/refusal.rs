//! Connections that would come back to the proxy end in the black hole.

use std::sync::{Arc, OnceLock};

use sidecar_proxy::bind::Purpose;
use sidecar_proxy::route::Direction;

use crate::harness::{Ipv4OrV6, Proxy, Redirected, answer, logged};

async fn expect_refusal(proxy: &Proxy, direction: Direction, flags: &str, details: &str) {
    let client = proxy.connect(direction).await;
    let address = client.local_addr().unwrap();
    assert!(answer(client, b"hello").await.is_empty());
    let line = logged(address).await;
    assert_eq!(line["upstream_cluster"], "BlackHoleCluster");
    assert_eq!((&*line["response_flags"], &*line["response_code_details"]), (flags, details));
    assert_eq!(line["upstream_host"], "-");
    assert_eq!(proxy.cluster_metric("upstream_cx_none_healthy", "BlackHoleCluster").await, 1);
    assert_eq!(proxy.metric(&format!("sidecar_proxy_connections_refused_total{{reason=\"{details}\"}}")).await, 1);
    for cluster in ["PassthroughCluster", "InboundPassthroughCluster"] {
        assert_eq!(proxy.cluster_metric("upstream_cx_total", cluster).await, 0, "{cluster} was dialled");
    }
}

#[tokio::test]
async fn a_listener_dialled_directly_is_not_forwarded_to_itself() {
    for direction in [Direction::Inbound, Direction::Outbound] {
        let proxy = Proxy::start(Redirected::FromListener).await;
        expect_refusal(&proxy, direction, "UH", "listener_dialled_directly").await;
    }
}

#[tokio::test]
async fn what_was_going_to_the_other_listener_is_not_forwarded_there() {
    let destination = Arc::new(OnceLock::new());
    let proxy = Proxy::start(Redirected::FromOnceKnown(destination.clone())).await;
    destination.set(proxy.address(Purpose::Traffic(Direction::Inbound), Ipv4OrV6::V4)).unwrap();
    expect_refusal(&proxy, Direction::Outbound, "UH", "destination_is_own_port").await;
}

#[tokio::test]
async fn a_connection_without_original_destination_is_not_forwarded() {
    for redirected in [Redirected::Never, Redirected::Unknown] {
        let proxy = Proxy::start(redirected).await;
        expect_refusal(&proxy, Direction::Outbound, "NR", "no_original_destination").await;
    }
}
