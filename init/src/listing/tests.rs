//! What is shown of the rules that we write, and of those of others among them.

use std::path::Path;

use sidecar_test_support::golden;

use super::*;
use crate::cli::Cli;
use crate::owned::Owned;
use crate::redirect;
use crate::routes::{Policy, Snapshot};

const OTHERS: &str = "*nat\n:ISTIO_OUTPUT - [0:0]\n-A OUTPUT -p tcp -j ACCEPT\n-A OUTPUT -p udp -j ACCEPT\n\
                      -A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -p tcp -j ACCEPT\nCOMMIT\n";

fn listing(output: &str) -> Listing {
    let saved = Saved::read(output, Table::Nat).unwrap();
    Listing { tables: vec![TableListing::new("nft", Family::V4, Table::Nat, &saved)], routing: vec![] }
}

#[test]
fn a_rule_of_others_that_decides_first_stands_out() {
    assert_eq!(
        listing(OTHERS).to_string(),
        "IPv4 nat (nft)\n  \
           -A OUTPUT -p tcp -j ACCEPT\n    \
             ! not ours, and decides before ours: what it matches is not redirected\n  \
           -A OUTPUT -p udp -j ACCEPT\n      \
               not ours\n  \
           -A OUTPUT -j ISTIO_OUTPUT\n      \
               whatever this pod sends is looked at\n  \
           -A OUTPUT -p tcp -j ACCEPT\n      \
               not ours\n  \
           -N ISTIO_OUTPUT\n      \
               a chain without rules\n"
    );
}

#[test]
fn programs_read_the_same() {
    let json = listing(OTHERS).json();
    assert_eq!(json["tables"][0]["family"], "IPv4");
    let first = &json["tables"][0]["rules"][0];
    assert_eq!((&first["owner"], &first["decidesFirst"]), (&json!("others"), &json!(true)));
    assert_eq!(json["tables"][0]["rules"][2]["owner"], "ours");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert_eq!(Listing::default().to_string(), "There are no rules.\n");
}

/// The rules of all tables as they would be in the kernel.
fn shown(arguments: &str, family: Family) -> Listing {
    let words = ["sidecar-init"].into_iter().chain(arguments.split_whitespace()).map(Into::into);
    let settings = Cli::from_arguments(words).unwrap().settings_with(&|_| None).unwrap();
    let tables = redirect::rule_sets(&settings.capture, family).into_iter().map(|rules| {
        let chains: String = rules.own_chains().iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
        let output = format!("*{}\n{chains}{}", rules.table, Owned::after(&rules));
        TableListing::new("nft", family, rules.table, &Saved::read(&output, rules.table).unwrap())
    });
    Listing { tables: tables.collect(), routing: vec![] }
}

#[test]
fn only_the_routing_that_belongs_to_the_rules_is_shown() {
    let policy = |mark, table| Policy { mark, table };
    let snapshot = Snapshot {
        addresses: vec![("10.0.0.2".parse().unwrap(), false), ("::6".parse().unwrap(), true)],
        rules: vec![(Family::V4, policy(1337, 133), 1), (Family::V4, policy(7, 8), 2), (Family::V6, policy(9, 10), 3)],
        tables: vec![(Family::V4, 133), (Family::V4, 8), (Family::V6, 10)],
        ..Snapshot::default()
    };
    let shown = routing(&snapshot, &[9].into());
    let texts: Vec<&str> = shown.iter().map(|line| line.text.as_str()).collect();
    let expected = [
        "ip -6 address ::6/128 dev lo",
        "ip -4 rule fwmark 0x539 lookup 133",
        "ip -6 rule fwmark 0x9 lookup 10",
        "ip -4 route local default dev lo table 133",
        "ip -6 route local default dev lo table 10",
    ];
    assert_eq!(texts, expected);
    let text = Listing { tables: vec![], routing: shown }.to_string();
    assert!(text.starts_with("routing\n  ip -6 address ::6/128 dev lo\n      the proxy calls"), "{text}");
}

#[test]
fn no_rule_of_ours_is_without_a_reason() {
    for arguments in [
        "-b * -i * -d 15090,15021,15020",
        "-b 80,443 -i 10.0.0.0/8,fd00::/8 -x 10.1.0.0/16 -q 5432 -o 53 -c eth1 -k vnet0 --drop-invalid",
        "-b * -d 15090 -i * -m TPROXY --tproxy-nonroot -c eth1 --exclude-inbound-cidrs 10.0.0.0/8,fd00::/8",
        "-b 80,443,8080 -d 15090,15021 -i * -q 1,2,3 -o 4,5,6 --compact",
        "-b * -i * --redirect-dns --dns-servers 10.96.0.10,fd00::a -u 1337,1338 -g 202",
        "-b * -i * --redirect-dns --capture-all-dns -i 127.0.0.0/8",
    ] {
        for family in [Family::V4, Family::V6] {
            let tables = shown(arguments, family).tables;
            let unknown: Vec<&Line> =
                tables.iter().flat_map(|table| &table.rules).filter(|line| line.reason == UNKNOWN).collect();
            assert_eq!(unknown, Vec::<&Line>::new(), "{arguments}");
        }
    }
}

#[test]
fn the_rules_are_shown_as_in_the_golden_files() {
    for (case, arguments) in [
        ("default", "-b * -i * -d 15090,15021,15020"),
        ("tproxy", "-b * -i * -d 15090,15021,15020 -m TPROXY --drop-invalid --redirect-dns --dns-servers 10.96.0.10"),
    ] {
        let text = shown(arguments, Family::V4).to_string();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/show/{case}"));
        golden::check(&path, &text).unwrap_or_else(|mismatch| panic!("{mismatch}\nGot:\n{text}"));
    }
}
