//! What routing has to know for the redirection: the address from which the proxy dials the application over IPv6, and
//! for TPROXY that marked packets are delivered here, whatever their destination.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use sidecar_contract::address::INBOUND_SOURCE_V6;

use crate::diagnosis;
use crate::rtnetlink::Rtnetlink;
use crate::rule::Family;

/// The kernel gives `lo` this index in every network namespace (`LOOPBACK_IFINDEX`).
const LOOPBACK_INDEX: u32 = 1;
/// A table whose number does not fit the header's byte has this there (`RT_TABLE_COMPAT`).
const TABLE_IN_ATTRIBUTE: u8 = 252;

/// Packets with this mark look their destination up in this table, where everything is local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The mark.
    pub mark: u32,
    /// The table.
    pub table: u32,
}

/// What is wanted of routing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// For these families.
    pub families: Vec<Family>,
    /// For TPROXY.
    pub policy: Option<Policy>,
}

/// One thing that we add to routing. Displays as `ip` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The proxy's source address, on `lo`.
    Address(Ipv6Addr),
    /// The rule that sends packets with a mark to a table. There may be several, which their preference tells apart; one
    /// that is to be added has none yet.
    Rule(Family, Policy, Option<u32>),
    /// The route in that table.
    Route(Family, u32),
}

/// What routing has that is, or may be, ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// All addresses of the network namespace, and whether they are on `lo`.
    pub addresses: Vec<(IpAddr, bool)>,
    /// The rules that do nothing but send packets with a mark to a table, with their preference.
    pub rules: Vec<(Family, Policy, u32)>,
    /// The tables in which there is nothing but a route to here.
    pub tables: Vec<(Family, u32)>,
}

/// Routing could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("cannot read the addresses, rules and routes of this network namespace")]
    Read(#[source] io::Error),
    /// The kernel refused a change.
    #[error("cannot {verb} `{entry}`{}", advice(.entry))]
    Change {
        /// `add` or `remove`.
        verb: &'static str,
        /// What was to be added or removed.
        entry: Entry,
        /// Why it was not.
        #[source]
        source: io::Error,
    },
}

impl Policy {
    /// Istio's.
    pub const DEFAULT: Self = Self { mark: 1337, table: 133 };
}

impl Wanted {
    fn entries(&self) -> Vec<Entry> {
        let address = self.families.contains(&Family::V6).then_some(Entry::Address(INBOUND_SOURCE_V6));
        let of_policy = self.policy.into_iter().flat_map(|policy| {
            self.families
                .iter()
                .flat_map(move |family| [Entry::Route(*family, policy.table), Entry::Rule(*family, policy, None)])
        });
        // A packet must not be sent to a table that is still empty, so the route comes before the rule.
        address.into_iter().chain(of_policy).collect()
    }
}

impl Snapshot {
    /// Whether the network namespace has addresses of a family that are of any use: beyond its link.
    pub fn has_family(&self, family: Family) -> bool {
        self.addresses.iter().any(|(address, _)| match address {
            IpAddr::V4(_) => family == Family::V4,
            IpAddr::V6(address) => family == Family::V6 && !address.is_unicast_link_local(),
        })
    }

    /// What is wanted and missing, in the order in which it is to be added.
    pub fn missing(&self, wanted: &Wanted) -> Vec<Entry> {
        wanted.entries().into_iter().filter(|entry| self.count(*entry) == 0).collect()
    }

    /// What is ours and not wanted, in the order in which it is to be removed: rules that are there more than once,
    /// rules for any of `marks`, the tables of these, and with `has_address` the address.
    ///
    /// A rule is ours if it is the one of `settings`, or if its mark is and its table holds our route and nothing else.
    pub fn surplus(&self, wanted: &Wanted, settings: Policy, marks: &BTreeSet<u32>, has_address: bool) -> Vec<Entry> {
        let entries = wanted.entries();
        let is_wanted = |family, policy| entries.contains(&Entry::Rule(family, policy, None));
        let is_looked_up =
            |family, table| wanted.policy.is_some_and(|policy| policy.table == table && is_wanted(family, policy));
        let mut surplus = Vec::new();
        let mut abandoned = Vec::new();
        for (at, (family, policy, preference)) in self.rules.iter().enumerate() {
            let route = (*family, policy.table);
            let is_ours = *policy == settings || marks.contains(&policy.mark) && self.tables.contains(&route);
            let is_double = self.rules[..at].iter().any(|(of, other, _)| (of, other) == (family, policy));
            if is_ours && (is_double || !is_wanted(*family, *policy)) {
                surplus.push(Entry::Rule(*family, *policy, Some(*preference)));
                abandoned.push(route);
            }
        }
        for (family, table) in &self.tables {
            let is_ours = *table == settings.table || abandoned.contains(&(*family, *table));
            if is_ours && !is_looked_up(*family, *table) {
                surplus.push(Entry::Route(*family, *table));
            }
        }
        let address = Entry::Address(INBOUND_SOURCE_V6);
        if has_address && !entries.contains(&address) && self.count(address) > 0 {
            surplus.push(address);
        }
        surplus
    }

    fn count(&self, entry: Entry) -> usize {
        match entry {
            Entry::Address(address) => self.addresses.iter().filter(|found| **found == (address.into(), true)).count(),
            Entry::Rule(family, policy, _) => {
                self.rules.iter().filter(|(of, found, _)| (*of, *found) == (family, policy)).count()
            }
            Entry::Route(family, table) => self.tables.iter().filter(|found| **found == (family, table)).count(),
        }
    }
}

/// Reads what there is.
///
/// # Errors
/// When the kernel does not answer. A kernel without IPv6, or without rules of routing, has none.
pub fn read(kernel: &Rtnetlink) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::default();
    let addresses = kernel.dump(&AddressMessage::default()).map_err(Error::Read)?;
    snapshot.addresses = addresses.into_iter().filter_map(address).collect();
    for family in [Family::V4, Family::V6] {
        let mut all = RuleMessage::default();
        all.header.family = address_family(family);
        let rules = kernel.dump(&all).unwrap_or_default();
        snapshot.rules.extend(rules.into_iter().filter_map(|rule| policy_rule(family, rule)));
        let mut all = RouteMessage::default();
        all.header.address_family = address_family(family);
        let routes = kernel.dump(&all).unwrap_or_default();
        snapshot.tables.extend(tables_of_local_routes(family, routes));
    }
    Ok(snapshot)
}

/// Adds what is not there; that it is there already is fine.
///
/// # Errors
/// When the kernel refuses, as it does without NET_ADMIN or where IPv6 is switched off.
pub fn add(kernel: &Rtnetlink, entry: Entry) -> Result<(), Error> {
    let added = match entry {
        Entry::Address(address) => kernel.add(&address_message(address), NLM_F_CREATE | NLM_F_EXCL),
        Entry::Rule(family, policy, preference) => {
            kernel.add(&rule_message(family, policy, preference), NLM_F_CREATE | NLM_F_EXCL)
        }
        Entry::Route(family, table) => kernel.add(&route_message(family, table), NLM_F_CREATE | NLM_F_REPLACE),
    };
    match added {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map_err(|source| Error::Change { verb: "add", entry, source }),
    }
}

/// Removes what is there; that it is gone already is fine.
///
/// # Errors
/// When the kernel refuses.
pub fn remove(kernel: &Rtnetlink, entry: Entry) -> Result<(), Error> {
    let removed = match entry {
        Entry::Address(address) => kernel.remove(&address_message(address)),
        Entry::Rule(family, policy, preference) => kernel.remove(&rule_message(family, policy, preference)),
        Entry::Route(family, table) => kernel.remove(&route_message(family, table)),
    };
    match removed {
        Err(error) if matches!(error.raw_os_error(), Some(NO_ENTRY | NO_SUCH_ROUTE | NO_SUCH_ADDRESS)) => Ok(()),
        other => other.map_err(|source| Error::Change { verb: "remove", entry, source }),
    }
}

/// `ENOENT`, `ESRCH` and `EADDRNOTAVAIL`: what the kernel says of a rule, a route and an address that are not there.
const NO_ENTRY: i32 = 2;
const NO_SUCH_ROUTE: i32 = 3;
const NO_SUCH_ADDRESS: i32 = 99;

fn advice(entry: &Entry) -> String {
    let family = entry.family();
    let needed = match (entry, family) {
        (Entry::Address(_), _) => "and lo needs IPv6",
        (_, Family::V4) => "and the kernel CONFIG_IP_MULTIPLE_TABLES",
        (_, Family::V6) => "and the kernel CONFIG_IPV6_MULTIPLE_TABLES",
    };
    format!("; the container needs the capability NET_ADMIN, {needed}{}", diagnosis::way_out(family))
}

fn address_family(family: Family) -> AddressFamily {
    match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    }
}

fn address_message(address: Ipv6Addr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet6;
    message.header.prefix_len = 128;
    message.header.scope = AddressScope::Universe;
    // It is in use at once: there is nobody on lo who could have it too.
    message.header.flags = AddressHeaderFlags::Nodad;
    message.header.index = LOOPBACK_INDEX;
    message.attributes = vec![AddressAttribute::Address(IpAddr::V6(address))];
    message
}

fn rule_message(family: Family, policy: Policy, preference: Option<u32>) -> RuleMessage {
    let mut message = RuleMessage::default();
    message.header.family = address_family(family);
    message.header.action = RuleAction::ToTable;
    message.header.table = u8::try_from(policy.table).unwrap_or(TABLE_IN_ATTRIBUTE);
    message.attributes =
        vec![RuleAttribute::FwMark(policy.mark), RuleAttribute::FwMask(u32::MAX), RuleAttribute::Table(policy.table)];
    message.attributes.extend(preference.map(RuleAttribute::Priority));
    message
}

fn route_message(family: Family, table: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = address_family(family);
    message.header.table = u8::try_from(table).unwrap_or(TABLE_IN_ATTRIBUTE);
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Host;
    message.header.kind = RouteType::Local;
    message.attributes = vec![RouteAttribute::Table(table), RouteAttribute::Oif(LOOPBACK_INDEX)];
    message
}

fn address(message: AddressMessage) -> Option<(IpAddr, bool)> {
    let mut addresses = message.attributes.iter();
    let address = addresses.find_map(|attribute| match attribute {
        AddressAttribute::Address(address) => Some(*address),
        _ => None,
    })?;
    Some((address, message.header.index == LOOPBACK_INDEX))
}

/// A rule that says nothing but which mark looks up which table.
fn policy_rule(family: Family, rule: RuleMessage) -> Option<(Family, Policy, u32)> {
    let header = &rule.header;
    let is_plain = header.family == address_family(family)
        && (header.dst_len, header.src_len, header.tos, header.action) == (0, 0, 0, RuleAction::ToTable)
        && !header.flags.contains(RuleFlags::Invert);
    let (mut mark, mut mask, mut table, mut preference) = (None, u32::MAX, u32::from(header.table), 0);
    for attribute in &rule.attributes {
        match attribute {
            RuleAttribute::FwMark(value) => mark = Some(*value),
            RuleAttribute::FwMask(value) => mask = *value,
            RuleAttribute::Table(value) => table = *value,
            RuleAttribute::Priority(value) => preference = *value,
            // Said of every rule, or of how it came about.
            RuleAttribute::SuppressPrefixLen(u32::MAX) | RuleAttribute::Protocol(_) => {}
            _ => return None,
        }
    }
    (is_plain && mask == u32::MAX).then_some((family, Policy { mark: mark?, table }, preference))
}

/// The tables with our route and no other.
fn tables_of_local_routes(family: Family, routes: Vec<RouteMessage>) -> Vec<(Family, u32)> {
    let mut ours: Vec<(u32, bool)> = Vec::new();
    for route in routes {
        if route.header.address_family != address_family(family) {
            continue;
        }
        let (table, is_ours) = local_route(&route);
        match ours.iter_mut().find(|(known, _)| *known == table) {
            Some((_, all)) => *all = false,
            None => ours.push((table, is_ours)),
        }
    }
    ours.into_iter().filter(|(_, is_ours)| *is_ours).map(|(table, _)| (family, table)).collect()
}

/// The table that a route is in, and whether it is `local default dev lo`.
fn local_route(route: &RouteMessage) -> (u32, bool) {
    let mut table = u32::from(route.header.table);
    let mut is_on_loopback = false;
    let mut has_way = false;
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Table(value) => table = *value,
            RouteAttribute::Oif(index) => is_on_loopback = *index == LOOPBACK_INDEX,
            RouteAttribute::Gateway(_) | RouteAttribute::Via(_) | RouteAttribute::MultiPath(_) => has_way = true,
            _ => {}
        }
    }
    let is_default = route.header.kind == RouteType::Local && route.header.destination_prefix_length == 0;
    (table, is_default && is_on_loopback && !has_way)
}

impl Entry {
    fn family(&self) -> Family {
        match self {
            Self::Address(_) => Family::V6,
            Self::Rule(family, ..) | Self::Route(family, _) => *family,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = match self.family() {
            Family::V4 => "-4",
            Family::V6 => "-6",
        };
        match self {
            Self::Address(address) => write!(f, "ip -6 address {address}/128 dev lo"),
            Self::Rule(_, Policy { mark, table }, _) => write!(f, "ip {flag} rule fwmark {mark:#x} lookup {table}"),
            Self::Route(_, table) => write!(f, "ip {flag} route local default dev lo table {table}"),
        }
    }
}

#[cfg(test)]
mod tests;
