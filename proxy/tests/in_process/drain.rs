//! Ending: open connections may finish, until the deadline.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sidecar_process::drain::Drained;
use sidecar_proxy::bind::Purpose;
use sidecar_proxy::proxy::Settings;
use sidecar_proxy::route::Direction;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::harness::{Ipv4OrV6, Proxy, Redirected, echo, exchange, get, logged, ping, settings, soon};

#[tokio::test]
async fn an_idle_proxy_ends_at_once() {
    let proxy = Proxy::start(Redirected::Never).await;
    assert_eq!(soon(proxy.running.drain()).await, Drained::Finished);
}

#[tokio::test]
async fn connections_are_served_until_none_is_open_though_readiness_is_gone() {
    let (server, _peers) = echo("127.0.0.1:0").await;
    let proxy = Proxy::start(Redirected::From(server)).await;
    let health = proxy.address(Purpose::Health, Ipv4OrV6::V4);
    let traffic = |direction| proxy.address(Purpose::Traffic(direction), Ipv4OrV6::V4);
    let (inbound, outbound) = (traffic(Direction::Inbound), traffic(Direction::Outbound));
    assert_eq!(get(health, "/healthz/ready").await, (200, "ready\n".to_owned()));
    let mut client = proxy.connect(Direction::Inbound).await;
    ping(&mut client).await;

    let drain = tokio::spawn(proxy.running.drain());
    soon(async {
        while get(health, "/healthz/ready").await != (503, "not ready: draining\n".to_owned()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for listener in [inbound, outbound] {
        let late = TcpStream::connect(listener).await.unwrap();
        assert_eq!(exchange(late, b"new").await.unwrap(), b"new");
    }
    assert!(!drain.is_finished());
    assert_eq!(exchange(client, b"last words").await.unwrap(), b"last words");
    assert_eq!(soon(drain).await.unwrap(), Drained::Finished);
    assert!(TcpStream::connect(inbound).await.is_err());
}

#[tokio::test]
async fn an_idle_proxy_goes_on_for_the_minimum() {
    const MINIMUM: Duration = Duration::from_millis(300);
    let (server, _peers) = echo("127.0.0.1:0").await;
    let settings = Settings { drain_minimum: MINIMUM, ..settings() };
    let proxy = Proxy::start_with(settings, Redirected::From(server)).await;
    let outbound = proxy.address(Purpose::Traffic(Direction::Outbound), Ipv4OrV6::V4);
    let begun = Instant::now();
    let drain = tokio::spawn(proxy.running.drain());
    assert_eq!(exchange(TcpStream::connect(outbound).await.unwrap(), b"new").await.unwrap(), b"new");
    assert_eq!(soon(drain).await.unwrap(), Drained::Finished);
    assert!(begun.elapsed() >= MINIMUM, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_open_at_the_deadline_is_reset_and_counted() {
    const DEADLINE: Duration = Duration::from_millis(300);
    let (server, _peers) = echo("127.0.0.1:0").await;
    let settings = Settings { drain_duration: DEADLINE, ..settings() };
    let proxy = Proxy::start_with(settings, Redirected::From(server)).await;
    let mut clients = Vec::new();
    for direction in [Direction::Inbound, Direction::Outbound, Direction::Outbound] {
        let mut client = proxy.connect(direction).await;
        ping(&mut client).await;
        clients.push(client);
    }
    let begun = Instant::now();
    assert_eq!(soon(proxy.running.drain()).await, Drained::Forced(3));
    assert!(begun.elapsed() >= DEADLINE, "{:?}", begun.elapsed());
    for mut client in clients {
        let address = client.local_addr().unwrap();
        let error = soon(client.read_u8()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let line = logged(address).await;
        assert_eq!((&*line["response_flags"], &*line["response_code_details"]), ("LR", "drain_deadline"));
        assert_eq!((&*line["bytes_received"], &*line["bytes_sent"]), ("4", "4"));
    }
}
