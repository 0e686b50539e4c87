//! From the peer into the pod.

use std::io::{ErrorKind, Read, Write};

use crate::pod::{POD_V4, POD_V6, Pod, address, can_run, exchange};
use crate::proxy::Proxy;

#[test]
fn the_application_is_reached_from_the_marker_address() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    for (ip, source) in [(POD_V4, "127.0.0.6"), (POD_V6, "::6")] {
        let app = address(ip, 8080);
        let arrivals = pod.namespace.serve(app, b"");
        let client = pod.peer.connect(app);
        let client_address = client.local_addr().unwrap();
        assert_eq!(exchange(client, b"hello"), b"hello");

        let (from, to) = arrivals.recv().unwrap();
        assert_eq!((from.ip().to_string().as_str(), to), (source, app));
        let line = proxy.access(client_address);
        assert_eq!(line["direction"], "inbound");
        assert_eq!(line["downstream_local_address"], app.to_string());
        assert_eq!(line["upstream_host"], app.to_string());
        assert_eq!(line["upstream_cluster"], "InboundPassthroughCluster");
        assert_eq!(line["upstream_local_address"], from.to_string());
        assert_eq!(line["response_flags"], "-");
    }
}

#[test]
fn a_port_without_application_resets_the_client() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    for app in [address(POD_V4, 9999), address(POD_V6, 9999)] {
        assert_eq!(pod.peer.expect_error(app), ErrorKind::ConnectionReset, "{app}");
        let line = proxy.access_to(app);
        assert_eq!(line["response_flags"], "UF");
        assert_eq!(line["response_code_details"], "connection_refused");
    }
}

#[test]
fn without_the_marker_address_on_lo_the_log_says_so() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    pod.namespace.run(&["ip", "address", "delete", "::6/128", "dev", "lo"]);
    let proxy = Proxy::start(&pod, &[], &[]);
    let app = address(POD_V6, 8080);
    let _arrivals = pod.namespace.serve(app, b"hello");
    assert_eq!(pod.peer.expect_error(app), ErrorKind::ConnectionReset);
    assert_eq!(proxy.access_to(app)["response_code_details"], "source_address_not_available");
}

#[test]
fn the_listeners_dialled_from_outside_close_without_a_loop() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    for ip in [POD_V4, POD_V6] {
        for (port, details) in [(15006, "listener_dialled_directly"), (15001, "destination_is_own_port")] {
            let before = proxy.connections();
            let mut client = pod.peer.connect(address(ip, port));
            let _ = client.write_all(b"hello");
            assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)), "{ip} {port} answered");
            let line = proxy.access(client.local_addr().unwrap());
            assert_eq!(
                (&line["upstream_cluster"], &line["response_flags"]),
                (&"BlackHoleCluster".into(), &"UH".into())
            );
            assert_eq!(line["response_code_details"], details, "{ip} {port}");
            assert_eq!(proxy.connections(), before + 1, "{}", proxy.log());
        }
    }
}

#[test]
fn a_server_that_speaks_first_is_heard() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let _proxy = Proxy::start(&pod, &[], &[]);
    for ip in [POD_V4, POD_V6] {
        let _arrivals = pod.namespace.serve(address(ip, 3306), b"5.7.0 ready");
        let mut client = pod.peer.connect(address(ip, 3306));
        let mut greeting = [0; 11];
        client.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"5.7.0 ready");
    }
}
