//! What is taken for ours, what is left to others, and what is expected of the kernel.

use ipnet::IpNet;

use super::*;
use crate::rule::{Family, Protocol, Table, Target};
use crate::value::PortRange;

fn owned(chains_and_rules: &str) -> Owned {
    let saved = Saved::read(&format!("*nat\n{chains_and_rules}COMMIT\n"), Table::Nat).unwrap();
    Current::divide(&saved).owned
}

fn outside(chains_and_rules: &str) -> Vec<String> {
    owned(chains_and_rules).outside.iter().map(ToString::to_string).collect()
}

#[test]
fn without_chains_of_ours_nothing_is_ours() {
    let rules =
        "-A PREROUTING -i eth1 -j RETURN\n-A OUTPUT -o eth1 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 9\n";
    assert!(owned(rules).is_empty());
}

#[test]
fn our_chains_and_jumps_are_told_from_those_of_others() {
    let owned = owned(
        ":ISTIO_OUTPUT - [0:0]\n:ISTIO_OLD - [0:0]\n:KUBE-X - [0:0]\n\
         -A PREROUTING -i eth1 -j RETURN\n-A PREROUTING -i eth1 -p tcp -j RETURN\n-A OUTPUT -d 10.0.0.1/32 -j KUBE-X\n\
         -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j ISTIO_OUTPUT\n-A KUBE-X -g ISTIO_OLD\n-A ISTIO_OUTPUT -j RETURN\n",
    );
    assert_eq!(owned.chains.keys().collect::<Vec<_>>(), ["ISTIO_OLD", "ISTIO_OUTPUT"]);
    assert_eq!(owned.chains["ISTIO_OUTPUT"], ["-j RETURN"]);
    let outside: Vec<String> = owned.outside.iter().map(ToString::to_string).collect();
    assert_eq!(outside, ["OUTPUT -j ISTIO_OUTPUT", "OUTPUT -j ISTIO_OUTPUT", "KUBE-X -g ISTIO_OLD"]);
}

#[test]
fn a_comment_does_not_make_a_rule_ours() {
    let rule = r#"-A OUTPUT -m comment --comment "was \" -j ISTIO_OUTPUT once" -j ACCEPT"#;
    assert!(outside(&format!(":ISTIO_OUTPUT - [0:0]\n{rule}\n")).is_empty());
}

#[test]
fn rules_that_return_an_interface_are_ours_where_we_put_them() {
    let ours = outside(
        ":ISTIO_INBOUND - [0:0]\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n\
         -A PREROUTING -i vnet0 -j ISTIO_REDIRECT\n-A PREROUTING -i vnet0 -j RETURN\n-A PREROUTING -i cni0 -j RETURN\n\
         -A PREROUTING -i eth1 -j RETURN\n-A PREROUTING -p tcp -j ISTIO_INBOUND\n-A PREROUTING -i vnet0 -j RETURN\n\
         -A OUTPUT -o cni0 -j RETURN\n-A OUTPUT -p udp -j ACCEPT\n-A OUTPUT -o eth1 -j RETURN\n\
         -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -o cni1 -j RETURN\n",
    );
    let expected = [
        "PREROUTING -i vnet0 -j ISTIO_REDIRECT",
        "PREROUTING -i vnet0 -j RETURN",
        "PREROUTING -i eth1 -j RETURN",
        "PREROUTING -p tcp -j ISTIO_INBOUND",
        "OUTPUT -o eth1 -j RETURN",
        "OUTPUT -j ISTIO_OUTPUT",
    ];
    assert_eq!(ours, expected);
}

#[test]
fn a_rule_is_predicted_as_the_kernel_prints_it() {
    let body = |matches: Vec<Match>| {
        let rule =
            Rule { setting: None, chain: Chain::Outbound, position: Position::Last, matches, target: Target::Return };
        let rules = RuleSet { family: Family::V4, table: Table::Nat, rules: vec![rule] };
        Owned::after(&rules).chains["ISTIO_OUTPUT"][0].clone()
    };
    let range = |text: &str| text.parse::<IpNet>().unwrap();
    let port = PortRange::single(80);
    assert_eq!(body(vec![Match::Destination(range("10.1.2.3/8"))]), "-d 10.0.0.0/8 -j RETURN");
    assert_eq!(body(vec![Match::Destination(range("0.0.0.0/0"))]), "-j RETURN");
    assert_eq!(body(vec![Match::NotPort(Protocol::Udp, port)]), "-p udp -m udp ! --dport 80 -j RETURN");
    assert_eq!(
        body(vec![Match::Port(Protocol::Tcp, port), Match::Source(range("10.0.0.0/8"))]),
        "-s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j RETURN"
    );
}
