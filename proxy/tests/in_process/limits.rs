//! No more connections than asked.

use sidecar_proxy::bind::Purpose;
use sidecar_proxy::proxy::Settings;
use sidecar_proxy::route::Direction;

use crate::harness::{Ipv4OrV6, Proxy, Redirected, echo, exchange, expect_reset, logged, ping, settings, soon};

#[tokio::test]
async fn connections_beyond_the_limit_of_a_direction_are_reset_and_the_other_is_not_concerned() {
    let (server, _peers) = echo("127.0.0.1:0").await;
    let settings = Settings { max_connections: 2, ..settings() };
    let proxy = Proxy::start_with(settings, Redirected::From(server)).await;
    let mut open = Vec::new();
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Inbound] {
        let mut client = proxy.connect(direction).await;
        ping(&mut client).await;
        open.push(client);
    }

    let line = logged(expect_reset(&proxy, Direction::Inbound).await).await;
    assert_eq!((&*line["response_flags"], &*line["response_code_details"]), ("UO", "too_many_connections"));
    assert_eq!(line["downstream_local_address"], server.to_string());
    let port = proxy.address(Purpose::Traffic(Direction::Inbound), Ipv4OrV6::V4).port();
    let listener = |name: &str| format!("envoy_listener_{name}{{envoy_listener_address=\"0.0.0.0_{port}\"}}");
    assert_eq!(proxy.metric(&listener("downstream_cx_overflow")).await, 1);
    assert_eq!(proxy.metric(&listener("downstream_cx_total")).await, 2);

    let mut second_outbound = proxy.connect(Direction::Outbound).await;
    ping(&mut second_outbound).await;
    let ended = open.remove(0);
    let address = ended.local_addr().unwrap();
    exchange(ended, b"done").await.unwrap();
    logged(address).await;
    // The place is free again a moment after the connection was logged.
    soon(async {
        loop {
            let client = proxy.connect(Direction::Inbound).await;
            if exchange(client, b"third").await.is_ok_and(|answer| answer == b"third") {
                return;
            }
        }
    })
    .await;
}
