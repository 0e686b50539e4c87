//! A rule as expressions: those into which `nft` translates its text, so that either finds what the other has written
//! unchanged.

use ipnet::IpNet;

use super::ruleset::{NativeRule, chain_name};
use crate::groups::UnknownGroups;
use crate::nftables::expression::{Base, Comparison, Ct, Expression, FIRST, Meta, Piece, Verdict};
use crate::nftables::message;
use crate::rule::{Family, Match, Owner, Protocol, Target};
use crate::value::{Group, Interface, PortRange};

/// Bytes of an interface's name in a register, filled up with zeros.
const INTERFACE_LENGTH: usize = 16;
/// Bits of a connection's state.
const INVALID: u32 = 1;
const ESTABLISHED: u32 = 1 << 1;
const RELATED: u32 = 1 << 2;

/// Translates a rule.
///
/// # Errors
/// When it names a group.
pub fn expressions(rule: &NativeRule) -> Result<Vec<Expression>, UnknownGroups> {
    let mut translation = Translation::default();
    if let Some(family) = rule.family {
        translation.require_family(family);
    }
    for condition in &rule.matches {
        let named = |name| UnknownGroups { groups: vec![(name, rule.setting)] };
        translation.require(condition).map_err(named)?;
    }
    translation.expressions.push(Expression::Counter);
    translation.act(&rule.target, rule.only_family());
    Ok(translation.expressions)
}

#[derive(Default)]
struct Translation {
    expressions: Vec<Expression>,
    /// What has been asked already, and holds.
    family: Option<Family>,
    protocol: Option<Protocol>,
}

impl Translation {
    /// Fails with the name of a group.
    fn require(&mut self, condition: &Match) -> Result<(), String> {
        match condition {
            Match::InInterface(interface) => self.meta(Meta::InInterface, Comparison::Equal, padded(interface)),
            Match::OutInterface(interface) => self.meta(Meta::OutInterface, Comparison::Equal, padded(interface)),
            Match::Source(range) => self.address(Side::Source, Comparison::Equal, range),
            Match::Destination(range) => self.address(Side::Destination, Comparison::Equal, range),
            Match::NotDestination(range) => self.address(Side::Destination, Comparison::Unequal, range),
            Match::Protocol(protocol) => self.require_protocol(*protocol),
            Match::Port(protocol, ports) => self.destination_port(*protocol, *ports, false),
            Match::NotPort(protocol, ports) => self.destination_port(*protocol, *ports, true),
            Match::SourcePort(protocol, port) => {
                self.load_port(*protocol, Side::Source);
                self.compare(Comparison::Equal, port.to_be_bytes().to_vec());
            }
            // Not among the matches of a native rule.
            Match::Ports(protocol, list) | Match::NotPorts(protocol, list) => {
                let is_inverted = matches!(condition, Match::NotPorts(..));
                for ports in list {
                    self.destination_port(*protocol, *ports, is_inverted);
                }
            }
            Match::Mark(mark) => self.meta(Meta::Mark, Comparison::Equal, number(*mark)),
            Match::NotMark(mark) => self.meta(Meta::Mark, Comparison::Unequal, number(*mark)),
            Match::ConnectionMark(mark) => {
                self.expressions.push(Expression::Ct(Ct::Mark, FIRST));
                self.compare(Comparison::Equal, number(*mark));
            }
            Match::Established => self.state(ESTABLISHED | RELATED),
            Match::Untrackable => self.state(INVALID),
            Match::Owner(owner) => self.owner(owner, Comparison::Equal)?,
            Match::NotOwner(owner) => self.owner(owner, Comparison::Unequal)?,
        }
        Ok(())
    }

    fn act(&mut self, target: &Target, family: Option<Family>) {
        match target {
            Target::Return => self.end(Verdict::Return),
            Target::Jump(chain) => self.end(Verdict::Jump(chain_name(*chain).to_owned())),
            Target::Accept => self.end(Verdict::Accept),
            Target::Drop => self.end(Verdict::Drop),
            Target::Redirect(port) => {
                self.expressions.push(Expression::Data(FIRST, port.to_be_bytes().to_vec()));
                self.expressions.push(Expression::Redirect(Some(FIRST)));
            }
            Target::SetMark(mark) => self.set_mark(*mark),
            Target::SaveMark => {
                self.expressions.push(Expression::Meta(Meta::Mark, FIRST));
                self.expressions.push(Expression::SetCt(Ct::Mark, FIRST));
            }
            Target::RestoreMark => {
                self.expressions.push(Expression::Ct(Ct::Mark, FIRST));
                self.expressions.push(Expression::SetMeta(Meta::Mark, FIRST));
            }
            Target::Tproxy { port, mark } => {
                let family = family.map_or(message::Protocol::Unspecified, Into::into) as u32;
                self.expressions.push(Expression::Data(FIRST, port.to_be_bytes().to_vec()));
                self.expressions.push(Expression::Tproxy { family, address: None, port: Some(FIRST) });
                self.set_mark(*mark);
                self.end(Verdict::Accept);
            }
            Target::Zone(zone) => {
                self.expressions.push(Expression::Data(FIRST, zone.to_ne_bytes().to_vec()));
                self.expressions.push(Expression::SetCt(Ct::Zone, FIRST));
            }
        }
    }

    fn require_family(&mut self, family: Family) {
        if self.family.replace(family) != Some(family) {
            self.meta(Meta::Family, Comparison::Equal, vec![message::Protocol::from(family) as u8]);
        }
    }

    fn require_protocol(&mut self, protocol: Protocol) {
        if self.protocol.replace(protocol) != Some(protocol) {
            self.meta(Meta::Protocol, Comparison::Equal, vec![protocol_number(protocol)]);
        }
    }

    fn address(&mut self, side: Side, comparison: Comparison, range: &IpNet) {
        let (family, offset, address, mask) = match range {
            IpNet::V4(range) => {
                (Family::V4, side.of(12, 16), range.network().octets().to_vec(), range.netmask().octets().to_vec())
            }
            IpNet::V6(range) => {
                (Family::V6, side.of(8, 24), range.network().octets().to_vec(), range.netmask().octets().to_vec())
            }
        };
        self.require_family(family);
        // Of a range that ends between two bytes no more is loaded than it has.
        let is_in_bytes = range.prefix_len().is_multiple_of(8) && range.prefix_len() != 0;
        let length = if is_in_bytes { usize::from(range.prefix_len() / 8) } else { address.len() };
        let piece = Piece { base: Base::Network, offset, length: u32::try_from(length).unwrap_or_default() };
        self.expressions.push(Expression::Payload(piece, FIRST));
        if !is_in_bytes {
            let xor = vec![0; length];
            self.expressions.push(Expression::Bitwise { from: FIRST, to: FIRST, mask, xor });
        }
        self.compare(comparison, address[..length].to_vec());
    }

    fn destination_port(&mut self, protocol: Protocol, ports: PortRange, is_inverted: bool) {
        self.load_port(protocol, Side::Destination);
        let [first, last] = [ports.first(), ports.last()].map(|port| port.to_be_bytes().to_vec());
        match (first == last, is_inverted) {
            (true, false) => self.compare(Comparison::Equal, first),
            (true, true) => self.compare(Comparison::Unequal, first),
            (false, false) => {
                self.compare(Comparison::GreaterOrEqual, first);
                self.compare(Comparison::LessOrEqual, last);
            }
            (false, true) => self.expressions.push(Expression::Range { register: FIRST, is_inverted, first, last }),
        }
    }

    fn load_port(&mut self, protocol: Protocol, side: Side) {
        self.require_protocol(protocol);
        let piece = Piece { base: Base::Transport, offset: side.of(0, 2), length: 2 };
        self.expressions.push(Expression::Payload(piece, FIRST));
    }

    fn state(&mut self, states: u32) {
        self.expressions.push(Expression::Ct(Ct::State, FIRST));
        self.expressions.push(Expression::Bitwise { from: FIRST, to: FIRST, mask: number(states), xor: number(0) });
        self.compare(Comparison::Unequal, number(0));
    }

    fn owner(&mut self, owner: &Owner, comparison: Comparison) -> Result<(), String> {
        match owner {
            Owner::User(uid) => self.meta(Meta::User, comparison, number(*uid)),
            Owner::Group(Group::Id(gid)) => self.meta(Meta::Group, comparison, number(*gid)),
            Owner::Group(Group::Name(name)) => return Err(name.clone()),
        }
        Ok(())
    }

    fn set_mark(&mut self, mark: u32) {
        self.expressions.push(Expression::Data(FIRST, number(mark)));
        self.expressions.push(Expression::SetMeta(Meta::Mark, FIRST));
    }

    fn meta(&mut self, key: Meta, comparison: Comparison, value: Vec<u8>) {
        self.expressions.push(Expression::Meta(key, FIRST));
        self.compare(comparison, value);
    }

    fn compare(&mut self, comparison: Comparison, value: Vec<u8>) {
        self.expressions.push(Expression::Compare(comparison, FIRST, value));
    }

    fn end(&mut self, verdict: Verdict) {
        self.expressions.push(Expression::Verdict(verdict));
    }
}

/// Which end of a packet's way is asked for.
#[derive(Clone, Copy)]
enum Side {
    Source,
    Destination,
}

impl Side {
    fn of(self, source: u32, destination: u32) -> u32 {
        match self {
            Self::Source => source,
            Self::Destination => destination,
        }
    }
}

fn number(number: u32) -> Vec<u8> {
    number.to_ne_bytes().to_vec()
}

fn padded(interface: &Interface) -> Vec<u8> {
    let mut name = interface.to_string().into_bytes();
    name.resize(INTERFACE_LENGTH, 0);
    name
}

fn protocol_number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
    }
}

#[cfg(test)]
mod tests;
