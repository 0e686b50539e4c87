//! Runs that ended half-way, and rules that others have taken away, added or moved.

use std::time::Duration;

use super::{Fresh, RICH};

use crate::backend::{Backend, with_each_backend};
use crate::footprint::Footprint;
use crate::pod::{BINARY, Pod};

/// The transactions of a run, one a table and family, as input of iptables-restore.
fn transactions(pod: &Pod, flags: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    for (tool, family) in [("iptables", "v4"), ("ip6tables", "v6")] {
        let text = pod.succeed_init(&format!("{flags} --dry-run --ip-families {family}")).stdout;
        let blocks = text.split_inclusive("COMMIT\n").filter(|block| block.contains("COMMIT"));
        all.extend(blocks.map(|block| (tool, block.to_owned())));
    }
    all
}

#[test]
fn a_run_that_ended_after_any_of_its_transactions_is_completed() {
    with_each_backend(|backend| {
        let mut fresh = Fresh::new(backend);
        let mut failures = Vec::new();
        if backend == Backend::Native {
            // There is nothing between the beginning and the end of the one transaction.
            return failures;
        }
        for flags in RICH {
            let count = transactions(&Pod::with(backend), flags).len();
            for done in 0..=count {
                let pod = Pod::with(backend);
                for (tool, input) in transactions(&pod, flags).iter().take(done) {
                    pod.restore(tool, input);
                }
                failures.extend(fresh.check(&pod, flags, &format!("ended after {done} of {count} transactions")));
            }
        }
        failures
    });
}

#[test]
fn a_run_of_one_family_is_completed_by_one_of_both_and_the_other_way_round() {
    with_each_backend(|backend| {
        let mut fresh = Fresh::new(backend);
        let mut failures = Vec::new();
        for flags in RICH {
            let pod = Pod::with(backend);
            for families in ["v4", "auto", "v6", "v4,v6", "v4"] {
                let flags = format!("{flags} --ip-families {families}");
                failures.extend(fresh.check(&pod, &flags, "another choice of families before"));
            }
        }
        failures
    });
}

#[test]
fn a_run_that_was_killed_at_any_moment_is_completed() {
    with_each_backend(|backend| {
        let mut fresh = Fresh::new(backend);
        let mut failures = Vec::new();
        let pod = Pod::with(backend);
        for (round, flags) in RICH.iter().cycle().take(24).enumerate() {
            let killed = pod.start_init(flags);
            std::thread::sleep(Duration::from_micros(1500 * round as u64));
            drop(killed);
            // What was killed may have been a child's parent.
            pod.wait_until_alone();
            if round % 4 == 3 {
                failures.extend(fresh.check(&pod, flags, &format!("killed in round {round}")));
            }
        }
        failures
    });
}

/// Without interfaces that are left alone: iptables-legacy cannot tell a rule for one, which has no mark, from such a rule
/// of somebody else, once the rules around it are gone.
const MARKED: &str = "-b * -i * -m TPROXY --redirect-dns --capture-all-dns";

#[test]
fn whatever_rule_is_missing_comes_back() {
    with_each_backend(|backend| {
        let flags = if backend == Backend::Legacy { MARKED } else { RICH[0] };
        let mut fresh = Fresh::new(backend);
        let pod = Pod::with(backend);
        pod.succeed_init(flags);
        let mut failures = Vec::new();
        for removal in removals(&pod, backend).iter().step_by(2) {
            pod.succeed(&["sh", "-c", removal]);
            failures.extend(fresh.check(&pod, flags, &format!("after `{removal}`")));
        }
        failures
    });
}

/// A command for each rule, that removes it.
fn removals(pod: &Pod, backend: Backend) -> Vec<String> {
    if backend == Backend::Native {
        return native_removals(&pod.succeed(&["nft", "-a", "list", "ruleset"]));
    }
    let mut commands = Vec::new();
    for tool in ["iptables", "ip6tables"].map(|tool| format!("{tool}-{}", pod.backend)) {
        let mut table = "";
        let saved = pod.succeed(&[&format!("{tool}-save")]);
        for line in saved.lines() {
            if let Some(name) = line.strip_prefix('*') {
                table = name;
            } else if let Some(rule) = line.strip_prefix("-A ") {
                commands.push(format!("{tool} -t {table} -D {rule}"));
            }
        }
    }
    commands
}

/// By handle, which stays right only until the rules are written anew: so one is found at the time.
fn native_removals(listing: &str) -> Vec<String> {
    let rules = listing.lines().filter(|line| line.starts_with("\t\t") && line.contains("# handle")).count();
    let find = "nft -a list ruleset | awk -v n=";
    let program = "'/^table/{t=$2\" \"$3} /^\\tchain/{c=$2} /^\\t\\t.*# handle/{if(i++==n){print t,c,\"handle\",$NF}}'";
    (0..rules).map(|n| format!("nft delete rule $({find}{n} {program})")).collect()
}

#[test]
fn what_was_added_or_moved_in_our_chains_or_doubled_in_routing_is_put_right() {
    with_each_backend(|backend| {
        let flags = if backend == Backend::Legacy { MARKED } else { RICH[0] };
        let mut fresh = Fresh::new(backend);
        let pod = Pod::with(backend);
        pod.succeed_init(flags);
        let iptables = |arguments: &str| {
            format!("iptables-{0} -t nat {arguments} && ip6tables-{0} -t nat {arguments}", pod.backend)
        };
        let rules = match backend {
            Backend::Native => vec![
                "nft insert rule inet istio-proxy-nat istio-output tcp dport 99 return".to_owned(),
                "nft add rule inet istio-proxy-nat istio-redirect tcp dport 99 return".to_owned(),
                "nft flush chain inet istio-proxy-nat istio-output".to_owned(),
                "nft delete table inet istio-proxy-mangle".to_owned(),
                "nft add chain inet istio-proxy-nat istio-other".to_owned(),
            ],
            _ => vec![
                iptables("-I ISTIO_OUTPUT -p tcp --dport 99 -j RETURN"),
                iptables("-A ISTIO_REDIRECT -p tcp --dport 99 -j RETURN"),
                // Istio's program takes this for the wanted state: the rules are all there, in another order.
                format!(
                    "{} && {}",
                    iptables("-D ISTIO_OUTPUT -j ISTIO_REDIRECT"),
                    iptables("-I ISTIO_OUTPUT -j ISTIO_REDIRECT")
                ),
                iptables("-A OUTPUT -j ISTIO_OUTPUT"),
                iptables("-F ISTIO_OUTPUT"),
                iptables("-N ISTIO_DROP").replace("-t nat", "-t mangle"),
                iptables("-F OUTPUT"),
            ],
        };
        let routing = [
            "ip rule add fwmark 1337 lookup 133 && ip -6 rule add fwmark 1337 lookup 133",
            "ip rule del fwmark 1337",
            "ip -6 rule del fwmark 1337",
            "ip route flush table 133",
            "ip -6 route flush table 133",
            "ip -6 address del ::6/128 dev lo",
        ];
        let mut failures = Vec::new();
        for damage in rules.iter().map(String::as_str).chain(routing) {
            pod.succeed(&["sh", "-c", damage]);
            failures.extend(fresh.check(&pod, flags, &format!("after `{damage}`")));
        }
        failures
    });
}

#[test]
fn a_dry_run_and_a_wrong_setting_leave_everything_as_it_is() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        let fresh = Footprint::of(&pod);
        pod.succeed_init(&format!("{} --dry-run", RICH[0]));
        let mut failures = vec![fresh.difference(&Footprint::of(&pod))];
        pod.succeed_init(RICH[0]);
        let full = Footprint::of(&pod);
        pod.succeed_init(&format!("{} --dry-run", RICH[1]));
        for wrong in ["--cleanup-only -b 99999", "-b * -i 300.0.0.0/8", "-c a/b", "-m FOO", "--cleanup-only -x *"] {
            assert_eq!(pod.init(wrong).status.code(), Some(1), "{BINARY} {wrong}");
        }
        failures.push(full.difference(&Footprint::of(&pod)));
        failures.retain(|difference| !difference.is_empty());
        failures
    });
}
