//! How rules of two families become one list.

use super::*;
use crate::native::text;
use crate::value::{Interface, PortRange, port_range, range};

fn rule(chain: Chain, matches: &[Match], target: Target) -> Rule {
    Rule { setting: None, chain, position: Position::Last, matches: matches.to_vec(), target }
}

fn nat(family: Family, rules: Vec<Rule>) -> RuleSet {
    RuleSet { family, table: Table::Nat, rules }
}

fn destination(text: &str) -> Match {
    Match::Destination(range(text).unwrap())
}

fn to_port(text: &str) -> Match {
    Match::Port(Protocol::Tcp, port_range(text).unwrap())
}

/// The rules of one chain as text, made from those of both families.
fn shown(chain: Chain, rule_sets: &[RuleSet]) -> Vec<String> {
    let tables = tables(rule_sets);
    let chains = tables.iter().flat_map(|table| &table.chains).filter(|native| native.chain == chain);
    chains.flat_map(|chain| chain.rules.iter().map(text::rule)).map(|rule| rule.replace("counter ", "")).collect()
}

fn both(v4: Vec<Rule>, v6: Vec<Rule>) -> Vec<String> {
    let chain = v4.iter().chain(&v6).next().unwrap().chain;
    shown(chain, &[nat(Family::V4, v4), nat(Family::V6, v6)])
}

#[test]
fn a_rule_of_both_families_is_there_once_and_addresses_stay_in_their_place() {
    let of = |address| {
        vec![
            rule(Chain::Outbound, &[to_port("80")], Target::Return),
            rule(Chain::Outbound, &[destination(address)], Target::Return),
            rule(Chain::Outbound, &[], Target::Jump(Chain::Redirect)),
        ]
    };
    let merged = both(of("10.0.0.0/8"), of("fd00::/8"));
    assert_eq!(
        merged,
        ["tcp dport 80 return", "ip daddr 10.0.0.0/8 return", "ip6 daddr fd00::/8 return", "jump istio-redirect"]
    );
}

#[test]
fn a_rule_of_one_family_is_limited_to_it_and_keeps_its_place() {
    let port = |port| rule(Chain::Outbound, &[to_port(port)], Target::Return);
    assert_eq!(
        both(vec![port("1"), port("2"), port("3")], vec![port("2"), port("4")]),
        [
            "meta nfproto ipv4 tcp dport 1 return",
            "tcp dport 2 return",
            "meta nfproto ipv4 tcp dport 3 return",
            "meta nfproto ipv6 tcp dport 4 return",
        ]
    );
    assert_eq!(
        both(vec![port("2")], vec![port("1"), port("2")]),
        ["meta nfproto ipv6 tcp dport 1 return", "tcp dport 2 return"]
    );
}

#[test]
fn where_one_family_is_wanted_the_other_one_is_left_alone() {
    let rules = vec![
        rule(Chain::Output, &[], Target::Jump(Chain::Outbound)),
        rule(Chain::Output, &[destination("10.0.0.1")], Target::Return),
        rule(Chain::Outbound, &[to_port("80")], Target::Return),
    ];
    let rules = [nat(Family::V4, rules)];
    assert_eq!(shown(Chain::Output, &rules), ["meta nfproto ipv4 jump istio-output", "ip daddr 10.0.0.1 return"]);
    assert_eq!(shown(Chain::Outbound, &rules), ["tcp dport 80 return"]);
}

#[test]
fn a_family_whose_rules_are_in_another_table_counts_as_wanted() {
    let nat_rules = vec![rule(Chain::Outbound, &[], Target::Jump(Chain::Redirect))];
    let raw_rules = vec![rule(Chain::Outbound, &[], Target::Zone(1))];
    let raw = RuleSet { family: Family::V6, table: Table::Raw, rules: raw_rules };
    let tables = tables(&[nat(Family::V4, nat_rules), raw]);
    let shown: Vec<String> =
        tables.iter().flat_map(|table| &table.chains).flat_map(|chain| &chain.rules).map(text::rule).collect();
    assert_eq!(shown, ["meta nfproto ipv6 counter ct zone set 1", "meta nfproto ipv4 counter jump istio-redirect"]);
}

#[test]
fn inserted_rules_are_where_the_insertions_lead() {
    let inserted = |place, interface: &str| Rule {
        position: Position::At(place),
        ..rule(Chain::Prerouting, &[Match::InInterface(interface_named(interface))], Target::Return)
    };
    let last = rule(Chain::Prerouting, &[], Target::Jump(Chain::Inbound));
    let rules = vec![inserted(1, "a"), last, inserted(1, "b"), inserted(2, "c"), inserted(9, "d")];
    assert_eq!(
        both(rules.clone(), rules),
        [
            "iifname \"b\" return",
            "iifname \"c\" return",
            "iifname \"a\" return",
            "jump istio-inbound",
            "iifname \"d\" return"
        ]
    );
}

fn interface_named(name: &str) -> Interface {
    crate::value::interface(name).unwrap()
}

#[test]
fn lists_of_ports_need_no_set() {
    let ports: Vec<PortRange> = ["53", "8000:8100"].map(|port| port_range(port).unwrap()).to_vec();
    let all = vec![PortRange::single(1), port_range("0:65535").unwrap()];
    let shown = |condition: Match| {
        let rules = vec![rule(Chain::Outbound, &[condition], Target::Return)];
        both(rules.clone(), rules)
    };
    assert_eq!(
        shown(Match::Ports(Protocol::Udp, ports.clone())),
        ["udp dport 53 return", "udp dport 8000-8100 return"]
    );
    assert_eq!(shown(Match::NotPorts(Protocol::Tcp, ports)), ["tcp dport != 53 tcp dport != 8000-8100 return"]);
    assert_eq!(shown(Match::Ports(Protocol::Tcp, all.clone())), ["meta l4proto tcp return"]);
    assert_eq!(shown(Match::NotPorts(Protocol::Tcp, all)), [""; 0]);
}

#[test]
fn what_holds_always_or_never_is_not_asked() {
    let everything = ["0.0.0.0/0", "::/0"].map(|text| range(text).unwrap());
    let of = |make: fn(ipnet::IpNet) -> Match| {
        let [v4, v6] = everything.map(|range| vec![rule(Chain::Outbound, &[make(range)], Target::Return)]);
        both(v4, v6)
    };
    assert_eq!(of(Match::Destination), ["return"]);
    assert_eq!(of(Match::Source), ["return"]);
    assert_eq!(of(Match::NotDestination), [""; 0]);
    let only_v4 = vec![rule(Chain::Outbound, &[destination("0.0.0.0/0")], Target::Return)];
    assert_eq!(both(only_v4, vec![]), ["meta nfproto ipv4 return"]);
}

#[test]
fn without_a_listener_tproxy_drops() {
    let tproxy = Target::Tproxy { port: 15006, mark: 1337 };
    let of = |loopback| {
        let matches = [Match::NotDestination(range(loopback).unwrap()), Match::Protocol(Protocol::Tcp)];
        vec![rule(Chain::Tproxy, &matches, tproxy)]
    };
    assert_eq!(
        both(of("127.0.0.1"), of("::1")),
        [
            "ip daddr != 127.0.0.1 meta l4proto tcp tproxy ip to :15006 meta mark set 0x539 accept",
            "ip daddr != 127.0.0.1 meta l4proto tcp drop",
            "ip6 daddr != ::1 meta l4proto tcp tproxy ip6 to :15006 meta mark set 0x539 accept",
            "ip6 daddr != ::1 meta l4proto tcp drop",
        ]
    );
}
