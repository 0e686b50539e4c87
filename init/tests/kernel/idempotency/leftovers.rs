//! Rules that came from elsewhere: from another backend, from Istio's program, from programs of others.

use super::{Fresh, RICH, SETS};
use crate::backend::{BACKENDS, Backend, with_each_backend};
use crate::footprint::Footprint;
use crate::pod::Pod;

#[test]
fn our_rules_in_another_backend_go_in_the_same_run() {
    with_each_backend(|backend| {
        let mut fresh = Fresh::new(backend);
        let mut failures = Vec::new();
        for other in BACKENDS.into_iter().filter(|other| *other != backend) {
            for (before, after) in [(SETS[0], SETS[0]), (RICH[0], RICH[0]), (RICH[0], RICH[1]), (SETS[0], RICH[0])] {
                let pod = Pod::with(other);
                pod.succeed_init(before);
                let pod = pod.now_with(backend);
                failures.extend(fresh.check(&pod, after, &format!("`{before}` in {other:?} before")));
            }
        }
        failures
    });
}

#[test]
fn without_a_choice_a_run_stays_where_our_rules_are() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        pod.succeed_init(SETS[0]);
        let chosen = Footprint::of(&pod);
        let pod = pod.without_choice();
        pod.succeed_init(SETS[0]);
        let difference = chosen.difference(&Footprint::of(&pod));
        if difference.is_empty() { vec![] } else { vec![difference] }
    });
}

#[test]
fn rules_of_istios_program_are_taken_over() {
    with_each_backend(|backend| {
        let mut fresh = Fresh::new(backend);
        let mut failures = Vec::new();
        for by in BACKENDS {
            for (theirs, ours) in [(SETS[0], SETS[0]), (SETS[0], SETS[1]), (RICH[0], RICH[0]), (RICH[1], SETS[2])] {
                let pod = Pod::with(by);
                as_istios_program(&pod, by, theirs);
                let pod = pod.now_with(backend);
                failures.extend(fresh.check(&pod, ours, &format!("Istio's rules for `{theirs}` in {by:?}")));
            }
        }
        failures
    });
}

/// Makes the rules by their text, as Istio's program does, and routing by the commands that it runs.
fn as_istios_program(pod: &Pod, by: Backend, flags: &str) {
    let text = |families| pod.succeed_init(&format!("{flags} --dry-run --ip-families {families}")).stdout;
    match by {
        Backend::Native => pod.feed("nft -f -", &text("v4,v6")),
        _ => {
            pod.restore("iptables", &text("v4"));
            pod.restore("ip6tables", &text("v6"));
        }
    }
    pod.succeed(&["ip", "-6", "address", "add", "::6/128", "dev", "lo"]);
    if flags.contains("TPROXY") {
        for family in ["-4", "-6"] {
            // A second run of theirs makes a second rule.
            pod.succeed(&["ip", family, "rule", "add", "fwmark", "1337", "lookup", "133"]);
            pod.succeed(&["ip", family, "rule", "add", "fwmark", "1337", "lookup", "133"]);
            pod.succeed(&["ip", family, "route", "add", "local", "default", "dev", "lo", "table", "133"]);
        }
    }
}

/// Rules of a network plugin, of a firewall, and of somebody who routes by mark, around and between ours.
pub(super) const OTHERS: &str = "\
set -e
for tool in iptables ip6tables; do
  for kind in nft legacy; do
    $tool-$kind -t nat -N OTHERS
    $tool-$kind -t nat -A OUTPUT -p udp -m udp --dport 99 -j OTHERS
    $tool-$kind -t nat -A OTHERS -p udp -m udp --dport 99 -j RETURN
    $tool-$kind -t nat -A PREROUTING -i cni0 -j RETURN
    $tool-$kind -t nat -A OUTPUT -o cni0 -j RETURN
    $tool-$kind -t mangle -A PREROUTING -i cni0 -j MARK --set-mark 7
    $tool-$kind -t mangle -A OUTPUT -p tcp -m mark --mark 0x7 -j CONNMARK --save-mark
    $tool-$kind -t raw -A PREROUTING -i cni0 -j CT --zone 9
    $tool-$kind -t filter -A INPUT -i cni0 -p udp -j DROP
  done
done
nft add table inet firewall
nft add chain inet firewall input '{ type filter hook input priority 0; }'
nft add rule inet firewall input iifname cni0 udp dport 99 drop
ip rule add fwmark 7 lookup 100; ip -6 rule add fwmark 7 lookup 100
ip route add local 192.0.2.0/24 dev lo table 100; ip -6 route add local 2001:db8:1::/64 dev lo table 100
ip address add 127.0.0.53/32 dev lo";

/// More rules before and after all others.
const LATER: &str = "\
for tool in iptables ip6tables; do
  for kind in nft legacy; do
    $tool-$kind -t nat -I OUTPUT -p udp -m udp --dport 98 -j RETURN
    $tool-$kind -t nat -A OUTPUT -p udp -m udp --dport 97 -j RETURN
    $tool-$kind -t mangle -I PREROUTING -i cni1 -j MARK --set-mark 8
    $tool-$kind -t mangle -A PREROUTING -i cni2 -j MARK --set-mark 8
  done
done";

#[test]
fn rules_of_others_are_kept_byte_for_byte_and_in_place() {
    with_each_backend(|backend| {
        let pod = Pod::with(backend);
        pod.succeed(&["sh", "-c", OTHERS]);
        let mut failures = Vec::new();
        let others = |pod: &Pod| {
            let found = Footprint::of(pod);
            found
                .with(&[
                    "OTHERS",
                    "cni",
                    "firewall",
                    "0x7",
                    "0x8",
                    "dport 97",
                    "dport 98",
                    "dport 99",
                    "table 100",
                    "lookup 100",
                    "0.0.53",
                ])
                .join("\n")
        };
        let mut before = others(&pod);
        for (step, flags) in [SETS[0], RICH[0], RICH[0], RICH[1], SETS[2], RICH[0]].into_iter().enumerate() {
            pod.succeed_init(flags);
            let after = others(&pod);
            if after != before {
                failures.push(format!("step {step}, `{flags}`: wanted\n{before}\ngot\n{after}"));
            }
            if step == 2 {
                pod.succeed(&["sh", "-ec", LATER]);
                before = others(&pod);
            }
        }
        failures
    });
}
