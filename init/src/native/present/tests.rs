//! What is read back, and what is then done.

use super::*;
use crate::native::ruleset::{NativeChain, NativeRule, tables};
use crate::nftables::batch::Batch;
use crate::nftables::message::{Content, messages};
use crate::rule::{Chain, Family, Match, Position, Protocol, Rule, RuleSet, Target};

fn rule(chain: Chain, target: Target) -> Rule {
    Rule { setting: None, chain, position: Position::Last, matches: vec![Match::Protocol(Protocol::Tcp)], target }
}

fn wanted() -> Vec<NativeTable> {
    let nat = vec![rule(Chain::Output, Target::Jump(Chain::Outbound)), rule(Chain::Outbound, Target::Redirect(15001))];
    let mangle = vec![rule(Chain::Output, Target::SetMark(1337))];
    let of = |table, rules| RuleSet { family: Family::V4, table, rules };
    tables(&[of(Table::Nat, nat), of(Table::Mangle, mangle)])
}

/// What a dump shows once the tables have been made, with `further_uses` of each by something else than chains.
fn made(tables: &[NativeTable], further_uses: u32) -> Present {
    let (mut dumped, mut batch) = (vec![], Batch::new(0));
    for table in tables {
        let uses = u32::try_from(table.chains.len()).unwrap() + further_uses;
        dumped.push(DumpedTable { name: table_name(table.table).to_owned(), has_flags: false, uses });
        Step::filling(table).for_each(|step| step.append_to(&mut batch).unwrap());
    }
    let (mut chains, mut rules) = (vec![], vec![]);
    for (handle, message) in (1..).zip(messages(&batch.finish().bytes)) {
        match message.content {
            Content::Object(3, _, found) => chains.push(DumpedChain::read(&found).unwrap()),
            Content::Object(6, _, found) => {
                let text = |kind| found.text(kind).unwrap().to_owned();
                let expressions = Expression::read_list(found.get(4).unwrap());
                rules.push(DumpedRule { table: text(1), chain: text(2), handle, expressions, userdata: vec![] });
            }
            _ => {}
        }
    }
    Present::new(dumped, chains, rules)
}

fn lines(present: &Present, wanted: &[NativeTable], force: bool) -> Vec<String> {
    present.steps_to(wanted, force).unwrap().iter().map(ToString::to_string).collect()
}

/// The table nat with its second chain changed.
fn changed(change: impl FnOnce(&mut Vec<NativeRule>)) -> Vec<NativeTable> {
    let mut tables = wanted();
    let chain = tables[1].chains.iter_mut().find(|chain| chain.chain == Chain::Outbound).unwrap();
    change(&mut chain.rules);
    tables
}

#[test]
fn what_is_there_is_not_written_again() {
    let present = made(&wanted(), 0);
    assert_eq!(lines(&present, &wanted(), false), [""; 0]);
    assert_eq!(present.tables().collect::<Vec<_>>(), [Table::Mangle, Table::Nat]);
    assert_eq!(lines(&present, &wanted(), true).iter().filter(|line| line.starts_with("flush")).count(), 2);
}

#[test]
fn where_nothing_is_there_all_is_made_and_where_nothing_is_wanted_all_goes() {
    let nothing = Present::default();
    assert!(nothing.is_empty());
    let written = lines(&nothing, &wanted(), false);
    assert_eq!(written[0], "add table inet istio-proxy-mangle");
    assert!(!written.iter().any(|line| line.starts_with("flush") || line.starts_with("delete")));
    let removed = lines(&made(&wanted(), 0), &[], false);
    assert_eq!(removed, ["delete table inet istio-proxy-mangle", "delete table inet istio-proxy-nat"]);
}

#[test]
fn only_a_table_that_differs_is_written() {
    for different in [changed(Vec::clear), changed(|rules| rules.push(rules[0].clone()))] {
        let written = lines(&made(&different, 0), &wanted(), false);
        assert_eq!(
            written,
            [
                "flush table inet istio-proxy-nat",
                "add rule inet istio-proxy-nat output meta nfproto ipv4 meta l4proto tcp counter jump istio-output",
                "add rule inet istio-proxy-nat istio-output meta l4proto tcp counter redirect to :15001",
            ]
        );
    }
}

#[test]
fn the_order_of_rules_counts() {
    let two = |first, second| {
        changed(|rules| {
            for (rule, port) in rules.iter_mut().zip([first, second]) {
                rule.target = Target::Redirect(port);
            }
        })
    };
    let double = |tables: Vec<NativeTable>| {
        let mut tables = tables;
        let rule = tables[1].chains[1].rules[0].clone();
        tables[1].chains[1].rules.push(NativeRule { target: Target::Return, ..rule });
        tables
    };
    let (wanted, mut swapped) = (double(two(1, 2)), double(two(1, 2)));
    swapped[1].chains[1].rules.swap(0, 1);
    assert_eq!(lines(&made(&wanted, 0), &wanted, false), [""; 0]);
    assert_ne!(lines(&made(&swapped, 0), &wanted, false), [""; 0]);
}

#[test]
fn stale_chains_go_and_missing_ones_are_made() {
    let mut older = wanted();
    older[1].chains[1].chain = Chain::OutboundDns;
    older[1].chains[0].rules.clear();
    let written = lines(&made(&older, 0), &wanted(), false);
    assert_eq!(written[1], "delete chain inet istio-proxy-nat istio-output-dns");
    assert_eq!(written[2], "add chain inet istio-proxy-nat istio-output");
}

#[test]
fn a_table_that_cannot_be_refilled_is_made_anew() {
    let mut other_hook = wanted();
    other_hook[1].chains[0] = NativeChain { chain: Chain::Prerouting, rules: vec![] };
    let mut renamed = made(&other_hook, 0);
    let table = renamed.tables.get_mut("istio-proxy-nat").unwrap();
    let chain = table.chains.remove("prerouting").unwrap();
    table.chains.insert("output".to_owned(), chain);
    for present in [renamed, made(&wanted(), 1)] {
        let written = lines(&present, &wanted(), false);
        assert!(written.contains(&"delete table inet istio-proxy-nat".to_owned()), "{written:?}");
        assert!(written.contains(&"add table inet istio-proxy-nat".to_owned()), "{written:?}");
    }
}

#[test]
fn tables_of_others_are_not_seen() {
    let other = DumpedTable { name: "filter".to_owned(), has_flags: false, uses: 0 };
    assert!(Present::new(vec![other], vec![], vec![]).is_empty());
}

#[test]
fn a_table_that_sleeps_is_not_the_wanted_one() {
    let mut present = made(&wanted(), 0);
    present.tables.get_mut("istio-proxy-nat").unwrap().dumped.has_flags = true;
    assert_eq!(lines(&present, &wanted(), false)[0], "delete table inet istio-proxy-nat");
}

#[test]
fn families_and_marks_are_told_from_the_rules() {
    let present = made(&wanted(), 0);
    assert!(present.serves(Family::V4) && !present.serves(Family::V6));
    assert_eq!(present.marks().into_iter().collect::<Vec<_>>(), [1337]);
    let mut both = wanted();
    both[1].chains[0].rules[0].family = None;
    assert!(made(&both, 0).serves(Family::V6));
    let nothing = Present::default();
    assert!(!nothing.serves(Family::V4) && nothing.marks().is_empty());
}
