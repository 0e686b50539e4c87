//! A comparison of what was loaded with a value, as a condition that iptables has words for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::nftables::expression::{Base, Ct, Meta, Piece};
use crate::nftables::xtables::encode::Side;
use crate::nftables::xtables::matches::not;
use crate::nftables::xtables::{Owners, Ports, XtMatch};
use crate::rule::Family;

/// What a register holds.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Meta(Meta),
    Payload(Piece),
    Ct(Ct),
    /// The bits of another that are in the mask.
    Masked(Box<Self>, Vec<u8>),
    Unknown,
}

/// What it is compared with; `true` turns the answer round.
pub(super) enum Test<'a> {
    Equal(&'a [u8], bool),
    UpTo(&'a [u8]),
    Above(&'a [u8]),
    From(&'a [u8]),
    Below(&'a [u8]),
    Within(&'a [u8], &'a [u8], bool),
}

/// Ports, where a condition is about them.
pub(super) type OptionalPorts = Option<Ports>;

/// A condition of iptables. Those that are texts begin with a blank.
pub(super) enum Condition {
    Source(String),
    Destination(String),
    InInterface(String),
    OutInterface(String),
    Protocol(u8, bool),
    Ports(OptionalPorts, OptionalPorts),
    Module(XtMatch),
}

impl Source {
    /// The same with only some bits; no more can be said of one that was changed in another way.
    pub(super) fn masked(self, mask: &[u8], xor: &[u8]) -> Option<Self> {
        let is_plain = xor.iter().all(|byte| *byte == 0) && !matches!(self, Self::Masked(..) | Self::Unknown);
        is_plain.then(|| Self::Masked(Box::new(self), mask.to_vec()))
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Meta(meta) => format!("meta {}", meta.number()),
            Self::Ct(ct) => format!("ct {}", ct.number()),
            Self::Payload(Piece { base, offset, length }) => format!("payload {} {offset} {length}", base.number()),
            Self::Masked(inner, _) => inner.name(),
            Self::Unknown => "cmp".to_owned(),
        }
    }
}

impl Condition {
    pub(super) fn of(source: &Source, test: &Test<'_>, family: Family) -> Option<Self> {
        let (inner, mask) = match source {
            Source::Masked(inner, mask) => (&**inner, Some(&**mask)),
            _ => (source, None),
        };
        match inner {
            Source::Meta(meta) => of_meta(*meta, mask, test),
            Source::Ct(ct) => of_ct(*ct, mask, test),
            Source::Payload(piece) => of_payload(*piece, mask, test, family),
            Source::Masked(..) | Source::Unknown => None,
        }
    }
}

fn of_meta(meta: Meta, mask: Option<&[u8]>, test: &Test<'_>) -> Option<Condition> {
    if meta == Meta::Mark {
        let Test::Equal(value, inverted) = test else { return None };
        return Some(Condition::Module(XtMatch::Mark(number(value)?, mask.map_or(Some(u32::MAX), number)?, *inverted)));
    }
    if mask.is_some() {
        return None;
    }
    match (meta, test) {
        (Meta::InInterface, Test::Equal(name, inverted)) => {
            Some(Condition::InInterface(interface("-i", name, *inverted)?))
        }
        (Meta::OutInterface, Test::Equal(name, inverted)) => {
            Some(Condition::OutInterface(interface("-o", name, *inverted)?))
        }
        (Meta::Protocol, Test::Equal([protocol], inverted)) => Some(Condition::Protocol(*protocol, *inverted)),
        (Meta::User, _) => {
            Some(Condition::Module(XtMatch::Owner(Owners { user: Some(ids(test)?), ..Owners::default() })))
        }
        (Meta::Group, _) => {
            Some(Condition::Module(XtMatch::Owner(Owners { group: Some(ids(test)?), ..Owners::default() })))
        }
        _ => None,
    }
}

fn of_ct(ct: Ct, mask: Option<&[u8]>, test: &Test<'_>) -> Option<Condition> {
    let Test::Equal(value, differs) = test else { return None };
    match (ct, mask) {
        (Ct::Mark, _) => {
            let mask = mask.map_or(Some(u32::MAX), number)?;
            Some(Condition::Module(XtMatch::ConnectionMark(number(value)?, mask, *differs)))
        }
        // One of several bits is set where what is left is not zero.
        (Ct::State, Some(mask)) if number(value)? == 0 => {
            let states = u16::try_from(number(mask)?).ok().filter(|states| *states & !KNOWN_STATES == 0)?;
            Some(Condition::Module(XtMatch::State(states, !differs)))
        }
        _ => None,
    }
}

/// The states for which nf_tables and iptables have the same bits.
const KNOWN_STATES: u16 = 0x4f;

fn of_payload(piece: Piece, mask: Option<&[u8]>, test: &Test<'_>, family: Family) -> Option<Condition> {
    match piece {
        Piece { base: Base::Transport, offset, length } if mask.is_none() => of_ports(offset, length, test),
        Piece { base: Base::Network, offset, length } => {
            let Test::Equal(value, inverted) = test else { return None };
            let protocol_offset = if family == Family::V4 { 9 } else { 6 };
            if let (true, 1, [protocol], None) = (offset == protocol_offset, length, *value, mask) {
                return Some(Condition::Protocol(*protocol, *inverted));
            }
            let side = [Side::Source, Side::Destination].into_iter().find(|side| side.offset(family) == offset)?;
            let whole = vec![u8::MAX; usize::try_from(length).ok().filter(|length| *length <= 16)?];
            let range = range(value, mask.unwrap_or(&whole), family)?;
            let not = not(*inverted);
            Some(match side {
                Side::Source => Condition::Source(format!("{not} -s {range}")),
                Side::Destination => Condition::Destination(format!("{not} -d {range}")),
            })
        }
        Piece { .. } => None,
    }
}

fn of_ports(offset: u32, length: u32, test: &Test<'_>) -> Option<Condition> {
    let port = |bytes: &[u8]| bytes.try_into().ok().map(u16::from_be_bytes);
    if let (0, 4, Test::Equal(value, false)) = (offset, length, test) {
        let (source, destination) = (port(value.get(..2)?)?, port(value.get(2..)?)?);
        return Some(Condition::Ports(
            Some(Ports(source, source, false)),
            Some(Ports(destination, destination, false)),
        ));
    }
    let ports = match test {
        Test::Equal(value, inverted) => Ports(port(value)?, port(value)?, *inverted),
        Test::UpTo(value) => Ports(0, port(value)?, false),
        // So iptables prints what it was given as not from 0 on.
        Test::Above(value) => Ports(port(value)?.checked_add(1)?, u16::MAX, false),
        Test::From(value) => Ports(port(value)?, u16::MAX, false),
        Test::Below(value) => Ports(0, port(value)?.checked_sub(1)?, false),
        Test::Within(first, last, inverted) => Ports(port(first)?, port(last)?, *inverted),
    };
    match (offset, length) {
        (0, 2) => Some(Condition::Ports(Some(ports), None)),
        (2, 2) => Some(Condition::Ports(None, Some(ports))),
        _ => None,
    }
}

/// A range from the first bytes of its address and mask.
fn range(value: &[u8], mask: &[u8], family: Family) -> Option<IpNet> {
    let whole = |bytes: &[u8]| {
        Some(match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(filled::<4>(bytes)?)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(filled::<16>(bytes)?)),
        })
    };
    if value.len() != mask.len() {
        return None;
    }
    // A mask with holes is none that a prefix can stand for.
    let range = IpNet::with_netmask(whole(value)?, whole(mask)?).ok()?;
    (range.trunc() == range).then_some(range)
}

fn filled<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut filled = [0; N];
    filled.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(filled)
}

/// Without the zero at its end, it is the beginning of a name.
fn interface(flag: &str, value: &[u8], is_inverted: bool) -> Option<String> {
    let end = value.iter().position(|byte| *byte == 0);
    let is_beginning = end.is_none() && value.len() < 16;
    let (name, rest) = value.split_at(end.unwrap_or(value.len()));
    let name = str::from_utf8(name).ok().filter(|name| name.chars().all(|c| c.is_ascii_graphic() && c != '"'))?;
    let is_clean = rest.iter().all(|byte| *byte == 0) && (!name.is_empty() || is_beginning);
    is_clean.then(|| format!("{} {flag} {name}{}", not(is_inverted), if is_beginning { "+" } else { "" }))
}

/// Numbers of users and groups, which nf_tables compares as big-endian in ranges.
fn ids(test: &Test<'_>) -> Option<(u32, u32, bool)> {
    match test {
        Test::Equal(value, inverted) => Some((number(value)?, number(value)?, *inverted)),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}
