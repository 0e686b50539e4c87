//! The way of a connection's first packet through rules: what becomes of it, and which rules decide that.

use std::net::{IpAddr, SocketAddr};

use super::Identity;
use crate::rule::{Chain, Match, Owner, Position, Protocol, Rule, RuleSet, Table, Target};
use crate::value::{Group, PortRange};

/// Name of the loopback interface.
pub(crate) const LOOPBACK: &str = "lo";

/// The first packet of a connection that this network namespace opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet<'a> {
    /// Of which protocol.
    pub(crate) protocol: Protocol,
    /// Where it comes from, if that is known beforehand.
    pub(crate) source: Option<IpAddr>,
    /// Where it is sent.
    pub(crate) destination: SocketAddr,
    /// The interface that it leaves through; none is one whose name is not known, other than loopback.
    pub(crate) interface: Option<&'a str>,
    /// Whose socket it comes from.
    pub(crate) identity: Identity,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It goes where it was sent.
    Unchanged,
    /// It goes to this local port.
    Redirected(u16),
    /// It is handed to the transparent socket on this port.
    Handed(u16),
    /// It is dropped.
    Dropped,
    /// That depends on what is not known here, as on the number of a group that is given by name.
    Unknown,
}

/// A way through the rules.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    /// Where it ends.
    pub(crate) fate: Fate,
    /// The rules that lead there, in order.
    pub(crate) rules: Vec<&'a Rule>,
}

/// Follows a packet through the rules of its family.
pub(crate) fn walk<'a>(rule_sets: &'a [RuleSet], packet: Packet<'_>) -> Walk<'a> {
    let mut walker = Walker { rule_sets, packet, is_arriving: false, mark: 0, rules: vec![] };
    let fate = walker.run().unwrap_or(Fate::Unknown);
    Walk { fate, rules: walker.rules }
}

struct Walker<'a, 'p> {
    rule_sets: &'a [RuleSet],
    packet: Packet<'p>,
    /// Whether it has left through loopback and comes in again.
    is_arriving: bool,
    mark: u32,
    rules: Vec<&'a Rule>,
}

/// Something about the packet that a rule asks is not known.
struct Undecidable;

impl<'a> Walker<'a, '_> {
    fn run(&mut self) -> Result<Fate, Undecidable> {
        if self.chain(Table::Mangle, Chain::Output)? == Some(Fate::Dropped) {
            return Ok(Fate::Dropped);
        }
        let marking = self.rules.len();
        if let Some(fate @ Fate::Redirected(_)) = self.chain(Table::Nat, Chain::Output)? {
            self.rules.drain(..marking);
            // What comes in again for loopback's usual address is left to the socket that listens there.
            return Ok(fate);
        }
        // For a packet that comes in again the nat table has decided already.
        self.is_arriving = self.packet.interface == Some(LOOPBACK);
        if self.is_arriving {
            let decided = self.rules.len();
            if let Some(fate) = self.chain(Table::Mangle, Chain::Prerouting)? {
                return Ok(fate);
            }
            self.rules.truncate(decided);
        }
        self.rules.drain(..marking);
        Ok(Fate::Unchanged)
    }

    /// What a chain decides, if anything. Where it does, or where a rule of it says that the packet is to be left
    /// alone, that rule and those that lead to it are noted.
    fn chain(&mut self, table: Table, chain: Chain) -> Result<Option<Fate>, Undecidable> {
        for rule in arranged(self.rule_sets, table, chain) {
            if !self.holds(rule)? {
                continue;
            }
            let noted = self.rules.len();
            self.rules.push(rule);
            match rule.target {
                Target::Return => return Ok(None),
                Target::Accept => return Ok(Some(Fate::Unchanged)),
                Target::Drop => return Ok(Some(Fate::Dropped)),
                Target::Redirect(port) => return Ok(Some(Fate::Redirected(port))),
                Target::Tproxy { port, .. } => return Ok(Some(Fate::Handed(port))),
                Target::SetMark(mark) => self.mark = mark,
                Target::SaveMark | Target::RestoreMark | Target::Zone(_) => self.rules.truncate(noted),
                Target::Jump(next) => {
                    if let Some(fate) = self.chain(table, next)? {
                        return Ok(Some(fate));
                    }
                    if self.rules.len() == noted + 1 {
                        self.rules.truncate(noted);
                    }
                }
            }
        }
        Ok(None)
    }

    fn holds(&self, rule: &Rule) -> Result<bool, Undecidable> {
        let mut is_known = true;
        for condition in &rule.matches {
            match self.fulfils(condition) {
                Some(true) => {}
                Some(false) => return Ok(false),
                None => is_known = false,
            }
        }
        if is_known { Ok(true) } else { Err(Undecidable) }
    }

    fn fulfils(&self, condition: &Match) -> Option<bool> {
        let Packet { protocol, source, destination, interface, .. } = self.packet;
        let goes_to = |of: &Protocol, ports: &[PortRange]| {
            *of == protocol && ports.iter().any(|range| range.overlaps(&PortRange::single(destination.port())))
        };
        Some(match condition {
            Match::InInterface(name) => self.is_arriving && name.to_string() == LOOPBACK,
            Match::OutInterface(_) if self.is_arriving => false,
            Match::OutInterface(name) => match interface {
                Some(interface) => name.to_string() == interface,
                None if name.to_string() == LOOPBACK => false,
                None => return None,
            },
            Match::Source(range) if range.prefix_len() == 0 => true,
            Match::Source(range) => source.is_some_and(|source| range.contains(&source)),
            Match::Destination(range) => range.contains(&destination.ip()),
            Match::NotDestination(range) => !range.contains(&destination.ip()),
            Match::Protocol(of) => *of == protocol,
            Match::Port(of, port) => goes_to(of, &[*port]),
            Match::NotPort(of, port) => *of == protocol && !goes_to(of, &[*port]),
            Match::Ports(of, ports) => goes_to(of, ports),
            Match::NotPorts(of, ports) => *of == protocol && !goes_to(of, ports),
            Match::Mark(mark) => self.mark == *mark,
            Match::NotMark(mark) => self.mark != *mark,
            // An ephemeral port is none that a rule names, and a new connection has no mark and no past.
            Match::SourcePort(..) | Match::ConnectionMark(_) | Match::Established | Match::Untrackable => false,
            Match::Owner(owner) => !self.is_arriving && self.is_of(owner)?,
            Match::NotOwner(owner) => self.is_arriving || !self.is_of(owner)?,
        })
    }

    fn is_of(&self, owner: &Owner) -> Option<bool> {
        match owner {
            Owner::User(uid) => Some(self.packet.identity.uid == *uid),
            Owner::Group(Group::Id(gid)) => Some(self.packet.identity.gid == *gid),
            Owner::Group(Group::Name(_)) => None,
        }
    }
}

/// The rules of a chain in the order in which they are in the kernel once all are written.
fn arranged(rule_sets: &[RuleSet], table: Table, chain: Chain) -> Vec<&Rule> {
    let mut arranged = Vec::new();
    let written = rule_sets.iter().filter(|set| set.table == table).flat_map(|set| &set.rules);
    for rule in written.filter(|rule| rule.chain == chain) {
        match rule.position {
            Position::At(place) => arranged.insert(usize::from(place).saturating_sub(1).min(arranged.len()), rule),
            Position::Last => arranged.push(rule),
        }
    }
    arranged
}
