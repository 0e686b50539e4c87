//! Transactions over netlink: what changes, what stays, and what is said when nothing may change.

use ipnet::{IpNet, Ipv4Net};
use sidecar_init::change::Change;
use sidecar_init::kernel::{Kernel, Refused, Unreadable};
use sidecar_init::nftables::snapshot::Snapshot;
use sidecar_init::nftables::transaction::{Impossible, Step};
use sidecar_init::rule::{Chain, Family, Match, Position, Protocol, Rule, RuleSet, Table, Target};
use sidecar_init::saved::SavedRule;
use sidecar_init::value::{PortRange, interface};

use crate::pod::{Pod, may_run};

const NAT: [(Family, Table); 2] = [(Family::V4, Table::Nat), (Family::V6, Table::Nat)];

fn rule(chain: Chain, position: Position, matches: Vec<Match>, target: Target) -> Rule {
    Rule { setting: None, chain, position, matches, target }
}

fn set(family: Family, rules: Vec<Rule>) -> RuleSet {
    RuleSet { family, table: Table::Nat, rules }
}

fn fresh(rules: RuleSet) -> Change {
    Change { removed: vec![], present: vec![], rules }
}

fn from(name: &str) -> Vec<Match> {
    vec![Match::InInterface(interface(name).unwrap())]
}

/// What there is of the table, and the change that replaces all of ours.
fn swap(seen: &Snapshot, rules: RuleSet) -> Change {
    let saved = seen.table(rules.family, rules.table).unwrap();
    let is_ours = |rule: &&SavedRule| rule.is_marked() || rule.to_string().contains("-j ISTIO_");
    let removed = saved.others.iter().filter(is_ours).cloned().collect();
    Change { removed, present: saved.chains.keys().cloned().collect(), rules }
}

/// A test in a new network namespace, over netlink.
fn in_pod(test: impl Fn(&Pod, &mut Kernel) + Send + Sync) {
    if may_run() {
        let pod = Pod::new("nft");
        pod.enter(|| test(&pod, &mut Kernel::connect().unwrap()));
    }
}

#[test]
fn reading_makes_nothing() {
    in_pod(|pod, kernel| {
        let before = kernel.generation().unwrap();
        let seen = kernel.read(&NAT).unwrap();
        assert_eq!((seen.generation, kernel.generation().unwrap()), (before, before));
        assert_eq!(seen.tables.len(), 2);
        assert_eq!(pod.succeed(&["nft", "list", "ruleset"]), "");
    });
}

#[test]
fn rules_are_put_at_their_places_among_those_of_others() {
    in_pod(|pod, kernel| {
        for name in ["o1", "o2", "o3"] {
            pod.iptables("iptables", &format!("-A PREROUTING -i {name} -j ACCEPT"));
        }
        let chain = Chain::Prerouting;
        let rules = vec![
            rule(chain, Position::At(2), from("a"), Target::Return),
            rule(chain, Position::At(2), from("b"), Target::Return),
            rule(chain, Position::At(1), from("c"), Target::Return),
            rule(chain, Position::Last, from("d"), Target::Return),
            rule(chain, Position::At(1), from("e"), Target::Return),
            rule(chain, Position::At(200), from("f"), Target::Return),
            rule(chain, Position::At(8), from("g"), Target::Return),
        ];
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(&[fresh(set(Family::V4, rules.clone()))], &seen).unwrap();
        let order = |pod: &Pod| {
            let saved = pod.rules("iptables");
            saved.lines().filter_map(|line| line.split(' ').nth(3)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(pod), "e c o1 b a o2 o3 g d f");
        // Again, in place of the first ones, which are known by their mark alone.
        let seen = kernel.read(&NAT).unwrap();
        let change = swap(&seen, set(Family::V4, rules));
        assert_eq!(change.removed.len(), 7);
        kernel.commit(&[change], &seen).unwrap();
        assert_eq!(order(pod), "e c o1 b a o2 o3 g d f");
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(&[swap(&seen, set(Family::V4, vec![]))], &seen).unwrap();
        assert_eq!(order(pod), "o1 o2 o3");
    });
}

#[test]
fn old_chains_go_and_new_ones_come_and_those_of_others_stay() {
    in_pod(|pod, kernel| {
        pod.iptables("iptables", "-N OTHERS");
        pod.iptables("iptables", "-A OUTPUT -j OTHERS");
        for chain in ["ISTIO_REDIRECT", "ISTIO_IN_REDIRECT", "ISTIO_OUTPUT"] {
            pod.iptables("iptables", &format!("-N {chain}"));
        }
        pod.iptables("iptables", "-A ISTIO_REDIRECT -j ISTIO_IN_REDIRECT");
        pod.iptables("iptables", "-A ISTIO_OUTPUT -g ISTIO_REDIRECT");
        pod.iptables("iptables", "-A OTHERS -j ISTIO_REDIRECT");
        pod.iptables("iptables", "-A OUTPUT -j ISTIO_OUTPUT");
        let wanted = vec![
            rule(Chain::Output, Position::Last, vec![], Target::Jump(Chain::Outbound)),
            rule(Chain::Outbound, Position::Last, vec![Match::Protocol(Protocol::Tcp)], Target::Redirect(15001)),
        ];
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(&[swap(&seen, set(Family::V4, wanted))], &seen).unwrap();
        let saved = pod.succeed(&["iptables-nft-save", "-t", "nat"]);
        assert!(!saved.contains("REDIRECT - "), "{saved}");
        let expected = "-A OUTPUT -j OTHERS\n-A OUTPUT -j ISTIO_OUTPUT\n\
                        -A ISTIO_OUTPUT -p tcp -j REDIRECT --to-ports 15001\n";
        assert_eq!(pod.rules("iptables"), expected);
    });
}

#[test]
fn a_chain_of_others_is_used_as_it_is_unless_rules_in_it_would_do_nothing() {
    in_pod(|pod, kernel| {
        pod.succeed(&["nft", "add table ip nat"]);
        pod.succeed(&["nft", "add chain ip nat OUTPUT { type nat hook output priority 7; policy drop; }"]);
        let rules = [Chain::Output, Chain::Prerouting].map(|chain| rule(chain, Position::Last, vec![], Target::Return));
        let change = fresh(set(Family::V4, rules.to_vec()));
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(std::slice::from_ref(&change), &seen).unwrap();
        let listed = pod.succeed(&["nft", "list ruleset"]);
        assert!(listed.contains("hook output priority filter + 7; policy drop"), "{listed}");
        assert!(listed.contains("hook prerouting priority dstnat; policy accept"), "{listed}");
        pod.succeed(&["nft", "add table ip nat { flags dormant; }"]);
        let seen = kernel.read(&NAT).unwrap();
        let error = kernel.commit(std::slice::from_ref(&change), &seen).unwrap_err();
        assert!(matches!(error, Refused::Impossible(Impossible::Dormant(..))), "{error}");
        pod.succeed(&["nft", "flush ruleset; add table ip nat; add chain ip nat OUTPUT"]);
        let seen = kernel.read(&NAT).unwrap();
        let error = kernel.commit(&[change], &seen).unwrap_err();
        assert!(matches!(error, Refused::Impossible(Impossible::NotCalled(_, _, Chain::Output))), "{error}");
    });
}

#[test]
fn a_rule_that_is_refused_is_named_and_undoes_both_families() {
    in_pod(|pod, kernel| {
        let good = rule(Chain::Outbound, Position::Last, vec![], Target::Return);
        let jump = rule(Chain::Prerouting, Position::Last, vec![], Target::Jump(Chain::Outbound));
        // No packet that arrives has an owner: the module does not let itself be used there.
        let owner = vec![Match::Owner(sidecar_init::rule::Owner::User(1))];
        let bad = rule(Chain::Prerouting, Position::Last, owner, Target::Return);
        let seen = kernel.read(&NAT).unwrap();
        let changes = [
            fresh(set(Family::V4, vec![good.clone(), jump.clone()])),
            fresh(set(Family::V6, vec![good.clone(), jump, bad, good])),
        ];
        let error = kernel.commit(&changes, &seen).unwrap_err();
        let Refused::Step { change, step, what, error, .. } = error else { panic!("{error}") };
        assert_eq!((change, step), (Some(1), Some(Step::Rule(2))));
        assert!(what.contains("-A PREROUTING -m owner --uid-owner 1 -j RETURN") && what.contains("IPv6"), "{what}");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert_eq!(pod.succeed(&["nft", "list", "ruleset"]), "");
    });
}

#[test]
fn a_change_of_others_after_reading_is_told_and_not_overwritten() {
    in_pod(|pod, kernel| {
        let seen = kernel.read(&NAT).unwrap();
        pod.iptables("ip6tables", "-A OUTPUT -p udp -j ACCEPT");
        let rules = set(Family::V4, vec![rule(Chain::Output, Position::Last, vec![], Target::Accept)]);
        assert!(matches!(kernel.commit(&[fresh(rules.clone())], &seen), Err(Refused::Changed)));
        assert_eq!(pod.rules("iptables"), "");
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(&[fresh(rules)], &seen).unwrap();
        assert_eq!(pod.all_rules(), "-A OUTPUT -j ACCEPT\n-A OUTPUT -p udp -j ACCEPT\n");
    });
}

#[test]
fn ten_thousand_ranges_are_one_transaction_and_ten_thousand_refusals_one_error() {
    in_pod(|_, kernel| {
        let range = |at: u32| Match::Destination(IpNet::V4(Ipv4Net::new(at.into(), 32).unwrap()));
        let returns = |at| rule(Chain::Outbound, Position::Last, vec![range(at)], Target::Return);
        let rules = set(Family::V4, (1..=10_000).map(returns).collect());
        let seen = kernel.read(&NAT).unwrap();
        kernel.commit(&[fresh(rules.clone())], &seen).unwrap();
        let seen = kernel.read(&NAT).unwrap();
        assert_eq!(seen.table(Family::V4, Table::Nat).unwrap().chains["ISTIO_OUTPUT"].len(), 10_000);
        // Marks can be set in mangle alone.
        let spoilt = |rule: Rule| Rule { target: Target::Tproxy { port: 1, mark: 1 }, ..rule };
        let refused = RuleSet { rules: rules.rules.into_iter().map(spoilt).collect(), ..rules };
        let error = kernel.commit(&[swap(&seen, refused)], &seen).unwrap_err();
        assert!(matches!(error, Refused::Step { step: Some(Step::Rule(0)), .. }), "{error}");
        assert_eq!(kernel.read(&NAT).unwrap().generation, seen.generation);
    });
}

#[test]
fn without_the_capability_the_reason_is_named() {
    in_pod(|pod, _| {
        let program = std::env::current_exe().unwrap();
        let powerless =
            ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", program.to_str().unwrap()];
        let only = ["--ignored", "--exact", "transactions::a_process_without_capabilities_is_told_so"];
        let output = pod.succeed(&[&powerless[..], &only].concat());
        assert!(output.contains("1 passed"), "{output}");
    });
}

#[test]
#[ignore = "run by the test before, without capabilities"]
fn a_process_without_capabilities_is_told_so() {
    let asked = Kernel::connect().and_then(|mut kernel| kernel.read(&NAT));
    assert!(matches!(asked, Err(Unreadable::Forbidden(_))), "{asked:?}");
}

#[test]
fn other_readers_find_what_was_written() {
    in_pod(|_, kernel| {
        let port = Match::Port(Protocol::Tcp, PortRange::single(15008));
        let rules = vec![
            rule(Chain::Prerouting, Position::Last, vec![Match::Protocol(Protocol::Tcp)], Target::Jump(Chain::Inbound)),
            rule(Chain::Inbound, Position::Last, vec![port], Target::Return),
        ];
        let seen = kernel.read(&NAT).unwrap();
        let changes = [Family::V4, Family::V6].map(|family| fresh(set(family, rules.clone())));
        kernel.commit(&changes, &seen).unwrap();
        for is_ipv6 in [false, true] {
            let tables = iptables::new(is_ipv6).unwrap();
            let listed = tables.list("nat", "ISTIO_INBOUND").unwrap();
            assert_eq!(listed, ["-N ISTIO_INBOUND", "-A ISTIO_INBOUND -p tcp -m tcp --dport 15008 -j RETURN"]);
            assert!(tables.exists("nat", "PREROUTING", "-p tcp -j ISTIO_INBOUND").unwrap());
        }
    });
}
