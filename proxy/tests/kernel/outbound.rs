//! From the pod to the peer.

use std::io::{ErrorKind, Read, Write};

use crate::pod::{PEER_V4, PEER_V6, POD_V4, POD_V6, Pod, address, can_run, exchange};
use crate::proxy::Proxy;

#[test]
fn the_destination_is_reached_from_the_pods_own_address() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    for (ip, own) in [(PEER_V4, POD_V4), (PEER_V6, POD_V6)] {
        let server = address(ip, 80);
        let arrivals = pod.peer.serve(server, b"");
        let client = pod.namespace.connect(server);
        let client_address = client.local_addr().unwrap();
        assert_eq!(exchange(client, b"hello"), b"hello");

        let (from, _) = arrivals.recv().unwrap();
        assert_eq!(from.ip().to_string(), own);
        assert_ne!(from, client_address, "the connection did not pass the proxy");
        let line = proxy.access(client_address);
        assert_eq!(line["direction"], "outbound");
        assert_eq!(line["downstream_local_address"], server.to_string());
        assert_eq!(line["upstream_cluster"], "PassthroughCluster");
        assert_eq!((&line["bytes_received"], &line["bytes_sent"]), (&5.into(), &5.into()));
    }
}

#[test]
fn the_listeners_dialled_from_inside_close_without_a_loop() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    for (ip, port) in [("127.0.0.1", 15001), ("::1", 15001), ("127.0.0.1", 15006), ("::1", 15006), (POD_V4, 15006)] {
        let before = proxy.connections();
        let mut client = pod.namespace.connect(address(ip, port));
        let _ = client.write_all(b"hello");
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)), "{ip} {port} answered");
        let line = proxy.access(client.local_addr().unwrap());
        assert_eq!(line["upstream_cluster"], "BlackHoleCluster", "{line}");
        assert_eq!(proxy.connections(), before + 1, "{}", proxy.log());
    }
}

#[test]
fn under_a_user_that_the_rules_catch_there_is_no_loop_but_an_error_that_says_why() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start_as(&["--reuid=0", "--regid=0", "--clear-groups"], &pod, &[], &[]);
    for ip in [PEER_V4, PEER_V6] {
        let before = proxy.accepted_outbound(&pod);
        assert_eq!(pod.namespace.expect_error(address(ip, 80)), ErrorKind::ConnectionReset);
        assert_eq!(proxy.accepted_outbound(&pod) - before, 2, "{}", proxy.log());
    }
    let log = proxy.log();
    assert!(log.contains("dialled_by_this_proxy"), "{log}");
    // Once a worker.
    assert!((1..=2).contains(&log.matches("it must run as the user or group").count()), "{log}");
}

#[test]
fn two_hundred_connections_each_way_at_once() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    let _inbound = pod.namespace.serve(address(POD_V4, 8080), b"");
    let _outbound = pod.peer.serve(address(PEER_V4, 80), b"");
    let mut clients: Vec<_> = (0..200)
        .flat_map(|_| [pod.peer.connect(address(POD_V4, 8080)), pod.namespace.connect(address(PEER_V4, 80))])
        .collect();
    for (index, client) in clients.iter_mut().enumerate() {
        client.write_all(&u32::try_from(index).unwrap().to_be_bytes()).unwrap();
    }
    for (index, client) in clients.iter_mut().enumerate() {
        let mut answer = [0; 4];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(u32::from_be_bytes(answer), u32::try_from(index).unwrap());
    }
    assert_eq!(proxy.connections(), 0, "some did not stay open");
    for client in clients {
        assert!(exchange(client, b"").is_empty());
    }
}

#[test]
fn a_destination_that_refuses_brings_no_connection_of_the_proxy_back_to_it() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    // Few ports, so that the proxy soon dials from one that a client had a moment ago.
    pod.namespace.run(&["sh", "-c", "echo 40000 40999 > /proc/sys/net/ipv4/ip_local_port_range"]);
    let proxy = Proxy::start(&pod, &[], &[]);
    for server in [address(PEER_V4, 9), address(PEER_V6, 9)] {
        let before = proxy.accepted_outbound(&pod);
        for _ in 0..1500 {
            assert_eq!(pod.namespace.expect_error(server), ErrorKind::ConnectionReset);
        }
        for _ in 0..30 {
            let burst: Vec<_> = (0..50).filter_map(|_| pod.namespace.try_connect(server).ok()).collect();
            for mut client in burst {
                assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
            }
        }
        assert_eq!(proxy.accepted_outbound(&pod) - before, 3000, "{server}");
    }
}
