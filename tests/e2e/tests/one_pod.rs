//! One pod, end to end: the sample is injected by the real injector, redirected by the real init container's
//! arguments, and served by the real proxy, in the real kernel.
#![expect(clippy::disallowed_methods, reason = "reads the sample and writes the manifest that is injected")]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sidecar_e2e::address::{FAMILIES, Family, url};
use sidecar_e2e::counters::Counters;
use sidecar_e2e::injector::kube_inject;
use sidecar_e2e::manifest::annotate;
use sidecar_e2e::pod::APPLICATION_UID;
use sidecar_e2e::scene::{INIT, PROXY, Scene, answer, ask, client, seen, serve};
use sidecar_test_support::eventually::eventually;
use sidecar_test_support::namespace::Namespace;
use sidecar_test_support::privilege::require_root;
use sidecar_test_support::program::{Confinement, Program};

const REASON: &str = "it makes network namespaces and writes iptables rules";
/// The application's port in the sample.
const APPLICATION: u16 = 8080;
/// Ports that the annotated sample takes out of the redirection.
const EXCLUDED_INBOUND: u16 = 9000;
const EXCLUDED_OUTBOUND: u16 = 9001;
/// A port of the peer that is redirected like any other.
const PEER: u16 = 8000;
const PROXY_UID: u32 = 1337;
const PATIENCE: Duration = Duration::from_secs(10);

/// The sample, injected and up.
fn started() -> Scene {
    let mut scene = set();
    scene.start().unwrap();
    scene
}

/// The sample, injected; nothing of it runs yet.
fn set() -> Scene {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/httpbin.yaml");
    let annotations = [
        ("traffic.sidecar.istio.io/excludeInboundPorts", EXCLUDED_INBOUND.to_string()),
        ("traffic.sidecar.istio.io/excludeOutboundPorts", EXCLUDED_OUTBOUND.to_string()),
    ];
    let annotations = annotations.each_ref().map(|(key, value)| (*key, value.as_str()));
    let manifest = annotate(&fs::read_to_string(sample).unwrap(), &annotations).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("annotated.yaml");
    fs::write(&file, manifest).unwrap();
    Scene::set(&kube_inject(&file).unwrap().manifest).unwrap()
}

/// Waits until the proxy has counted exactly `expected` since `before`, and checks that it stays at that.
fn assert_counted(scene: &Scene, before: Counters, expected: Counters) {
    let counted = || scene.counters().unwrap() - before;
    let waited = eventually(PATIENCE, || if counted() == expected { Ok(()) } else { Err(format!("{:?}", counted())) });
    assert!(waited.is_ok(), "counted {waited:?} instead of {expected:?}");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(counted(), expected, "counted more than there was");
}

/// One request each way that does pass the proxy. A test of what does not pass it could else not tell a way round the
/// redirection from no redirection at all. Expects a server on the peer's port.
fn send_controls(scene: &Scene) -> Counters {
    scene.ask_pod(Family::V4, APPLICATION, "/control").unwrap();
    scene.ask_peer(APPLICATION_UID, Family::V4, PEER, "/control").unwrap();
    Counters { inbound: 1, outbound: 1 }
}

/// The rules of both families, without comments and packet counts.
fn rules(namespace: &Namespace) -> String {
    let saved = ["iptables-save", "ip6tables-save"].map(|save| namespace.run(&Program::new(save)).unwrap().stdout);
    let lines = saved.iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(" [").next().unwrap_or_default().to_owned() + "\n").collect()
}

#[test]
fn traffic_in_both_directions_and_families_passes_the_proxy_and_is_counted_exactly() {
    if !require_root(REASON) {
        return;
    }
    let mut scene = started();
    let _peer = serve(&scene.peer, Confinement::user(APPLICATION_UID), PEER).unwrap();
    assert_eq!(scene.pod.application_port().unwrap(), APPLICATION);
    let before = scene.counters().unwrap();
    for family in FAMILIES {
        for _ in 0..3 {
            let seen = scene.ask_pod(family, APPLICATION, "/in").unwrap();
            assert_eq!(seen.peer.ip(), family.inbound_source(), "the application was not asked by the proxy");
            assert_eq!((seen.local.ip(), seen.local.port()), (family.pod(), APPLICATION));
        }
        for _ in 0..2 {
            let seen = scene.ask_peer(APPLICATION_UID, family, PEER, "/out").unwrap();
            assert_eq!(seen.peer.ip(), family.pod(), "the peer was not asked by the pod");
            assert_eq!((seen.local.ip(), seen.local.port()), (family.peer(), PEER));
        }
    }
    assert_counted(&scene, before, Counters { inbound: 6, outbound: 4 });

    // The access log tells each way from the other, and where each connection was meant to go.
    for family in FAMILIES {
        for (direction, destination, count) in
            [("inbound", (family.pod(), APPLICATION), 3), ("outbound", (family.peer(), PEER), 2)]
        {
            let destination = std::net::SocketAddr::from(destination).to_string();
            let waited = eventually(PATIENCE, || {
                let log = scene.pod.process(PROXY).unwrap().stderr();
                let told =
                    |line: &&String| line.contains("access") && line.contains(direction) && line.contains(&destination);
                let found = log.iter().filter(told).count();
                if found == count { Ok(()) } else { Err(format!("{found} lines in {log:#?}")) }
            });
            assert!(waited.is_ok(), "{direction} to {destination}: {}", waited.unwrap_err());
        }
    }
}

#[test]
fn the_proxys_own_user_goes_out_directly() {
    if !require_root(REASON) {
        return;
    }
    let scene = started();
    let _peer = serve(&scene.peer, Confinement::user(APPLICATION_UID), PEER).unwrap();
    let before = scene.counters().unwrap();
    for family in FAMILIES {
        assert_eq!(scene.ask_peer(PROXY_UID, family, PEER, "/").unwrap().peer.ip(), family.pod());
    }
    assert_counted(&scene, before, send_controls(&scene));
}

#[test]
fn excluded_ports_are_reached_directly() {
    if !require_root(REASON) {
        return;
    }
    let scene = started();
    let application = Confinement::user(APPLICATION_UID);
    let _inside = serve(scene.pod.namespace(), application.clone(), EXCLUDED_INBOUND).unwrap();
    let _outside = serve(&scene.peer, application.clone(), EXCLUDED_OUTBOUND).unwrap();
    let _peer = serve(&scene.peer, application, PEER).unwrap();
    let before = scene.counters().unwrap();
    for family in FAMILIES {
        let seen = scene.ask_pod(family, EXCLUDED_INBOUND, "/").unwrap();
        assert_eq!(seen.peer.ip(), family.peer(), "the application was asked by the proxy");
        let seen = scene.ask_peer(APPLICATION_UID, family, EXCLUDED_OUTBOUND, "/").unwrap();
        assert_eq!(seen.peer.ip(), family.pod());
    }
    assert_counted(&scene, before, send_controls(&scene));
}

#[test]
fn the_application_reaches_itself_without_the_proxy() {
    if !require_root(REASON) {
        return;
    }
    let scene = started();
    let _peer = serve(&scene.peer, Confinement::user(APPLICATION_UID), PEER).unwrap();
    let before = scene.counters().unwrap();
    for address in [Family::V4.pod(), Family::V6.pod(), [127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()] {
        ask(scene.pod.namespace(), APPLICATION_UID, &url(address, APPLICATION, "/")).unwrap();
    }
    assert_counted(&scene, before, send_controls(&scene));
}

#[test]
fn the_rules_are_there_to_see_and_a_second_run_changes_nothing() {
    if !require_root(REASON) {
        return;
    }
    let mut scene = set();
    assert!(!rules(scene.pod.namespace()).contains("ISTIO"), "rules before the init container ran");
    scene.pod.run_init_containers(&scene.peer).unwrap();

    for command in ["iptables", "ip6tables"] {
        let table = scene.pod.namespace().run(&Program::new(command).args(["-t", "nat", "--list"])).unwrap().stdout;
        let (_, chain) = table.split_once("Chain ISTIO_REDIRECT ").unwrap_or_else(|| panic!("no chain in\n{table}"));
        assert!(chain.contains("redir ports 15001"), "{table}");
    }
    let once = rules(scene.pod.namespace());
    assert!(once.contains("--uid-owner 1337") && once.contains("--to-ports 15006"), "{once}");
    scene.pod.run_init_container(INIT).unwrap();
    assert_eq!(rules(scene.pod.namespace()), once);
}

#[test]
fn readiness_is_answered_from_outside() {
    if !require_root(REASON) {
        return;
    }
    let scene = started();
    for family in FAMILIES {
        let answer = ask(&scene.peer, 0, &url(family.pod(), 15021, "/healthz/ready")).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn a_terminated_proxy_lets_open_connections_finish_and_exits_cleanly() {
    if !require_root(REASON) {
        return;
    }
    let mut scene = started();
    let application = scene.pod.application().unwrap().name.clone();
    let slow = url(Family::V4.pod(), APPLICATION, "/delay/2");
    let mut request = scene.peer.spawn(&client(0, &slow).unwrap()).unwrap();
    let arrived = eventually(PATIENCE, || {
        let log = scene.pod.process(&application).unwrap().stderr();
        if log.iter().any(|line| line.contains("/delay/2")) { Ok(()) } else { Err(log.join("\n")) }
    });
    assert!(arrived.is_ok(), "the request did not arrive: {arrived:?}");

    let proxy = scene.pod.process(PROXY).unwrap();
    assert!(request.ended().unwrap().is_none(), "the request was over before the drain began");
    proxy.terminate().unwrap();
    let seen = seen(&answer(&request.succeed(PATIENCE).unwrap().stdout).unwrap()).unwrap();
    assert_eq!((seen.status, seen.peer.ip()), (200, Family::V4.inbound_source()));
    let ended = proxy.wait(PATIENCE).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}
