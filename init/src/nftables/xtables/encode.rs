//! A rule as the expressions that iptables-nft makes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::groups::UnknownGroups;
use crate::nftables::expression::{Base, Comparison, Expression, FIRST, Meta, Piece, Verdict};
use crate::nftables::xtables::matches::{ESTABLISHED, INVALID};
use crate::nftables::xtables::{Owners, PortList, Ports, XtMatch, XtTarget};
use crate::rule::{Family, Match, Owner, Protocol, Rule, Target};
use crate::value::{Group, Interface, PortRange};

/// What the kernel is told of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The steps.
    pub expressions: Vec<Expression>,
    /// Number of the protocol that it is limited to, or 0; modules of iptables ask for it.
    pub protocol: u32,
}

/// `multiport --dports`
const DESTINATION: u8 = 1;

/// The rule as iptables-nft writes it.
///
/// # Errors
/// When it names a group.
pub fn encode(rule: &Rule, family: Family) -> Result<Encoded, UnknownGroups> {
    let mut encoder = Encoder { expressions: Vec::with_capacity(16), family };
    let protocol = rule.matches.iter().find_map(protocol);
    // iptables has places of their own for these, which it writes first and in this order.
    for place in 0..5 {
        for condition in &rule.matches {
            encoder.common(condition, place);
        }
        if place == 2
            && let Some(protocol) = protocol
        {
            encoder.meta(Meta::Protocol, Comparison::Equal, &[number(protocol)]);
        }
    }
    for condition in &rule.matches {
        encoder.extended(condition).map_err(|name| UnknownGroups { groups: vec![(name, rule.setting)] })?;
    }
    encoder.expressions.push(Expression::Counter);
    encoder.expressions.push(target(rule.target, family));
    Ok(Encoded { expressions: encoder.expressions, protocol: protocol.map_or(0, |protocol| number(protocol).into()) })
}

struct Encoder {
    expressions: Vec<Expression>,
    family: Family,
}

impl Encoder {
    fn common(&mut self, condition: &Match, place: u8) {
        match (place, condition) {
            (0, Match::InInterface(interface)) => self.interface(Meta::InInterface, interface),
            (1, Match::OutInterface(interface)) => self.interface(Meta::OutInterface, interface),
            (3, Match::Source(range)) => self.address(Side::Source, range, Comparison::Equal),
            (4, Match::Destination(range)) => self.address(Side::Destination, range, Comparison::Equal),
            (4, Match::NotDestination(range)) => self.address(Side::Destination, range, Comparison::Unequal),
            _ => {}
        }
    }

    /// The name of the group, where one is given by name.
    fn extended(&mut self, condition: &Match) -> Result<(), String> {
        match condition {
            Match::InInterface(_)
            | Match::OutInterface(_)
            | Match::Source(_)
            | Match::Destination(_)
            | Match::NotDestination(_)
            | Match::Protocol(_) => {}
            Match::Port(protocol, ports) => self.ports(*protocol, *ports, false),
            Match::NotPort(protocol, ports) => self.ports(*protocol, *ports, true),
            Match::SourcePort(_, port) => {
                self.payload(Base::Transport, 0, 2);
                self.compare(Comparison::Equal, &port.to_be_bytes());
            }
            Match::Ports(_, ports) => self.port_list(ports, false),
            Match::NotPorts(_, ports) => self.port_list(ports, true),
            Match::Mark(mark) => self.meta(Meta::Mark, Comparison::Equal, &mark.to_ne_bytes()),
            Match::NotMark(mark) => self.meta(Meta::Mark, Comparison::Unequal, &mark.to_ne_bytes()),
            Match::ConnectionMark(mark) => self.module(&XtMatch::ConnectionMark(*mark, u32::MAX, false)),
            Match::Established => self.module(&XtMatch::State(ESTABLISHED, false)),
            Match::Untrackable => self.module(&XtMatch::State(INVALID, false)),
            Match::Owner(owner) => self.owner(owner, false)?,
            Match::NotOwner(owner) => self.owner(owner, true)?,
        }
        Ok(())
    }

    fn interface(&mut self, meta: Meta, interface: &Interface) {
        let name = format!("{interface}\0");
        self.meta(meta, Comparison::Equal, name.as_bytes());
    }

    fn address(&mut self, side: Side, range: &IpNet, comparison: Comparison) {
        let bits = range.prefix_len();
        if bits == 0 && comparison == Comparison::Equal {
            return;
        }
        let (address, mask) = (octets(range.network()), octets(range.netmask()));
        let is_whole_bytes = bits.is_multiple_of(8) && bits != 0;
        let length = if is_whole_bytes { usize::from(bits / 8) } else { address.len() };
        self.payload(Base::Network, side.offset(self.family), u32::try_from(length).unwrap_or_default());
        if !is_whole_bytes {
            let xor = vec![0; length];
            self.expressions.push(Expression::Bitwise { from: FIRST, to: FIRST, mask, xor });
        }
        self.compare(comparison, &address[..length]);
    }

    fn ports(&mut self, protocol: Protocol, ports: PortRange, is_inverted: bool) {
        let (first, last) = (ports.first(), ports.last());
        if ports.is_all() {
            return self.module(&XtMatch::Ports(protocol, Ports::ALL, Ports(first, last, is_inverted)));
        }
        self.payload(Base::Transport, 2, 2);
        let (first_bytes, last_bytes) = (first.to_be_bytes(), last.to_be_bytes());
        match (first == last, first == 0) {
            (true, _) if is_inverted => self.compare(Comparison::Unequal, &first_bytes),
            (true, _) => self.compare(Comparison::Equal, &first_bytes),
            (false, true) if is_inverted => self.compare(Comparison::Greater, &last_bytes),
            (false, true) => self.compare(Comparison::LessOrEqual, &last_bytes),
            (false, false) => self.expressions.push(Expression::Range {
                register: FIRST,
                is_inverted,
                first: first_bytes.to_vec(),
                last: last_bytes.to_vec(),
            }),
        }
    }

    fn port_list(&mut self, ports: &[PortRange], is_inverted: bool) {
        let ranges = ports.iter().map(|ports| (ports.first(), ports.last())).collect();
        self.module(&XtMatch::PortList(PortList { which: DESTINATION, ranges, is_inverted }));
    }

    fn owner(&mut self, owner: &Owner, is_inverted: bool) -> Result<(), String> {
        let owners = match owner {
            Owner::User(id) => Owners { user: Some((*id, *id, is_inverted)), ..Owners::default() },
            Owner::Group(Group::Id(id)) => Owners { group: Some((*id, *id, is_inverted)), ..Owners::default() },
            Owner::Group(Group::Name(name)) => return Err(name.clone()),
        };
        self.module(&XtMatch::Owner(owners));
        Ok(())
    }

    fn module(&mut self, condition: &XtMatch) {
        self.expressions.push(Expression::Match(condition.extension()));
    }

    fn meta(&mut self, meta: Meta, comparison: Comparison, value: &[u8]) {
        self.expressions.push(Expression::Meta(meta, FIRST));
        self.compare(comparison, value);
    }

    fn payload(&mut self, base: Base, offset: u32, length: u32) {
        self.expressions.push(Expression::Payload(Piece { base, offset, length }, FIRST));
    }

    fn compare(&mut self, comparison: Comparison, value: &[u8]) {
        self.expressions.push(Expression::Compare(comparison, FIRST, value.to_vec()));
    }
}

fn target(target: Target, family: Family) -> Expression {
    let module = match target {
        Target::Return => return Expression::Verdict(Verdict::Return),
        Target::Accept => return Expression::Verdict(Verdict::Accept),
        Target::Drop => return Expression::Verdict(Verdict::Drop),
        Target::Jump(chain) => return Expression::Verdict(Verdict::Jump(chain.name().to_owned())),
        Target::Redirect(port) => XtTarget::Redirect(port, port),
        Target::SetMark(mark) => XtTarget::Mark(mark, u32::MAX),
        Target::SaveMark => XtTarget::SaveMark(u32::MAX, u32::MAX),
        Target::RestoreMark => XtTarget::RestoreMark(u32::MAX, u32::MAX),
        Target::Tproxy { port, mark } => {
            let any = match family {
                Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            };
            XtTarget::Tproxy(any, port, mark, u32::MAX)
        }
        Target::Zone(zone) => XtTarget::Zone(zone),
    };
    Expression::Target(module.extension(family))
}

/// One of the two addresses of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
}

impl Side {
    /// Where it is in the header.
    pub(super) fn offset(self, family: Family) -> u32 {
        match (family, self) {
            (Family::V4, Self::Source) => 12,
            (Family::V4, Self::Destination) => 16,
            (Family::V6, Self::Source) => 8,
            (Family::V6, Self::Destination) => 24,
        }
    }
}

fn protocol(condition: &Match) -> Option<Protocol> {
    match condition {
        Match::Protocol(protocol)
        | Match::Port(protocol, _)
        | Match::NotPort(protocol, _)
        | Match::SourcePort(protocol, _)
        | Match::Ports(protocol, _)
        | Match::NotPorts(protocol, _) => Some(*protocol),
        _ => None,
    }
}

pub(super) fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
