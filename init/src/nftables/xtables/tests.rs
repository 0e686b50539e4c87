//! Rules of ours that come back as their canonical text, and rules of others that come back as something.

use proptest::prelude::*;

use super::*;
use crate::canonical;
use crate::nftables::expression::{Base, Comparison, Ct, Expression, Extension, Meta, Piece, Verdict};
use crate::rule::{Chain, Family, Match, Owner, Position, Protocol, Rule, Target};
use crate::value::{Group, PortRange, interface, port_range, range};

fn rule(matches: Vec<Match>, target: Target) -> Rule {
    Rule { setting: None, chain: Chain::Outbound, position: Position::Last, matches, target }
}

fn ports(text: &str) -> PortRange {
    port_range(text).unwrap()
}

fn load(meta: Meta) -> Expression {
    Expression::Meta(meta, 1)
}

fn piece(base: Base, offset: u32, length: u32) -> Expression {
    Expression::Payload(Piece { base, offset, length }, 1)
}

fn compare(comparison: Comparison, value: &[u8]) -> Expression {
    Expression::Compare(comparison, 1, value.to_vec())
}

fn equal(value: &[u8]) -> Expression {
    compare(Comparison::Equal, value)
}

fn read(expressions: &[Expression]) -> String {
    body(expressions, Family::V4)
}

#[test]
fn every_kind_of_match_and_target_comes_back_as_its_canonical_text() {
    let tcp = Protocol::Tcp;
    let some_range = |family| range(if family == Family::V4 { "10.1.2.3/13" } else { "2001:db8::1/61" }).unwrap();
    for family in [Family::V4, Family::V6] {
        let matches = [
            Match::InInterface(interface("eth0").unwrap()),
            Match::OutInterface(interface("abcdefghijklmno").unwrap()),
            Match::Source(some_range(family)),
            Match::Destination(some_range(family)),
            Match::NotDestination(some_range(family)),
            Match::Protocol(Protocol::Udp),
            Match::Port(tcp, ports("80")),
            Match::Port(tcp, ports("0:65535")),
            Match::Port(tcp, ports("0:7")),
            Match::NotPort(tcp, ports("8:9")),
            Match::SourcePort(Protocol::Udp, 53),
            Match::Ports(tcp, vec![ports("1"), ports("2:3")]),
            Match::NotPorts(tcp, vec![ports("53"), ports("15008")]),
            Match::Mark(0x539),
            Match::NotMark(0),
            Match::ConnectionMark(7),
            Match::Established,
            Match::Untrackable,
            Match::Owner(Owner::User(1337)),
            Match::NotOwner(Owner::Group(Group::Id(5))),
        ];
        let targets = [
            Target::Return,
            Target::Jump(Chain::Redirect),
            Target::Accept,
            Target::Drop,
            Target::Redirect(15001),
            Target::SetMark(0x53a),
            Target::SaveMark,
            Target::RestoreMark,
            Target::Tproxy { port: 15006, mark: 0x539 },
            Target::Zone(2),
        ];
        for (matches, target) in matches
            .into_iter()
            .map(|condition| (vec![condition], Target::Return))
            .chain(targets.map(|target| (vec![], target)))
        {
            let rule = rule(matches, target);
            let encoded = encode(&rule, family).unwrap();
            assert_eq!(body(&encoded.expressions, family), canonical::body(&rule, family));
        }
    }
}

#[test]
fn a_group_by_name_is_refused() {
    let named = vec![Match::Owner(Owner::Group(Group::Name("java".to_owned())))];
    assert_eq!(encode(&rule(named, Target::Return), Family::V4).unwrap_err().groups[0].0, "java");
}

#[test]
fn what_other_versions_write_natively_reads_the_same() {
    let port =
        |comparison| [load(Meta::Protocol), equal(&[6]), piece(Base::Transport, 2, 2), compare(comparison, &[0, 80])];
    assert_eq!(read(&port(Comparison::Equal)), "-p tcp -m tcp --dport 80");
    assert_eq!(read(&port(Comparison::Unequal)), "-p tcp -m tcp ! --dport 80");
    assert_eq!(read(&port(Comparison::Greater)), "-p tcp -m tcp --dport 81:65535");
    assert_eq!(read(&port(Comparison::Less)), "-p tcp -m tcp --dport 0:79");
    let both = [piece(Base::Network, 9, 1), equal(&[17]), piece(Base::Transport, 0, 4), equal(&[0, 1, 0, 2])];
    assert_eq!(read(&both), "-p udp -m udp --sport 1 --dport 2");
    assert_eq!(read(&[load(Meta::Mark), equal(&0x539u32.to_ne_bytes())]), "-m mark --mark 0x539");
    let user = [load(Meta::User), compare(Comparison::Unequal, &7u32.to_ne_bytes())];
    assert_eq!(read(&user), "-m owner ! --uid-owner 7");
    let mask = |mask: u32| Expression::Bitwise { from: 1, to: 1, mask: mask.to_ne_bytes().to_vec(), xor: vec![0; 4] };
    let state = [Expression::Ct(Ct::State, 1), mask(6), compare(Comparison::Unequal, &[0; 4])];
    assert_eq!(read(&state), "-m conntrack --ctstate RELATED,ESTABLISHED");
    let connection = [Expression::Ct(Ct::Mark, 1), mask(0xff), equal(&1u32.to_ne_bytes())];
    assert_eq!(read(&connection), "-m connmark --mark 0x1/0xff");
    let beginning = [load(Meta::OutInterface), compare(Comparison::Unequal, b"cali")];
    assert_eq!(read(&beginning), "! -o cali+");
    let source = [piece(Base::Network, 12, 2), equal(&[10, 1]), Expression::Verdict(Verdict::Goto("X".to_owned()))];
    assert_eq!(read(&source), "-s 10.1.0.0/16 -g X");
}

#[test]
fn what_is_not_understood_is_kept_in_brackets() {
    let module = |name: &str| Extension { name: name.to_owned(), revision: 1, info: vec![1; 8] };
    let rule = [Expression::Match(module("addrtype")), Expression::Verdict(Verdict::Jump("KUBE-X".to_owned()))];
    assert_eq!(read(&rule), "-m [xt-match addrtype] -j KUBE-X");
    assert_eq!(read(&[Expression::Target(module("DNAT"))]), "-j DNAT […]");
    assert_eq!(read(&[Expression::Match(module("owner"))]), "-m [xt-match owner]");
    assert_eq!(read(&[Expression::Unknown("lookup".to_owned())]), "-m [lookup]");
    assert_eq!(read(&[load(Meta::Other(4)), equal(&[1])]), "-m [meta 4]");
    assert_eq!(read(&[piece(Base::Transport, 2, 2), equal(&[0, 80])]), "-m [payload 2 2 2]");
    assert_eq!(read(&[equal(&[1])]), "-m [cmp]");
    // A mask with a hole, and twice the same condition.
    let mask = Expression::Bitwise { from: 1, to: 1, mask: vec![255, 0, 255, 0], xor: vec![0; 4] };
    assert_eq!(read(&[piece(Base::Network, 12, 4), mask, equal(&[1, 0, 1, 0])]), "-m [payload 1 12 4]");
    let twice = [load(Meta::InInterface), equal(b"a\0"), load(Meta::InInterface), equal(b"b\0")];
    assert_eq!(read(&twice), "-i a -m [meta 6]");
    let after = [Expression::Verdict(Verdict::Accept), load(Meta::Mark)];
    assert_eq!(read(&after), "-m [meta] -j ACCEPT");
}

proptest! {
    #[test]
    fn any_structure_is_read_whole_or_not_at_all(
        name in proptest::sample::select(vec!["tcp", "udp", "multiport", "owner", "mark", "connmark", "conntrack", "comment",
            "REDIRECT", "MARK", "CONNMARK", "TPROXY", "CT"]),
        revision in 0u32..4, mut info in proptest::collection::vec(0u8..4, 0..300), is_short: bool,
    ) {
        if is_short {
            info.truncate(48);
        }
        let extension = Extension { name: name.to_owned(), revision, info };
        if let Some(read) = XtMatch::of(&extension) {
            prop_assert_eq!(XtMatch::of(&read.extension()), Some(read));
        }
        for family in [Family::V4, Family::V6] {
            if let Some(read) = XtTarget::of(&extension, family) {
                prop_assert_eq!(XtTarget::of(&read.extension(family), family), Some(read));
            }
        }
        for expression in [Expression::Match(extension.clone()), Expression::Target(extension)] {
            prop_assert!(!body(&[expression], Family::V6).is_empty());
        }
    }

    #[test]
    fn any_comparison_is_read(
        meta in 0u32..30, base in 0u32..4, offset in 0u32..40, length in 0u32..40, at in 0usize..6,
        value in proptest::collection::vec(any::<u8>(), 0..20), mask in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let comparison = [Comparison::Equal, Comparison::Unequal, Comparison::Less, Comparison::LessOrEqual,
            Comparison::Greater, Comparison::GreaterOrEqual][at];
        for first in [load(Meta::of(meta)), piece(Base::of(base), offset, length), Expression::Ct(Ct::of(meta), 1)] {
            let masked = Expression::Bitwise { from: 1, to: 1, xor: vec![0; mask.len()], mask: mask.clone() };
            let last = compare(comparison, &value);
            for family in [Family::V4, Family::V6] {
                prop_assert!(!body(&[first.clone(), last.clone()], family).is_empty());
                prop_assert!(!body(&[first.clone(), masked.clone(), last.clone()], family).is_empty());
            }
        }
    }
}
