//! Namespaces in the real kernel: apart, linked, confined, and gone afterwards.

use std::panic;
use std::path::{Path, PathBuf};

use super::*;
use crate::eventually::eventually;
use crate::privilege::require_root;
use crate::program::{Capabilities, Confinement};

const REASON: &str = "it makes network namespaces";

fn file(namespace: &Namespace) -> PathBuf {
    Path::new("/var/run/netns").join(namespace.name())
}

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

#[test]
fn a_namespace_has_its_own_network_and_is_gone_afterwards() {
    if !require_root(REASON) {
        return;
    }
    let namespace = Namespace::create("support").unwrap();
    let addresses = namespace.run(&Program::new("ip").args(["-brief", "address"])).unwrap().stdout;
    assert!(addresses.contains("127.0.0.1/8") && addresses.contains("::1/128"), "{addresses}");
    assert_eq!(addresses.lines().count(), 1, "more than lo: {addresses}");
    let file = file(&namespace);
    assert!(file.exists());
    drop(namespace);
    assert!(!file.exists());
}

#[test]
fn two_linked_namespaces_reach_each_other_over_both_families() {
    if !require_root(REASON) {
        return;
    }
    let (one, other) = (Namespace::create("support").unwrap(), Namespace::create("support").unwrap());
    let [one_v4, one_v6, other_v4, other_v6] =
        ["192.0.2.1", "2001:db8::1", "192.0.2.2", "2001:db8::2"].map(|text| text.parse().unwrap());
    link(
        End { namespace: &one, interface: "eth0", addresses: &[(one_v4, 24), (one_v6, 64)] },
        End { namespace: &other, interface: "eth0", addresses: &[(other_v4, 24), (other_v6, 64)] },
    )
    .unwrap();
    one.route_everything_via(other_v4).unwrap();
    one.route_everything_via(other_v6).unwrap();
    for beyond in ["198.51.100.1", "2001:db8:1::1"] {
        let route = one.run(&Program::new("ip").args(["route", "get", beyond])).unwrap().stdout;
        assert!(route.contains("via") && route.contains("eth0"), "{route}");
    }
    for address in [other_v4, other_v6] {
        // A refused connection is an answer of the other side; an unreachable one is not.
        let script = format!("exec 3<>/dev/tcp/{address}/9");
        let error = one.run(&Program::new("bash").args(["-c", &script])).unwrap_err().to_string();
        assert!(error.contains("Connection refused"), "{error}");
    }
}

#[test]
fn a_program_runs_as_the_user_and_with_the_capabilities_it_was_given() {
    if !require_root(REASON) {
        return;
    }
    let namespace = Namespace::create("support").unwrap();
    let status = "id; grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status";

    let capabilities = Capabilities::Only(["net_admin", "net_raw"].map(str::to_owned).into());
    let root = Confinement { capabilities, ..Confinement::user(0) };
    let found = namespace.run(&shell(status).confined(root)).unwrap().stdout;
    assert!(found.contains("uid=0(root)"), "{found}");
    // NET_ADMIN is bit 12, NET_RAW bit 13.
    assert!(found.contains("CapEff:\t0000000000003000") && found.contains("CapBnd:\t0000000000003000"), "{found}");

    let found = namespace.run(&shell(status).user(1337)).unwrap().stdout;
    assert!(found.contains("uid=1337 gid=1337 groups=1337"), "{found}");
    assert!(found.contains("CapBnd:\t0000000000000000") && found.contains("NoNewPrivs:\t1"), "{found}");
}

#[test]
fn only_the_given_environment_reaches_a_program() {
    if !require_root(REASON) {
        return;
    }
    let namespace = Namespace::create("support").unwrap();
    let found = namespace.run(&Program::new("env").env("POD_NAME", "httpbin")).unwrap().stdout;
    let names: Vec<&str> = found.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(names.contains(&"POD_NAME"), "{found}");
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{found}");
}

#[test]
fn a_read_only_root_refuses_writes_and_is_not_seen_outside() {
    if !require_root(REASON) {
        return;
    }
    let namespace = Namespace::create("support").unwrap();
    let touch = shell("touch /read-only-root-test");
    let confined = Confinement { read_only_root: true, ..Confinement::user(0) };
    let error = namespace.run(&touch.confined(confined)).unwrap_err().to_string();
    assert!(error.contains("Read-only file system"), "{error}");
    namespace.run(&shell("f=$(mktemp) && rm $f")).unwrap();
}

#[test]
fn processes_and_namespace_end_with_a_panic_too() {
    if !require_root(REASON) {
        return;
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let panicked = panic::catch_unwind(move || {
        let namespace = Namespace::create("support").unwrap();
        // Its own child, which no guard of ours knows.
        let process = namespace.spawn(&shell("sleep 61 & echo $!; wait")).unwrap();
        let grandchild = eventually(PATIENCE, || process.stdout().first().cloned().ok_or("silent")).unwrap();
        sender.send((file(&namespace), process.pid(), grandchild)).unwrap();
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    let (file, pid, grandchild) = receiver.recv().unwrap();
    assert!(!file.exists());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    // Not ours to reap: init does it, in its own time.
    eventually(PATIENCE, || match std::fs::metadata(format!("/proc/{grandchild}/exe")) {
        Ok(_) => Err(format!("{grandchild} runs")),
        Err(_) => Ok(()),
    })
    .unwrap();
}
