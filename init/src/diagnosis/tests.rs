//! What is made of a tool's complaint and of the kernel's refusal.

use super::*;
use crate::rule::{Chain, Owner, Position, Protocol, RuleSet, Table};
use crate::value::PortRange;

const INPUT: &str = "*nat\n:ISTIO_OUTPUT - [0:0]\n-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN\nCOMMIT\n";
const RULE: &str = "-A ISTIO_OUTPUT -m owner --uid-owner 1337 -j RETURN";

fn explained(complaint: &str, family: Family) -> String {
    explain(complaint, INPUT, &[], family).to_string()
}

#[test]
fn the_failing_rule_is_named_rather_than_its_number() {
    for complaint in [
        "iptables-nft-restore v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (No such file or directory): rule in chain ISTIO_OUTPUT",
        "iptables-restore: line 3 failed",
        "iptables-restore v1.8.9 (legacy): bad value\nError occurred at line: 3\nTry `iptables-restore -h' for more.",
    ] {
        assert!(explained(complaint, Family::V4).contains(&format!("at `{RULE}`")), "{complaint}");
    }
}

#[test]
fn a_line_that_is_not_in_the_input_is_not_named() {
    for complaint in ["line 0 failed", "line 99 failed", "line x failed", "line"] {
        assert_eq!(explained(complaint, Family::V4), complaint);
    }
}

#[test]
fn missing_rights_and_missing_modules_are_told_apart() {
    let denied = "iptables-nft-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)";
    assert!(explained(denied, Family::V4).ends_with(NET_ADMIN));
    let no_table = "iptables-restore v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist (do you need to insmod?)";
    assert!(explained(no_table, Family::V4).ends_with(NAT_MODULE));
    let no_match = "line 3: RULE_APPEND failed (No such file or directory): rule in chain ISTIO_OUTPUT";
    assert!(explained(no_match, Family::V4).ends_with(MATCH_MODULE));
}

#[test]
fn ipv6_has_a_way_out() {
    assert!(explained("anything", Family::V6).ends_with("--ip-families v4"));
    assert!(!explained("anything", Family::V4).contains("--ip-families"));
}

#[test]
fn silence_and_noise_become_one_readable_line() {
    assert_eq!(explained("", Family::V4), "it gave no reason");
    let noise = format!("\u{1b}[31m{}\n\n", "x".repeat(10_000));
    let shown = explained(&noise, Family::V4);
    assert!(shown.len() <= MAX_MESSAGE && !shown.contains(char::is_control), "{shown}");
}

const ADDED: Rule = Rule {
    setting: Some("--istio-outbound-ports"),
    chain: Chain::Outbound,
    position: Position::Last,
    matches: vec![],
    target: Target::Redirect(15001),
};

fn refused(errno: Errno, step: Step, family: Family) -> Diagnosis {
    let matches = vec![Match::Port(Protocol::Tcp, PortRange::single(80)), Match::Owner(Owner::User(7))];
    let rules = RuleSet { family, table: Table::Nat, rules: vec![Rule { matches, ..ADDED }] };
    let change = Change { removed: vec![], present: vec![], rules };
    let error = io::Error::from_raw_os_error(errno as i32);
    let what = "the rule".to_owned();
    of_refusal(&Refused::Step { change: Some(0), step: Some(step), what, explanation: None, error }, &[change])
}

#[test]
fn a_refused_rule_is_told_with_who_asked_for_it_and_what_is_missing() {
    let diagnosis = refused(Errno::ENOENT, Step::Rule(0), Family::V4);
    let text = diagnosis.to_string();
    for part in [
        "--istio-outbound-ports asks for (annotation traffic.sidecar.istio.io/includeOutboundPorts)",
        "No such file or directory",
        "load nft_compat, xt_tcpudp, xt_owner, xt_REDIRECT on the node",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(diagnosis.lacks_module());
}

#[test]
fn a_refusal_that_no_other_layout_helps_is_not_put_down_to_a_module() {
    let denied = refused(Errno::EPERM, Step::Rule(0), Family::V6);
    assert!(denied.to_string().contains(NET_ADMIN) && denied.to_string().ends_with("--ip-families v4"), "{denied}");
    assert!(!denied.lacks_module());
    assert!(!refused(Errno::ENOENT, Step::Chain, Family::V4).lacks_module());
}
