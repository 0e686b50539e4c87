//! No more connections than asked.

use sidecar_proxy::proxy::Settings;
use sidecar_proxy::route::Direction;

use crate::harness::{Proxy, Redirected, echo, exchange, ping, settings, soon};

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_one_to_end() {
    let (server, mut peers) = echo("127.0.0.1:0").await;
    let settings = Settings { max_connections: 2, ..settings() };
    let proxy = Proxy::start_with(settings, Redirected::From(server)).await;
    let mut first = proxy.connect(Direction::Inbound).await;
    let mut second = proxy.connect(Direction::Outbound).await;
    ping(&mut first).await;
    ping(&mut second).await;

    let third = tokio::spawn(exchange(proxy.connect(Direction::Outbound).await, b"third"));
    for _ in 0..2 {
        peers.recv().await.unwrap();
    }
    // That nothing happens can only be seen by waiting.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(peers.try_recv().is_err(), "the third connection was let through");

    exchange(first, b"done").await.unwrap();
    assert_eq!(soon(third).await.unwrap().unwrap(), b"third");
    ping(&mut second).await;
}
