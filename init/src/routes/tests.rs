//! What is added to routing, and what is taken for ours and removed.

use super::*;

const OURS: Policy = Policy::DEFAULT;
const OTHER: Policy = Policy { mark: 1, table: 100 };

fn wanted(policy: Option<Policy>) -> Wanted {
    Wanted { families: vec![Family::V4, Family::V6], policy }
}

fn snapshot(rules: &[(Policy, u32)], tables: &[u32]) -> Snapshot {
    Snapshot {
        addresses: vec![(INBOUND_SOURCE_V6.into(), true)],
        rules: rules.iter().map(|(policy, preference)| (Family::V4, *policy, *preference)).collect(),
        tables: tables.iter().map(|table| (Family::V4, *table)).collect(),
    }
}

fn surplus(there: &Snapshot, policy: Option<Policy>, marks: &[u32]) -> Vec<String> {
    let surplus = there.surplus(&wanted(policy), OURS, &marks.iter().copied().collect(), true);
    surplus.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_missing_is_added_with_the_route_before_its_rule() {
    let missing = Snapshot::default().missing(&wanted(Some(OURS)));
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let expected = [
        "ip -6 address ::6/128 dev lo",
        "ip -4 route local default dev lo table 133",
        "ip -4 rule fwmark 0x539 lookup 133",
        "ip -6 route local default dev lo table 133",
        "ip -6 rule fwmark 0x539 lookup 133",
    ];
    assert_eq!(missing, expected);
    assert_eq!(snapshot(&[(OURS, 9)], &[133]).missing(&wanted(None)), []);
}

#[test]
fn a_rule_stays_once() {
    let there = snapshot(&[(OURS, 7), (OURS, 8), (OURS, 9)], &[133]);
    let surplus = there.surplus(&wanted(Some(OURS)), OURS, &BTreeSet::new(), true);
    let doubles = [8, 9].map(|preference| Entry::Rule(Family::V4, OURS, Some(preference)));
    assert_eq!(surplus, doubles);
}

#[test]
fn what_was_wanted_with_other_flags_goes() {
    let there = snapshot(&[(OURS, 7)], &[133]);
    let gone = ["ip -4 rule fwmark 0x539 lookup 133", "ip -4 route local default dev lo table 133"];
    assert_eq!(surplus(&there, None, &[]), gone);
    let there = snapshot(&[(OTHER, 7)], &[100]);
    let gone = ["ip -4 rule fwmark 0x1 lookup 100", "ip -4 route local default dev lo table 100"];
    assert_eq!(surplus(&there, Some(OURS), &[1]), gone);
    let moved = Policy { mark: 1, ..OURS };
    assert_eq!(surplus(&snapshot(&[(OURS, 7), (moved, 8)], &[133]), Some(moved), &[]), [gone_rule()]);
}

fn gone_rule() -> String {
    Entry::Rule(Family::V4, OURS, None).to_string()
}

#[test]
fn rules_and_tables_of_others_stay() {
    assert!(surplus(&snapshot(&[(OTHER, 7)], &[100]), None, &[1337]).is_empty());
    assert!(surplus(&snapshot(&[(OTHER, 7)], &[]), None, &[1]).is_empty(), "its table holds more than our route");
}

#[test]
fn the_address_goes_only_where_it_is_ours() {
    let there = snapshot(&[], &[]);
    let none = Wanted { families: vec![Family::V4], policy: None };
    assert_eq!(there.surplus(&none, OURS, &BTreeSet::new(), false), []);
    assert_eq!(there.surplus(&none, OURS, &BTreeSet::new(), true), [Entry::Address(INBOUND_SOURCE_V6)]);
}
