//! What the golden files do not show: which tables there are, how ports are packed, and that everybody is named.

use super::*;
use crate::cli::Cli;

fn capture(arguments: &str) -> Capture {
    let arguments = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    Cli::from_arguments(arguments).unwrap().settings_with(&|_| None).unwrap().capture
}

fn tables(arguments: &str, family: Family) -> Vec<Table> {
    rule_sets(&capture(arguments), family).into_iter().map(|rules| rules.table).collect()
}

#[test]
fn only_tables_with_rules_are_made() {
    assert_eq!(tables("", Family::V4), [Table::Nat]);
    assert_eq!(tables("--drop-invalid", Family::V6), [Table::Mangle, Table::Nat]);
    assert_eq!(tables("--redirect-dns --dns-servers 10.0.0.10", Family::V6), [Table::Nat, Table::Raw]);
    let everything = "-m TPROXY -b * --redirect-dns --capture-all-dns";
    assert_eq!(tables(everything, Family::V4), [Table::Mangle, Table::Nat, Table::Raw]);
}

#[test]
fn servers_of_one_family_leave_the_dns_of_the_other_alone() {
    let nat = |family| {
        let rule_sets = rule_sets(&capture("--redirect-dns --dns-servers 10.0.0.10"), family);
        rule_sets.into_iter().find(|rules| rules.table == Table::Nat).unwrap()
    };
    assert!(nat(Family::V4).own_chains().contains(&Chain::OutboundDns));
    assert!(!nat(Family::V6).own_chains().contains(&Chain::OutboundDns));
}

#[test]
fn ports_are_packed_into_as_few_matches_as_hold_them() {
    let sizes = |ports: &str| {
        let capture = capture(&format!("--compact -q {ports}"));
        let parts = packed(&capture.outbound_ports);
        assert_eq!(parts.concat(), capture.outbound_ports);
        parts.iter().map(Vec::len).collect::<Vec<_>>()
    };
    let singles = |count: u16| (1..=count).map(|port| port.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(sizes("80"), [1]);
    assert_eq!(sizes(&singles(15)), [15]);
    assert_eq!(sizes(&singles(16)), [15, 1]);
    assert_eq!(sizes(&format!("{},80:90", singles(13))), [14]);
    assert_eq!(sizes(&format!("{},80:90", singles(14))), [14, 1]);
    assert_eq!(sizes("1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16"), [7, 1]);
}

#[test]
fn a_thousand_ports_are_one_rule_each_or_a_fifteenth_of_that() {
    let ports: Vec<String> = (1..=1000).map(|port| port.to_string()).collect();
    let count = |flags: &str| {
        let rule_sets = rule_sets(&capture(&format!("{flags} -o {}", ports.join(","))), Family::V4);
        rule_sets[0].rules.iter().filter(|rule| rule.setting == Some("--istio-local-outbound-ports-exclude")).count()
    };
    assert_eq!((count(""), count("--compact")), (2000, 134));
}

#[test]
fn every_rule_that_depends_on_a_flag_names_it() {
    let capture = capture(
        "-m TPROXY -b * -d 1 -i * -x 10.0.0.1 -q 2 -o 3 -c eth1 -k vnet0 --redirect-dns --capture-all-dns --drop-invalid \
         --tproxy-nonroot --exclude-inbound-cidrs 10.0.0.0/8",
    );
    for rules in rule_sets(&capture, Family::V4) {
        for rule in &rules.rules {
            let is_always_there = rule.chain == Chain::Output && rule.is_jump()
                || rule.chain == Chain::Outbound
                    && rule.matches.contains(&Match::Source("127.0.0.6/32".parse().unwrap()));
            assert_eq!(rule.setting.is_none(), is_always_there && rules.table == Table::Nat, "{rule:?}");
        }
    }
}
