//! Connections arrive where they were going.

use std::time::Duration;

use sidecar_contract::address::INBOUND_SOURCE_V4;
use sidecar_proxy::bind::Purpose;
use sidecar_proxy::proxy::Settings;
use sidecar_proxy::route::Direction;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::harness::{Ipv4OrV6, Proxy, Redirected, echo, exchange, expect_reset, logged, ping, settings, soon};

#[tokio::test]
async fn outbound_reaches_its_destination_over_either_family() {
    for (family, address) in [(Ipv4OrV6::V4, "127.0.0.1:0"), (Ipv4OrV6::V6, "[::1]:0")] {
        let (server, mut peers) = echo(address).await;
        let proxy = Proxy::start(Redirected::From(server)).await;
        let client = proxy.connect_over(family, Direction::Outbound).await;
        assert_eq!(exchange(client, b"hello").await.unwrap(), b"hello", "{family:?}");
        assert!(peers.recv().await.unwrap().ip().is_loopback());
    }
}

#[tokio::test]
async fn inbound_reaches_the_application_from_the_marker_address() {
    let (server, mut peers) = echo("127.0.0.1:0").await;
    let proxy = Proxy::start(Redirected::From(server)).await;
    let client = proxy.connect(Direction::Inbound).await;
    assert_eq!(exchange(client, b"hello").await.unwrap(), b"hello");
    assert_eq!(peers.recv().await.unwrap().ip(), INBOUND_SOURCE_V4);
}

#[tokio::test]
async fn connections_and_bytes_are_counted_while_they_are_open_and_after() {
    let (server, _peers) = echo("127.0.0.1:0").await;
    let proxy = Proxy::start(Redirected::From(server)).await;
    let mut client = proxy.connect(Direction::Outbound).await;
    let client_address = client.local_addr().unwrap();
    ping(&mut client).await;

    let port = proxy.address(Purpose::Traffic(Direction::Outbound), Ipv4OrV6::V4).port();
    let listener =
        |name: &str| format!("envoy_listener_downstream_{name}{{envoy_listener_address=\"127.0.0.1_{port}\"}}");
    let cluster = "PassthroughCluster";
    assert_eq!(proxy.metric(&listener("cx_active")).await, 1);
    assert_eq!(proxy.cluster_metric("upstream_cx_active", cluster).await, 1);
    assert_eq!(proxy.cluster_metric("upstream_cx_tx_bytes_total", cluster).await, 4);

    exchange(client, b"twelve bytes").await.unwrap();
    logged(client_address).await;
    assert_eq!(proxy.metric(&listener("cx_total")).await, 1);
    assert_eq!(proxy.metric(&listener("cx_active")).await, 0);
    assert_eq!(proxy.cluster_metric("upstream_cx_total", cluster).await, 1);
    assert_eq!(proxy.cluster_metric("upstream_cx_active", cluster).await, 0);
    assert_eq!(proxy.cluster_metric("upstream_cx_tx_bytes_total", cluster).await, 16);
    assert_eq!(proxy.cluster_metric("upstream_cx_rx_bytes_total", cluster).await, 16);
    assert_eq!(proxy.cluster_metric("upstream_cx_connect_fail", cluster).await, 0);
    assert_eq!(proxy.cluster_metric("upstream_cx_total", "InboundPassthroughCluster").await, 0);
}

#[tokio::test]
async fn a_destination_that_refuses_resets_the_client() {
    // Bound, so that nobody else gets the port, but not listening.
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let proxy = Proxy::start(Redirected::From(bound.local_addr().unwrap())).await;
    let client = expect_reset(&proxy, Direction::Inbound).await;

    let line = logged(client).await;
    assert_eq!((&*line["response_flags"], &*line["response_code_details"]), ("UF", "connection_refused"));
    assert_eq!(line["upstream_local_address"], "-");
    assert_eq!(proxy.cluster_metric("upstream_cx_connect_fail", "InboundPassthroughCluster").await, 1);
    assert_eq!(proxy.cluster_metric("upstream_cx_connect_timeout", "InboundPassthroughCluster").await, 0);
}

#[tokio::test]
async fn a_destination_that_does_not_answer_in_time_resets_the_client() {
    // With its queue full the kernel drops further SYNs: to the proxy, silence.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let silent = full.local_addr().unwrap().as_socket().unwrap();
    let _queued = TcpStream::connect(silent).await.unwrap();

    let settings = Settings { connect_timeout: Duration::from_millis(200), ..settings() };
    let proxy = Proxy::start_with(settings, Redirected::From(silent)).await;
    let line = logged(expect_reset(&proxy, Direction::Outbound).await).await;
    assert_eq!((&*line["response_flags"], &*line["response_code_details"]), ("UF", "connect_timeout"));
    assert_eq!(proxy.cluster_metric("upstream_cx_connect_timeout", "PassthroughCluster").await, 1);
}

#[tokio::test]
async fn a_server_that_speaks_first_is_heard_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(Redirected::From(listener.local_addr().unwrap())).await;
    let mut client = proxy.connect(Direction::Outbound).await;
    let (server, _) = soon(listener.accept()).await.unwrap();
    server.try_write(b"220 ready").unwrap();
    let mut greeting = [0; 9];
    soon(client.read_exact(&mut greeting)).await.unwrap();
    assert_eq!(&greeting, b"220 ready");
}

#[tokio::test]
async fn what_is_under_way_when_both_sides_have_finished_arrives_whole() {
    const LENGTH: usize = 2 * 1024 * 1024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(Redirected::From(listener.local_addr().unwrap())).await;
    // With so little room at the client, much of the response waits in the proxy's socket when its relay is done.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = proxy.address(Purpose::Traffic(Direction::Outbound), Ipv4OrV6::V4);
    let client = soon(socket.connect(address)).await.unwrap();
    let (mut server, _) = soon(listener.accept()).await.unwrap();
    let responding = tokio::spawn(async move {
        server.write_all(&vec![7; LENGTH]).await.unwrap();
    });
    let response = exchange(client, b"").await.unwrap();
    assert_eq!(response.len(), LENGTH);
    responding.await.unwrap();
}
