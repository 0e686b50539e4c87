//! REDIRECT: the default rules, and each flag that changes who is redirected.

use sidecar_contract::port;

use super::endpoint::Role;
use super::scene::{Addresses, FAMILIES, Scene};
use super::{APP, NOBODY, PROXY, PROXY_GID, PROXY_UID, ROOT, Row, by, check_rows, remote};
use crate::backend::with_each_backend;
use crate::pod::{BINARY, DEFAULT};

/// Checks rows in a new pod, after the program has run with these arguments.
fn check(arguments: &str, rows: fn(&Addresses) -> Vec<Row>) {
    with_each_backend(|backend| {
        let scene = Scene::with_redirect(backend);
        scene.pod.succeed_init(arguments);
        check_rows(&scene, rows)
    });
}

#[test]
fn without_rules_everybody_reaches_everybody() {
    with_each_backend(|backend| {
        check_rows(&Scene::with_redirect(backend), |a| {
            vec![
                remote((a.pod, 8080)).arrives("app"),
                by(APP, (a.outside, 80)).arrives("peer"),
                by(APP, (a.outside, 81)).arrives(NOBODY),
            ]
        })
    });
}

#[test]
fn by_default_both_directions_go_to_the_proxy_and_the_proxy_goes_free() {
    check(DEFAULT, |a| {
        vec![
            remote((a.pod, 8080)).arrives("inbound"),
            remote((a.pod, 81)).arrives("inbound"),
            remote((a.pod, port::OUTBOUND)).arrives("inbound"),
            remote((a.pod, port::PROMETHEUS)).arrives("app"),
            remote((a.pod, port::HEALTH)).arrives("app"),
            remote((a.pod, port::STATUS)).arrives("app"),
            remote((a.pod, port::TUNNEL)).arrives("app"),
            by(APP, (a.outside, 80)).arrives("outbound"),
            by(APP, (a.outside, port::TUNNEL)).arrives("outbound"),
            by(ROOT, (a.outside, 80)).arrives("outbound"),
            by(APP, (a.peer, 80)).arrives("outbound"),
            by(PROXY, (a.outside, 80)).arrives("peer"),
            by(PROXY_UID, (a.outside, 80)).arrives("peer"),
            by(PROXY_GID, (a.outside, 80)).arrives("peer"),
            by(APP, (a.pod, 8080)).arrives("app"),
            by(ROOT, (a.pod, 8080)).arrives("app"),
            by(APP, (a.loopback, 8080)).arrives("app"),
            by(PROXY, (a.pod, 8080)).arrives("inbound"),
            by(PROXY_UID, (a.pod, 8080)).arrives("inbound"),
            by(PROXY_GID, (a.pod, 8080)).arrives("app"),
            by(PROXY, (a.pod, port::TUNNEL)).arrives("app"),
            by(PROXY, (a.pod, 8080)).from(a.marker).arrives("app"),
            by(PROXY, (a.loopback, 8080)).arrives("app"),
        ]
    });
}

#[test]
fn datagrams_are_left_alone() {
    with_each_backend(|backend| {
        let scene = Scene::with_redirect(backend);
        for a in &FAMILIES {
            scene.outside("peer", (a.outside, 53), Role::AnswersDatagrams);
            scene.in_pod("app", APP, (a.pod, 53), Role::AnswersDatagrams);
        }
        scene.pod.succeed_init(DEFAULT);
        check_rows(&scene, |a| {
            vec![
                by(APP, (a.outside, 53)).udp().arrives("peer"),
                by(APP, (a.pod, 53)).udp().arrives("app"),
                remote((a.pod, 53)).udp().arrives("app"),
            ]
        })
    });
}

#[test]
fn listed_inbound_ports_are_redirected_and_no_others() {
    check("-b 8080,9000 -d 8080 -i *", |a| {
        vec![
            remote((a.pod, 8080)).arrives("inbound"),
            remote((a.pod, 9000)).arrives("inbound"),
            remote((a.pod, 80)).arrives("app"),
            remote((a.pod, port::TUNNEL)).arrives("app"),
        ]
    });
}

#[test]
fn without_ports_and_ranges_nothing_is_redirected() {
    check("-u 1337", |a| {
        vec![
            remote((a.pod, 8080)).arrives("app"),
            by(APP, (a.outside, 80)).arrives("peer"),
            by(APP, (a.pod, 8080)).arrives("app"),
        ]
    });
}

#[test]
fn excluded_ports_and_ranges_win_and_listed_ports_are_redirected_anywhere() {
    check("-b * -i * -o 5432,9000:9001 -x 10.77.0.0/24,fd77::/64", |a| {
        vec![
            by(APP, (a.outside, 80)).arrives("outbound"),
            by(APP, (a.outside, 5432)).arrives("peer"),
            by(APP, (a.outside, 9000)).arrives("peer"),
            by(APP, (a.peer, 80)).arrives("peer"),
        ]
    });
    check("-b * -i 203.0.113.0/24,2001:db8:9::9 -q 9000", |a| {
        vec![
            by(APP, (a.outside, 80)).arrives("outbound"),
            by(APP, (a.peer, 80)).arrives("peer"),
            by(APP, (a.peer, 9000)).arrives("outbound"),
            by(PROXY, (a.peer, 9000)).arrives("peer"),
        ]
    });
}

#[test]
fn an_excluded_interface_is_left_alone_in_both_directions() {
    check("-b * -i * -c eth0", |a| {
        vec![remote((a.pod, 8080)).arrives("app"), by(APP, (a.outside, 80)).arrives("peer")]
    });
}

#[test]
fn what_comes_from_a_virtual_machine_is_treated_as_outbound() {
    for (flags, arrives) in [("-b * -i * -k eth0", "outbound"), ("-b * -i 192.0.2.0/24 -k eth0", "app")] {
        with_each_backend(|backend| {
            let scene = Scene::with_redirect(backend);
            for a in &FAMILIES {
                // What comes by an interface is redirected to its address.
                scene.in_pod("outbound", PROXY, (a.pod, port::OUTBOUND), Role::Answers);
            }
            scene.pod.succeed_init(flags);
            check_rows(&scene, |a| vec![remote((a.pod, 8080)).arrives(arrives)])
        });
    }
}

#[test]
fn other_users_groups_and_ports_can_be_the_proxys() {
    check("-b * -i * -u 1000 -g 1000 -p 80 -z 9000", |a| {
        vec![by(APP, (a.outside, 80)).arrives("peer"), by(ROOT, (a.loopback, 8080)).arrives("app")]
    });
}

#[test]
fn excluded_sources_are_left_alone() {
    check("-b * -i * --exclude-inbound-cidrs 10.77.0.0/24,fd77::1", |a| {
        vec![
            remote((a.pod, 8080)).arrives("app"),
            remote((a.pod, 8080)).from(a.outside).arrives("inbound"),
            by(APP, (a.outside, 80)).arrives("outbound"),
        ]
    });
}

#[test]
fn several_ports_in_one_rule_mean_the_same() {
    check("-b * -d 15090,15021,8080:8081 -i * -o 5432,9000 --compact", |a| {
        vec![
            remote((a.pod, port::HEALTH)).arrives("app"),
            remote((a.pod, 8080)).arrives("app"),
            remote((a.pod, 80)).arrives("inbound"),
            by(APP, (a.outside, 5432)).arrives("peer"),
            by(APP, (a.outside, 80)).arrives("outbound"),
        ]
    });
}

#[test]
fn groups_choose_whose_connections_are_redirected() {
    let cases: [(&str, &str, &str); 4] = [
        ("ISTIO_OUTBOUND_OWNER_GROUPS=1000,1001", "outbound", "peer"),
        ("ISTIO_OUTBOUND_OWNER_GROUPS=1001", "peer", "peer"),
        ("ISTIO_OUTBOUND_OWNER_GROUPS=", "peer", "peer"),
        ("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE=1000,1001", "peer", "outbound"),
    ];
    for (variable, of_app, of_root) in cases {
        with_each_backend(|backend| {
            let scene = Scene::with_redirect(backend);
            let words = ["env", variable, BINARY].into_iter().chain(scene.pod.flags().iter().copied());
            scene.pod.succeed(&words.chain(DEFAULT.split_whitespace()).collect::<Vec<_>>());
            let rows = |a: &Addresses| {
                vec![by(APP, (a.outside, 80)).arrives(of_app), by(ROOT, (a.outside, 80)).arrives(of_root)]
            };
            let failures = check_rows(&scene, rows);
            failures.into_iter().map(|failure| format!("{variable}: {failure}")).collect()
        });
    }
}
