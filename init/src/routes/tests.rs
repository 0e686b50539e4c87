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
        ..Snapshot::default()
    }
}

fn surplus(there: &Snapshot, policy: Option<Policy>, marks: &[u32]) -> Vec<String> {
    let surplus = there.surplus(&wanted(policy), OURS, &marks.iter().copied().collect(), true);
    surplus.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_missing_is_added_with_the_rule_before_its_route() {
    let missing = Snapshot::default().missing(&wanted(Some(OURS)));
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let expected = [
        "ip -6 address ::6/128 dev lo",
        "ip -4 rule fwmark 0x539 lookup 133",
        "ip -4 route local default dev lo table 133",
        "ip -6 rule fwmark 0x539 lookup 133",
        "ip -6 route local default dev lo table 133",
    ];
    assert_eq!(missing, expected);
    assert_eq!(snapshot(&[(OURS, 9)], &[133]).missing(&wanted(None)), []);
}

#[test]
fn a_table_of_somebody_else_is_refused_if_it_is_wanted() {
    let there = Snapshot { taken: vec![(Family::V6, 133), (Family::V6, 254)], ..Snapshot::default() };
    let error = there.check(&wanted(Some(OURS))).unwrap_err().to_string();
    assert!(error.starts_with("table 133 of the IPv6 routing") && error.contains("(-r)"), "{error}");
    assert!(error.contains("`ip -6 route show table 133`"), "{error}");
    assert!(there.check(&wanted(Some(OTHER))).is_ok());
    assert!(there.check(&wanted(None)).is_ok());
    assert!(there.check(&Wanted { families: vec![Family::V4], policy: Some(OURS) }).is_ok());
}

#[test]
fn a_list_that_the_kernel_lacks_is_empty_and_one_that_it_cannot_give_is_an_error() {
    for lacks in [NO_SUCH_LIST, NO_SUCH_FAMILY] {
        assert!(listed::<u8>(Err(io::Error::from_raw_os_error(lacks))).unwrap().is_empty());
    }
    for fails in [io::Error::from_raw_os_error(105), io::Error::other("changes all the time")] {
        assert!(matches!(listed::<u8>(Err(fails)), Err(Error::Read(_))));
    }
}

#[test]
fn a_rule_stays_once() {
    let there = snapshot(&[(OURS, 7), (OURS, 8), (OURS, 9)], &[133]);
    let surplus = there.surplus(&wanted(Some(OURS)), OURS, &BTreeSet::from([1337]), true);
    let doubles = [8, 9].map(|preference| Entry::Rule(Family::V4, OURS, Some(preference)));
    assert_eq!(surplus, doubles);
}

#[test]
fn what_was_wanted_with_other_flags_goes() {
    let there = snapshot(&[(OURS, 7)], &[133]);
    let gone = ["ip -4 route local default dev lo table 133", "ip -4 rule fwmark 0x539 lookup 133"];
    assert_eq!(surplus(&there, None, &[1337]), gone);
    let there = snapshot(&[(OTHER, 7)], &[100]);
    let gone = ["ip -4 route local default dev lo table 100", "ip -4 rule fwmark 0x1 lookup 100"];
    assert_eq!(surplus(&there, Some(OURS), &[1]), gone);
    let moved = Policy { mark: 1, ..OURS };
    assert_eq!(surplus(&snapshot(&[(OURS, 7), (moved, 8)], &[133]), Some(moved), &[1337]), [gone_rule()]);
}

fn gone_rule() -> String {
    Entry::Rule(Family::V4, OURS, None).to_string()
}

#[test]
fn rules_and_tables_of_others_stay() {
    assert!(surplus(&snapshot(&[(OTHER, 7)], &[100]), None, &[1337]).is_empty());
    assert!(surplus(&snapshot(&[(OTHER, 7)], &[]), None, &[1]).is_empty(), "its table lacks our route");
    assert!(surplus(&snapshot(&[(OURS, 7), (OURS, 8)], &[133]), None, &[]).is_empty(), "no rule of ours uses the mark");
    assert!(surplus(&snapshot(&[(OURS, 7), (OURS, 8)], &[133]), Some(OURS), &[]).is_empty());
}

#[test]
fn what_bears_our_sign_goes_even_if_no_rule_uses_its_mark_any_more() {
    let unfinished =
        Snapshot { signed: vec![(Family::V4, OTHER, 7)], ..snapshot(&[(OTHER, 7), (OURS, 8)], &[100, 133]) };
    let gone = ["ip -4 route local default dev lo table 100", "ip -4 rule fwmark 0x1 lookup 100"];
    assert_eq!(surplus(&unfinished, None, &[]), gone);
}

#[test]
fn the_address_goes_only_where_it_is_ours() {
    let there = snapshot(&[], &[]);
    let none = Wanted { families: vec![Family::V4], policy: None };
    assert_eq!(there.surplus(&none, OURS, &BTreeSet::new(), false), []);
    assert_eq!(there.surplus(&none, OURS, &BTreeSet::new(), true), [Entry::Address(INBOUND_SOURCE_V6)]);
}
