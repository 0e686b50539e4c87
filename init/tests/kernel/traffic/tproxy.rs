//! TPROXY: what comes in keeps its source on the whole way, also when the proxy dials the application.

use sidecar_contract::port;

use super::endpoint::{Owner, Role};
use super::scene::{Addresses, Scene};
use super::{APP, PROXY, PROXY_GID, ROOT, Row, by, check_rows, remote};
use crate::backend::with_each_backend;

const TPROXY: &str = "-m TPROXY -b * -i * -d 15090,15021,15020";
/// As Istio runs its proxy in this mode.
const ROOT_WITH_PROXYS_GROUP: Owner = Owner { uid: 0, gid: 1337 };

/// What holds whoever the proxy is.
fn common(a: &Addresses) -> Vec<Row> {
    vec![
        remote((a.pod, 8080)).arrives("inbound for app"),
        remote((a.pod, port::PROMETHEUS)).arrives("app"),
        remote((a.pod, port::HEALTH)).arrives("app"),
        remote((a.pod, port::STATUS)).arrives("app"),
        by(APP, (a.outside, 80)).arrives("outbound"),
        by(ROOT, (a.outside, 80)).arrives("outbound"),
        by(APP, (a.pod, 8080)).arrives("app"),
        by(APP, (a.loopback, 8080)).arrives("app"),
        by(PROXY_GID, (a.outside, 80)).arrives("peer"),
        by(PROXY, (a.outside, 80)).arrives("peer"),
    ]
}

#[test]
fn a_proxy_that_is_root_keeps_the_source() {
    with_each_backend(|backend| {
        let scene = Scene::new(backend, ROOT_WITH_PROXYS_GROUP, Role::Transparent);
        scene.pod.succeed_init(TPROXY);
        check_rows(&scene, |a| {
            let mut rows = common(a);
            rows.extend([
                by(ROOT_WITH_PROXYS_GROUP, (a.outside, 80)).arrives("peer"),
                by(ROOT_WITH_PROXYS_GROUP, (a.pod, 8080)).arrives("inbound for app"),
                by(ROOT_WITH_PROXYS_GROUP, (a.pod, 8080)).from(a.marker).arrives("app"),
                by(ROOT_WITH_PROXYS_GROUP, (a.loopback, 8080)).arrives("app"),
                // Nothing exempts the tunnel in this mode, as nothing does in Istio.
                remote((a.pod, port::TUNNEL)).arrives("inbound for app"),
            ]);
            rows
        })
    });
}

#[test]
fn with_one_more_rule_a_proxy_of_its_own_user_does_too() {
    with_each_backend(|backend| {
        let scene = Scene::new(backend, PROXY, Role::Transparent);
        scene.pod.succeed_init(&format!("{TPROXY} --tproxy-nonroot"));
        check_rows(&scene, |a| {
            let mut rows = common(a);
            rows.extend([
                by(PROXY, (a.pod, 8080)).arrives("inbound for app"),
                by(PROXY, (a.pod, 8080)).from(a.marker).arrives("app"),
                by(PROXY, (a.loopback, 8080)).arrives("app"),
                remote((a.pod, port::TUNNEL)).arrives("app"),
            ]);
            rows
        })
    });
}
