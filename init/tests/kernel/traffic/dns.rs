//! DNS: questions of the application go to the agent, those of the agent go out, also from the same source port.

use sidecar_contract::port;

use super::endpoint::Role;
use super::scene::{Addresses, FAMILIES, Scene};
use super::{APP, PROXY, ROOT, Row, by, check_rows};
use crate::backend::{Backend, with_each_backend};

const ALL: &str = "-b * -i * --redirect-dns --capture-all-dns";
const LISTED: &str = "-b * -i * --redirect-dns --dns-servers 203.0.113.9,2001:db8:9::9";

/// Servers outside, and the agent, which must not listen on all addresses: its answers would have the pod's.
fn scene(backend: Backend) -> Scene {
    let scene = Scene::with_redirect(backend);
    for a in &FAMILIES {
        for role in [Role::Answers, Role::AnswersDatagrams] {
            scene.in_pod("agent", PROXY, (a.loopback, port::DNS), role);
            for server in [a.outside, a.peer] {
                scene.outside("server", (server, 53), role);
                scene.outside("server", (server, 5353), role);
            }
        }
        scene.in_pod("resolver", ROOT, (a.loopback, 53), Role::AnswersDatagrams);
    }
    scene
}

/// What holds for the server that is listed, and for all if all are captured.
fn captured(a: &Addresses) -> Vec<Row> {
    vec![
        by(APP, (a.outside, 53)).udp().arrives("agent"),
        by(APP, (a.outside, 53)).arrives("agent"),
        by(ROOT, (a.outside, 53)).udp().arrives("agent"),
        by(PROXY, (a.outside, 53)).udp().arrives("server"),
        by(PROXY, (a.outside, 53)).arrives("server"),
        by(APP, (a.outside, 5353)).udp().arrives("server"),
        by(APP, (a.outside, 5353)).arrives("outbound"),
        by(APP, (a.outside, 80)).arrives("outbound"),
    ]
}

/// The application's and the agent's questions, from one and the same address and port.
fn from_one_port(a: &Addresses, agents: &'static str) -> Vec<Row> {
    vec![
        by(APP, (a.outside, 53)).udp().from(a.pod).source_port(40_053).arrives("agent"),
        by(PROXY, (a.outside, 53)).udp().from(a.pod).source_port(40_053).arrives(agents),
    ]
}

#[test]
fn all_servers_are_captured_when_asked_for() {
    with_each_backend(|backend| {
        let scene = scene(backend);
        scene.pod.succeed_init(ALL);
        check_rows(&scene, |a| {
            let mut rows = captured(a);
            rows.extend(from_one_port(a, "server"));
            rows.extend([
                by(APP, (a.peer, 53)).udp().arrives("agent"),
                by(APP, (a.peer, 53)).arrives("agent"),
                by(APP, (a.loopback, 53)).udp().arrives("agent"),
                by(PROXY, (a.loopback, 53)).udp().arrives("resolver"),
            ]);
            rows
        })
    });
}

#[test]
fn otherwise_only_those_that_are_listed() {
    with_each_backend(|backend| {
        let scene = scene(backend);
        scene.pod.succeed_init(LISTED);
        check_rows(&scene, |a| {
            let mut rows = captured(a);
            rows.extend(from_one_port(a, "server"));
            rows.push(by(APP, (a.peer, 53)).udp().arrives("server"));
            rows
        })
    });
}

#[test]
fn without_zones_the_agent_would_ask_itself() {
    with_each_backend(|backend| {
        let scene = scene(backend);
        scene.pod.succeed_init(ALL);
        match backend {
            Backend::Nft => drop(scene.pod.succeed(&["sh", "-c", "iptables-nft -t raw -F && ip6tables-nft -t raw -F"])),
            Backend::Legacy => {
                drop(scene.pod.succeed(&["sh", "-c", "iptables-legacy -t raw -F && ip6tables-legacy -t raw -F"]));
            }
            Backend::Native => drop(scene.pod.succeed(&["nft", "flush", "table", "inet", "istio-proxy-raw"])),
        }
        check_rows(&scene, |a| from_one_port(a, "agent"))
    });
}

#[test]
fn an_excluded_port_53_is_not_captured() {
    with_each_backend(|backend| {
        let scene = scene(backend);
        scene.pod.succeed_init(&format!("{ALL} -o 53"));
        check_rows(&scene, |a| {
            vec![
                by(APP, (a.outside, 53)).udp().arrives("server"),
                by(APP, (a.outside, 53)).arrives("server"),
                by(APP, (a.outside, 80)).arrives("outbound"),
            ]
        })
    });
}
