//! Start, limits and end of the process.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::pod::{PEER_V4, POD_V4, Pod, address, can_run, exchange};
use crate::proxy::{Proxy, eventually, get};

#[test]
fn sigterm_lets_open_connections_finish_and_new_ones_begin_and_ends_with_0() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"");
    let _outside = pod.peer.serve(address(PEER_V4, 80), b"");
    let mut client = pod.peer.connect(address(POD_V4, 8080));
    client.write_all(b"x").unwrap();
    client.read_exact(&mut [0]).unwrap();

    proxy.signal(Signal::SIGTERM);
    let not_ready = || get(&pod, 15021, "/healthz/ready").is_some_and(|answer| answer.contains("not ready: draining"));
    eventually(not_ready, || proxy.log());
    assert_eq!(exchange(pod.namespace.connect(address(PEER_V4, 80)), b"out"), b"out");
    assert_eq!(exchange(pod.peer.connect(address(POD_V4, 8080)), b"in"), b"in");
    assert_eq!(exchange(client, b"last words"), b"last words");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("every connection had ended"), "{log}");
}

#[test]
fn the_drain_deadline_cuts_what_is_open_and_says_how_much() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &["--drain-duration=200ms"]);
    let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"hello");
    let mut client = pod.peer.connect(address(POD_V4, 8080));
    client.read_exact(&mut [0; 5]).unwrap();
    proxy.signal(Signal::SIGTERM);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains(r#""connections":1"#) && log.contains("drain_deadline"), "{log}");
}

#[test]
fn a_second_signal_ends_at_once() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &["--drain-duration=1h"]);
    let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"hello");
    let mut client = pod.peer.connect(address(POD_V4, 8080));
    client.read_exact(&mut [0; 5]).unwrap();
    proxy.signal(Signal::SIGTERM);
    eventually(|| proxy.log().contains("\"draining\""), || proxy.log());
    proxy.signal(Signal::SIGINT);
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("ending at once"), "{log}");
}

#[test]
fn access_lines_are_a_matter_of_their_own_flag_and_not_of_the_level() {
    if !can_run() {
        return;
    }
    for (flags, lines) in
        [(["--log-level=warning", "--access-log=stderr"], 1), (["--log-level=info", "--access-log=off"], 0)]
    {
        let pod = Pod::create();
        let proxy = Proxy::start(&pod, &[], &[&flags[..], &["--drain-minimum=0s"]].concat());
        let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"");
        assert_eq!(exchange(pod.peer.connect(address(POD_V4, 8080)), b"hello"), b"hello");
        proxy.signal(Signal::SIGTERM);
        let (_, log) = proxy.wait();
        assert_eq!(log.matches("InboundPassthroughCluster").count(), lines, "{flags:?}\n{log}");
    }
}

#[test]
fn a_log_that_nobody_reads_stops_neither_traffic_nor_the_end() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"");
    proxy.stop_reading();
    // Several times what fits into a pipe.
    for _ in 0..1000 {
        assert_eq!(exchange(pod.peer.connect(address(POD_V4, 8080)), b"hello"), b"hello");
    }
    proxy.signal(Signal::SIGTERM);
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn metrics_are_scraped_past_the_redirection() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let _proxy = Proxy::start(&pod, &[], &[]);
    let metrics = get(&pod, 15090, "/stats/prometheus").unwrap();
    assert!(
        metrics.contains(r#"envoy_listener_downstream_cx_total{envoy_listener_address="0.0.0.0_15006"} 0"#),
        "{metrics}"
    );
}

#[test]
fn few_file_descriptors_limit_connections_and_the_rest_are_reset() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    // 256 are kept for the proxy itself: room for 11 connections each way.
    let proxy = Proxy::start(&pod, &["--nofile=300:300"], &[]);
    let _arrivals = pod.peer.serve(address(PEER_V4, 80), b"hello");
    let clients: Vec<_> = (0..60).filter_map(|_| pod.namespace.try_connect(address(PEER_V4, 80)).ok()).collect();
    let greeted = clients.into_iter().filter_map(|mut client| client.read_exact(&mut [0; 5]).ok().map(|()| client));
    let greeted: Vec<_> = greeted.collect();
    assert_eq!(greeted.len(), 11, "{}", proxy.log());
    assert!(proxy.log().contains("--max-connections"), "{}", proxy.log());
}

#[test]
fn running_out_of_file_descriptors_does_not_stop_or_spin_the_proxy() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    let proxy = Proxy::start(&pod, &[], &[]);
    let arrivals = pod.namespace.serve(address(POD_V4, 8080), b"hello");
    // Fewer than are open already: every accept fails with EMFILE.
    proxy.limit_open_files("5:");
    let mut client = pod.peer.connect(address(POD_V4, 8080));
    eventually(|| proxy.log().contains("cannot accept connections"), || proxy.log());
    let before = proxy.cpu_time();
    thread::sleep(Duration::from_millis(500));
    assert!(proxy.cpu_time() - before < Duration::from_millis(100), "{:?}", proxy.cpu_time() - before);

    proxy.limit_open_files("1024:");
    client.read_exact(&mut [0; 5]).unwrap();
    arrivals.recv().unwrap();
    let metrics = get(&pod, 15090, "/stats/prometheus").unwrap();
    let errors = |line: &&str| line.starts_with("sidecar_proxy_accept_errors_total{") && !line.ends_with(" 0");
    assert!(metrics.lines().any(|line| errors(&line)), "{metrics}");
}

#[test]
fn a_pod_without_ipv6_is_served_over_ipv4() {
    if !can_run() {
        return;
    }
    let pod = Pod::create();
    pod.namespace.run(&["sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"]);
    let proxy = Proxy::start(&pod, &[], &[]);
    let _arrivals = pod.namespace.serve(address(POD_V4, 8080), b"");
    assert_eq!(exchange(pod.peer.connect(address(POD_V4, 8080)), b"hello"), b"hello");
    assert!(proxy.log().contains("no IPv6 here"), "{}", proxy.log());
}
