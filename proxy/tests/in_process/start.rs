//! Binding comes first, and says everything that is wrong with it.

use std::net::TcpListener;
use std::sync::Arc;

use sidecar_proxy::proxy::bind;

use crate::harness::{Redirected, settings};

#[tokio::test]
async fn every_port_in_use_is_named_with_its_listener_and_flag() {
    let taken: Vec<_> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let port = |index: usize| taken[index].local_addr().unwrap().port();
    let mut settings = settings();
    settings.ports.outbound = port(0);
    settings.ports.inbound = port(1);
    settings.ports.health = port(2);
    settings.ports.prometheus = port(3);
    let Err(error) = bind(settings, Arc::new(Redirected::Never)) else { panic!("bound to ports in use") };
    let text = error.to_string();
    for (index, (name, flag)) in [
        ("virtualOutbound", "--outbound-port"),
        ("virtualInbound", "--inbound-port"),
        ("health", "--health-port"),
        ("prometheus", "--prometheus-port"),
    ]
    .into_iter()
    .enumerate()
    {
        for part in [name, flag, &format!(":{}", port(index))] {
            assert!(text.contains(part), "no `{part}` in {text}");
        }
    }
}

#[tokio::test]
async fn connections_that_come_between_binding_and_serving_are_served() {
    let (server, _peers) = crate::harness::echo("127.0.0.1:0").await;
    let bound = bind(settings(), Arc::new(Redirected::From(server))).unwrap();
    let early = tokio::net::TcpStream::connect(bound.listening()[0].address).await.unwrap();
    let _running = bound.serve().await.unwrap();
    assert_eq!(crate::harness::exchange(early, b"early").await.unwrap(), b"early");
}
