//! What somebody else has that looks like ours, or is where ours is to be: routing, an address, empty tables.

use sidecar_init::routes::{self, Entry, Error};
use sidecar_init::rtnetlink::Rtnetlink;
use sidecar_init::rule::Family;

use crate::backend::with_each_backend;
use crate::pod::{DEFAULT, Pod, may_run};

const TPROXY: &str = "-b * -i * -m TPROXY";
/// All of routing, without the numbers from which the kernel counts down, nor how far it is with looking at an address.
const ROUTING: &str = "ip rule | sed 's/^[0-9]*//'; ip -6 rule | sed 's/^[0-9]*//'; ip -o -6 address show dev lo; \
    ip -4 route show table all | grep 133 || true; ip -6 route show table all | grep 133 || true";

fn routing(pod: &Pod) -> String {
    pod.succeed(&["sh", "-c", ROUTING]).replace(" tentative", "")
}

fn with_device(pod: &Pod) {
    let lines = "ip link add eth0 type veth peer name far; ip link set eth0 up; ip link set far up; ip address add 10.77.0.2/24 dev eth0; \
        ip -6 address add fd77::2/64 dev eth0 nodad";
    pod.succeed(&["sh", "-ec", lines]);
}

#[test]
fn a_table_of_routing_with_the_default_route_of_others_is_refused_and_left_alone() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        with_device(&pod);
        for (family, gateway) in [("-4", "10.77.0.1"), ("-6", "fd77::1")] {
            pod.succeed(&["ip", family, "route", "add", "default", "via", gateway, "dev", "eth0", "table", "133"]);
            let before = routing(&pod);
            let output = pod.init(TPROXY);
            assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
            assert!(output.stderr.contains("table 133") && output.stderr.contains("(-r)"), "{}", output.stderr);
            assert_eq!(routing(&pod), before);
            assert_eq!(pod.all_rules(), "");
            pod.succeed_init(&format!("{TPROXY} -r 134"));
            pod.succeed_init("--cleanup-only");
            assert_eq!(routing(&pod), before);
            pod.succeed(&["ip", family, "route", "del", "default", "table", "133"]);
        }
        vec![]
    });
}

#[test]
fn our_route_is_known_among_narrower_ones_of_others() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        with_device(&pod);
        pod.succeed(&["ip", "route", "add", "10.9.0.0/16", "via", "10.77.0.1", "dev", "eth0", "table", "133"]);
        pod.succeed(&["ip", "-6", "route", "add", "fd99::/64", "via", "fd77::1", "dev", "eth0", "table", "133"]);
        let before = routing(&pod);
        pod.succeed_init(TPROXY);
        let full = routing(&pod);
        assert_eq!(full.matches("local default dev lo").count(), 2, "{full}");
        let again = pod.succeed_init(&format!("{TPROXY} --output json")).stdout;
        let report: serde_json::Value = serde_json::from_str(&again).unwrap();
        assert_eq!(report["routes"], serde_json::json!([]));
        assert_eq!(routing(&pod), full);
        pod.succeed_init("--cleanup-only");
        assert_eq!(routing(&pod), before);
        vec![]
    });
}

#[test]
fn routing_that_was_there_before_any_rule_of_ours_stays() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        for family in ["-4", "-6"] {
            pod.succeed(&["ip", family, "rule", "add", "fwmark", "1337", "lookup", "133"]);
            pod.succeed(&["ip", family, "route", "add", "local", "default", "dev", "lo", "table", "133"]);
        }
        pod.succeed(&["ip", "-6", "address", "add", "::6/128", "dev", "lo"]);
        let before = routing(&pod);
        pod.succeed_init("--cleanup-only");
        assert_eq!(routing(&pod), before);
        for _ in 0..2 {
            pod.succeed_init(DEFAULT);
            assert_eq!(routing(&pod), before);
        }
        vec![]
    });
}

#[test]
fn routing_of_a_run_that_came_no_further_is_known_by_its_sign() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let before = routing(&pod);
        pod.succeed_init(TPROXY);
        // As after a run that was killed when it had removed the rules, and was to remove routing.
        pod.succeed(&["sh", "-c", "for tool in iptables-legacy ip6tables-legacy; do $tool -t mangle -F; $tool -t mangle -X; done; nft flush ruleset"]);
        pod.succeed_init(DEFAULT);
        pod.succeed_init("--cleanup-only");
        assert_eq!(routing(&pod), before);
        vec![]
    });
}

#[test]
fn a_default_route_that_comes_in_between_is_not_taken_for_ours() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    with_device(&pod);
    pod.succeed(&["ip", "route", "add", "default", "via", "10.77.0.1", "dev", "eth0", "table", "133"]);
    let add = |entry| pod.enter(|| routes::add(&Rtnetlink::open().unwrap(), entry));
    assert!(matches!(add(Entry::Route(Family::V4, 133)), Err(Error::Taken(Family::V4, 133))));
    for _ in 0..2 {
        add(Entry::Route(Family::V6, 133)).unwrap();
    }
}

#[test]
fn empty_tables_of_others_stay_and_empty_chains_of_ours_go() {
    if !may_run() {
        return;
    }
    let pod = Pod::new("nft");
    for table in ["ip mangle", "ip raw", "ip6 nat"] {
        pod.succeed(&["sh", "-c", &format!("nft add table {table}")]);
    }
    pod.succeed(&["iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE"]);
    let before = pod.succeed(&["nft", "list", "ruleset"]);
    pod.succeed_init(&format!("{DEFAULT} --ip-families v4"));
    pod.succeed_init("--cleanup-only");
    assert_eq!(pod.succeed(&["nft", "list", "ruleset"]), before);
    // What a change of flags leaves without rules is not left for a later run, which could not tell whose it was.
    pod.succeed(&["nft", "delete", "table", "ip", "raw"]);
    let before = pod.succeed(&["nft", "list", "ruleset"]);
    pod.succeed_init(&format!("{DEFAULT} --ip-families v4 --redirect-dns --capture-all-dns"));
    assert!(pod.succeed(&["nft", "list", "ruleset"]).contains("table ip raw"));
    pod.succeed_init(&format!("{DEFAULT} --ip-families v4"));
    pod.succeed_init("--cleanup-only");
    assert_eq!(pod.succeed(&["nft", "list", "ruleset"]), before);
}
