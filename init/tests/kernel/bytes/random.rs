//! Random rules that the kernel accepts, the same ones every time.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sidecar_init::rule::{Chain, Family, Match, Owner, Position, Protocol, Rule, RuleSet, Table, Target};
use sidecar_init::value::{Group, Interface, PortRange, interface, port_range};

use super::all_tables;

/// Chains that nothing jumps to: the kernel lets them have whatever makes sense somewhere.
const OWN: [Chain; 5] = [Chain::Inbound, Chain::Outbound, Chain::Redirect, Chain::Tproxy, Chain::OutboundDns];

pub(crate) fn cases(count: usize) -> Vec<Vec<RuleSet>> {
    let mut runner = TestRunner::deterministic();
    let case: Vec<_> = all_tables().into_iter().map(|(family, table)| rule_set(family, table)).collect();
    (0..count).map(|_| case.new_tree(&mut runner).unwrap().current()).collect()
}

fn rule_set(family: Family, table: Table) -> impl Strategy<Value = RuleSet> {
    vec(prop_oneof![3 => own(family, table), 1 => built_in(family)], 0..6).prop_map(move |rules| RuleSet {
        family,
        table,
        rules,
    })
}

fn own(family: Family, table: Table) -> impl Strategy<Value = Rule> {
    let chains: Vec<Chain> = OWN.into_iter().filter(|chain| table.holds_own(chain.name())).collect();
    let rule = (0..chains.len(), position(), common(family), about_protocol(), vec(other(), 0..3), target(table));
    rule.prop_map(move |(chain, position, common, about_protocol, other, target)| {
        let needs_protocol = matches!(target, Target::Redirect(_) | Target::Tproxy { .. });
        let fallback = needs_protocol.then_some(Match::Protocol(Protocol::Tcp));
        let matches = common.into_iter().chain(about_protocol.or(fallback)).chain(other).collect();
        Rule { setting: None, chain: chains[chain], position, matches, target }
    })
}

fn built_in(family: Family) -> impl Strategy<Value = Rule> {
    let target = prop_oneof![Just(Target::Return), Just(Target::Accept), Just(Target::Jump(Chain::Note))];
    let rule = (any::<bool>(), position(), network_interface(), address(family), about_protocol(), target);
    rule.prop_map(|(is_output, position, interface, address, about_protocol, target)| {
        let (chain, interface) = if is_output {
            (Chain::Output, Match::OutInterface(interface))
        } else {
            (Chain::Prerouting, Match::InInterface(interface))
        };
        let matches = [Some(interface), address, about_protocol].into_iter().flatten().collect();
        Rule { setting: None, chain, position, matches, target }
    })
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![3 => Just(Position::Last), 1 => Just(Position::At(1))]
}

fn common(family: Family) -> impl Strategy<Value = Vec<Match>> {
    let incoming = proptest::option::of(network_interface().prop_map(Match::InInterface));
    let outgoing = proptest::option::of(network_interface().prop_map(Match::OutInterface));
    let source = proptest::option::of(range(family).prop_map(Match::Source));
    // In no order, since the order does not count.
    (incoming, outgoing, source, address(family)).prop_map(|(incoming, outgoing, source, destination)| {
        [destination, outgoing, source, incoming].into_iter().flatten().collect()
    })
}

fn address(family: Family) -> impl Strategy<Value = Option<Match>> {
    let inverted = range(family).prop_filter("matches nothing", |range| range.prefix_len() > 0);
    proptest::option::of(prop_oneof![
        range(family).prop_map(Match::Destination),
        inverted.prop_map(Match::NotDestination),
    ])
}

fn range(family: Family) -> BoxedStrategy<IpNet> {
    match family {
        Family::V4 => (any::<u32>(), 0u8..=32)
            .prop_map(|(bits, length)| Ipv4Net::new(Ipv4Addr::from_bits(bits), length).unwrap().into())
            .boxed(),
        // Not those that the C library prints with a dotted tail, of which `Saved` has only one form.
        Family::V6 => (any::<u128>(), 0u8..=128)
            .prop_map(|(bits, length)| Ipv6Net::new(Ipv6Addr::from_bits(bits), length).unwrap().into())
            .boxed(),
    }
}

fn network_interface() -> impl Strategy<Value = Interface> {
    "[a-z][a-zA-Z0-9_.-]{0,14}".prop_map(|name| interface(&name).unwrap())
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp)]
}

fn ports() -> impl Strategy<Value = PortRange> {
    let bound = || prop_oneof![6 => any::<u16>(), 1 => Just(0), 1 => Just(u16::MAX)];
    let range = (bound(), bound()).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let single = bound().prop_map(|port| (port, port));
    prop_oneof![single, range].prop_map(|(first, last)| port_range(&format!("{first}:{last}")).unwrap())
}

/// At most one condition about the protocol.
fn about_protocol() -> impl Strategy<Value = Option<Match>> {
    let list =
        || vec(ports(), 1..8).prop_map(|ports| ports.into_iter().filter(|ports| !ports.is_all()).collect::<Vec<_>>());
    let filled = |ports: &Vec<PortRange>| !ports.is_empty();
    // iptables-nft shows what is not below a port as what is above it; no setting asks for that.
    let has_one_form = |ports: &PortRange| ports.is_single() || ports.first() > 0;
    proptest::option::of(prop_oneof![
        protocol().prop_map(Match::Protocol),
        (protocol(), ports()).prop_map(|(protocol, ports)| Match::Port(protocol, ports)),
        (protocol(), ports().prop_filter("has two forms", has_one_form))
            .prop_map(|(protocol, ports)| Match::NotPort(protocol, ports)),
        (protocol(), any::<u16>()).prop_map(|(protocol, port)| Match::SourcePort(protocol, port)),
        (protocol(), list().prop_filter("no port", filled)).prop_map(|(protocol, ports)| Match::Ports(protocol, ports)),
        (protocol(), list().prop_filter("no port", filled))
            .prop_map(|(protocol, ports)| Match::NotPorts(protocol, ports)),
    ])
}

fn other() -> impl Strategy<Value = Match> {
    let id = || 0..u32::MAX;
    let owner = || prop_oneof![id().prop_map(Owner::User), id().prop_map(|id| Owner::Group(Group::Id(id)))];
    prop_oneof![
        any::<u32>().prop_map(Match::Mark),
        any::<u32>().prop_map(Match::NotMark),
        any::<u32>().prop_map(Match::ConnectionMark),
        Just(Match::Established),
        Just(Match::Untrackable),
        owner().prop_map(Match::Owner),
        owner().prop_map(Match::NotOwner),
    ]
}

fn target(table: Table) -> BoxedStrategy<Target> {
    let plain = prop_oneof![Just(Target::Return), Just(Target::Accept), Just(Target::Jump(Chain::Note))];
    match table {
        Table::Nat => prop_oneof![plain, (1..=u16::MAX).prop_map(Target::Redirect)].boxed(),
        Table::Mangle => prop_oneof![
            plain,
            Just(Target::Drop),
            any::<u32>().prop_map(Target::SetMark),
            Just(Target::SaveMark),
            Just(Target::RestoreMark),
            (1..=u16::MAX, any::<u32>()).prop_map(|(port, mark)| Target::Tproxy { port, mark }),
        ]
        .boxed(),
        Table::Raw => prop_oneof![plain, Just(Target::Drop), (1..=u16::MAX).prop_map(Target::Zone)].boxed(),
    }
}
