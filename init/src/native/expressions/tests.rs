//! Expressions of single matches and targets, in the form in which `nft --debug=netlink` shows them.

use super::*;
use crate::rule::Chain;
use crate::value::{interface, port_range, range};

fn rule(matches: &[Match], target: Target) -> NativeRule {
    NativeRule { setting: None, family: None, matches: matches.to_vec(), target }
}

/// What comes before the counter, each as `nft` shows it but for the order of bytes in a number.
fn shown(matches: &[Match]) -> Vec<String> {
    let expressions = expressions(&rule(matches, Target::Return)).unwrap();
    let counter = expressions.iter().position(|expression| *expression == Expression::Counter).unwrap();
    assert_eq!(expressions[counter..], [Expression::Counter, Expression::Verdict(Verdict::Return)]);
    expressions[..counter].iter().map(show).collect()
}

fn show(expression: &Expression) -> String {
    match expression {
        Expression::Meta(key, 1) => format!("meta {key:?}"),
        Expression::Ct(key, 1) => format!("ct {key:?}"),
        Expression::Payload(Piece { base, offset, length }, 1) => format!("{base:?} {offset}+{length}"),
        Expression::Compare(comparison, 1, value) => format!("{comparison:?} {}", hexadecimal(value)),
        Expression::Bitwise { from: 1, to: 1, mask, xor } if xor.iter().all(|byte| *byte == 0) => {
            format!("& {}", hexadecimal(mask))
        }
        Expression::Range { register: 1, is_inverted: true, first, last } => {
            format!("not {} to {}", hexadecimal(first), hexadecimal(last))
        }
        other => panic!("{other:?}"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_address_is_asked_for_after_its_family() {
    let destination = |text| [Match::Destination(range(text).unwrap())];
    let v4 = ["meta Family", "Equal 02"];
    assert_eq!(shown(&destination("127.0.0.1")), [v4[0], v4[1], "Network 16+4", "Equal 7f000001"]);
    assert_eq!(shown(&destination("10.0.0.0/8")), [v4[0], v4[1], "Network 16+1", "Equal 0a"]);
    assert_eq!(shown(&destination("10.96.0.0/12")), [v4[0], v4[1], "Network 16+4", "& fff00000", "Equal 0a600000"]);
    assert_eq!(shown(&destination("2001:db8::/32")), ["meta Family", "Equal 0a", "Network 24+4", "Equal 20010db8"]);
    let source = [Match::Source(range("127.0.0.6").unwrap()), Match::NotDestination(range("127.0.0.1").unwrap())];
    assert_eq!(shown(&source), [v4[0], v4[1], "Network 12+4", "Equal 7f000006", "Network 16+4", "Unequal 7f000001"]);
}

#[test]
fn a_port_is_asked_for_after_its_protocol_which_is_asked_for_once() {
    let port = |text| port_range(text).unwrap();
    let tcp = Protocol::Tcp;
    assert_eq!(
        shown(&[Match::NotPort(tcp, port("53")), Match::NotPort(tcp, port("8000:8100"))]),
        ["meta Protocol", "Equal 06", "Transport 2+2", "Unequal 0035", "Transport 2+2", "not 1f40 to 1fa4"]
    );
    assert_eq!(
        shown(&[Match::Protocol(tcp), Match::Port(tcp, port("8000:8100"))]),
        ["meta Protocol", "Equal 06", "Transport 2+2", "GreaterOrEqual 1f40", "LessOrEqual 1fa4"]
    );
    assert_eq!(
        shown(&[Match::SourcePort(Protocol::Udp, 53)]),
        ["meta Protocol", "Equal 11", "Transport 0+2", "Equal 0035"]
    );
}

#[test]
fn names_of_interfaces_are_compared_as_a_whole() {
    let lo = ["meta OutInterface", "Equal 6c6f0000000000000000000000000000"];
    assert_eq!(shown(&[Match::OutInterface(Interface::loopback())]), lo);
    assert_eq!(shown(&[Match::InInterface(interface("eth0").unwrap())])[0], "meta InInterface");
}

#[test]
fn numbers_of_the_kernel_are_in_the_order_of_the_machine() {
    let native = |number: u32| hexadecimal(&number.to_ne_bytes());
    let states = [Match::Established, Match::Untrackable].map(|state| shown(&[state])[1].clone());
    assert_eq!(states, [6, 1].map(|bits| format!("& {}", native(bits))));
    let owner = shown(&[Match::NotOwner(Owner::Group(Group::Id(1337)))]);
    assert_eq!(owner, ["meta Group".to_owned(), format!("Unequal {}", native(1337))]);
    let mark = shown(&[Match::ConnectionMark(1337)]);
    assert_eq!(mark, ["ct Mark".to_owned(), format!("Equal {}", native(1337))]);
}

#[test]
fn a_group_without_a_number_is_a_mistake() {
    let named = rule(&[Match::Owner(Owner::Group(Group::Name("users".to_owned())))], Target::Return);
    let named = NativeRule { setting: Some("ISTIO_OUTBOUND_OWNER_GROUPS"), ..named };
    let unknown = UnknownGroups { groups: vec![("users".to_owned(), Some("ISTIO_OUTBOUND_OWNER_GROUPS"))] };
    assert_eq!(expressions(&named), Err(unknown));
}

#[test]
fn a_packet_for_the_proxys_socket_is_marked_and_accepted() {
    let tproxy = Target::Tproxy { port: 15006, mark: 1337 };
    let limited = NativeRule { family: Some(Family::V6), ..rule(&[], tproxy) };
    let acts = expressions(&limited).unwrap();
    assert_eq!(
        acts[3..],
        [
            Expression::Data(1, vec![0x3a, 0x9e]),
            Expression::Tproxy { family: 10, address: None, port: Some(1) },
            Expression::Data(1, 1337u32.to_ne_bytes().to_vec()),
            Expression::SetMeta(Meta::Mark, 1),
            Expression::Verdict(Verdict::Accept),
        ]
    );
    let jump = expressions(&rule(&[], Target::Jump(Chain::InRedirect))).unwrap();
    assert_eq!(jump[1..], [Expression::Verdict(Verdict::Jump("istio-in-redirect".to_owned()))]);
}
