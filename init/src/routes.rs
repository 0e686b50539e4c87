//! What routing has to know for the redirection: the address from which the proxy dials the application over IPv6, and
//! for TPROXY that marked packets are delivered here, whatever their destination.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteProtocol, RouteScope, RouteType};
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleFlags, RuleMessage};
use sidecar_contract::address::INBOUND_SOURCE_V6;

use crate::diagnosis;
use crate::rtnetlink::Rtnetlink;
use crate::rule::Family;

mod tables;

use tables::Tables;

/// The kernel gives `lo` this index in every network namespace (`LOOPBACK_IFINDEX`).
const LOOPBACK_INDEX: u32 = 1;
/// Who has made a rule, as the kernel notes it: nobody in particular with `ip rule`, the kernel itself with ours. `ip rule`
/// shows neither, and what manages the routing of a machine leaves the kernel's rules alone.
const OUR_SIGN: RouteProtocol = RouteProtocol::Kernel;
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
    /// Those of them that bear our sign.
    pub signed: Vec<(Family, Policy, u32)>,
    /// The tables in which there is our route.
    pub tables: Vec<(Family, u32)>,
    /// The tables in which it is missing, or without effect, for another default route.
    pub taken: Vec<(Family, u32)>,
}

/// Routing could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("cannot read the addresses, rules and routes of this network namespace")]
    Read(#[source] io::Error),
    /// Somebody else uses the table.
    #[error(
        "table {1} of the {0} routing has a default route of somebody else (`ip {flag} route show table {1}`), while all \
         that is for the proxy has to stay here; name another table with --istio-inbound-tproxy-route-table (-r)",
        flag = flag(*.0)
    )]
    Taken(Family, u32),
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
                .flat_map(move |family| [Entry::Rule(*family, policy, None), Entry::Route(*family, policy.table)])
        });
        // A route says nothing about who has made it. So it comes after its rule, and goes before it, and is never there
        // alone: with an empty table, a packet goes the way that it would go without the rule.
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

    /// Whether the tables that are wanted are free for our routes.
    ///
    /// # Errors
    /// When somebody else uses one.
    pub fn check(&self, wanted: &Wanted) -> Result<(), Error> {
        let tables =
            wanted.policy.into_iter().flat_map(|policy| wanted.families.iter().map(move |of| (*of, policy.table)));
        let mut taken = tables.filter(|table| self.taken.contains(table));
        taken.next().map_or(Ok(()), |(family, table)| Err(Error::Taken(family, table)))
    }

    /// What is wanted and missing, in the order in which it is to be added.
    pub fn missing(&self, wanted: &Wanted) -> Vec<Entry> {
        wanted.entries().into_iter().filter(|entry| self.count(*entry) == 0).collect()
    }

    /// What is ours and not wanted, in the order in which it is to be removed: rules that are there more than once,
    /// rules for any of `marks`, our routes in the tables of these, and with `has_address` the address.
    ///
    /// A rule is ours if it bears our sign. One that Istio has made bears none: it is ours if rules of ours in a backend use
    /// its mark, and it is the one of `settings` or its table holds our route.
    pub fn surplus(&self, wanted: &Wanted, settings: Policy, marks: &BTreeSet<u32>, has_address: bool) -> Vec<Entry> {
        let entries = wanted.entries();
        let is_wanted = |family, policy| entries.contains(&Entry::Rule(family, policy, None));
        let is_looked_up =
            |family, table| wanted.policy.is_some_and(|policy| policy.table == table && is_wanted(family, policy));
        let (mut rules, mut abandoned) = (Vec::new(), Vec::new());
        for (at, rule) in self.rules.iter().enumerate() {
            let (family, policy, preference) = *rule;
            let route = (family, policy.table);
            let is_known = policy == settings || self.tables.contains(&route);
            let is_ours = self.signed.contains(rule) || marks.contains(&policy.mark) && is_known;
            let is_double = self.rules[..at].iter().any(|(of, other, _)| (*of, *other) == (family, policy));
            if is_ours && (is_double || !is_wanted(family, policy)) {
                rules.push(Entry::Rule(family, policy, Some(preference)));
                abandoned.push(route);
            }
        }
        let mut surplus = Vec::new();
        for route @ (family, table) in &self.tables {
            let is_of_settings = *table == settings.table && marks.contains(&settings.mark);
            if (is_of_settings || abandoned.contains(route)) && !is_looked_up(*family, *table) {
                surplus.push(Entry::Route(*family, *table));
            }
        }
        surplus.extend(rules);
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
/// When the kernel does not answer. One without IPv6, or without rules of routing, has none.
pub fn read(kernel: &Rtnetlink) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::default();
    let addresses = kernel.dump(&AddressMessage::default()).map_err(Error::Read)?;
    snapshot.addresses = addresses.into_iter().filter_map(address).collect();
    for family in [Family::V4, Family::V6] {
        let mut all = RuleMessage::default();
        all.header.family = address_family(family);
        for (rule, is_signed) in listed(kernel.dump(&all))?.into_iter().filter_map(|rule| policy_rule(family, rule)) {
            snapshot.rules.push(rule);
            snapshot.signed.extend(is_signed.then_some(rule));
        }
        let tables = tables(kernel, family)?;
        snapshot.tables.extend(tables.ours.into_iter().map(|table| (family, table)));
        snapshot.taken.extend(tables.taken.into_iter().map(|table| (family, table)));
    }
    Ok(snapshot)
}

fn tables(kernel: &Rtnetlink, family: Family) -> Result<Tables, Error> {
    let mut all = RouteMessage::default();
    all.header.address_family = address_family(family);
    Ok(Tables::of(family, &listed(kernel.dump(&all))?))
}

/// What the kernel lists; nothing, if it knows no such list.
fn listed<T>(dumped: io::Result<Vec<T>>) -> Result<Vec<T>, Error> {
    match dumped {
        Err(error) if matches!(error.raw_os_error(), Some(NO_SUCH_LIST | NO_SUCH_FAMILY)) => Ok(vec![]),
        other => other.map_err(Error::Read),
    }
}

/// Adds what is not there; that it is there already is fine.
///
/// # Errors
/// When the kernel refuses, as it does without NET_ADMIN or where IPv6 is switched off; and when somebody else uses the
/// table.
pub fn add(kernel: &Rtnetlink, entry: Entry) -> Result<(), Error> {
    let added = match entry {
        Entry::Address(address) => kernel.add(&address_message(address), NLM_F_CREATE | NLM_F_EXCL),
        Entry::Rule(family, policy, preference) => {
            let mut rule = rule_message(family, policy, preference);
            rule.attributes.push(RuleAttribute::Protocol(OUR_SIGN));
            kernel.add(&rule, NLM_F_CREATE | NLM_F_EXCL)
        }
        Entry::Route(family, table) => kernel.add(&route_message(family, table), NLM_F_CREATE | NLM_F_EXCL),
    };
    match added {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match entry {
            // Of the routes that a table may have to the same destination, the kernel does not say which is there.
            Entry::Route(family, table) if !tables(kernel, family)?.ours.contains(&table) => {
                Err(Error::Taken(family, table))
            }
            _ => Ok(()),
        },
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
/// `EOPNOTSUPP` and `EAFNOSUPPORT`: what a kernel says that was built without rules of routing, or has no IPv6.
const NO_SUCH_LIST: i32 = 95;
const NO_SUCH_FAMILY: i32 = 97;

fn advice(entry: &Entry) -> String {
    let family = entry.family();
    let needed = match (entry, family) {
        (Entry::Address(_), _) => "and lo needs IPv6",
        (_, Family::V4) => "and the kernel CONFIG_IP_MULTIPLE_TABLES",
        (_, Family::V6) => "and the kernel CONFIG_IPV6_MULTIPLE_TABLES",
    };
    format!("; the container needs the capability NET_ADMIN, {needed}{}", diagnosis::way_out(family))
}

/// By which `ip` knows a family.
fn flag(family: Family) -> &'static str {
    match family {
        Family::V4 => "-4",
        Family::V6 => "-6",
    }
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

/// Without our sign: Istio's rules, which are removed too, bear none.
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

/// A rule that says nothing but which mark looks up which table, and whether it bears our sign.
fn policy_rule(family: Family, rule: RuleMessage) -> Option<((Family, Policy, u32), bool)> {
    let header = &rule.header;
    let is_plain = header.family == address_family(family)
        && (header.dst_len, header.src_len, header.tos, header.action) == (0, 0, 0, RuleAction::ToTable)
        && !header.flags.contains(RuleFlags::Invert);
    let (mut mark, mut mask, mut table, mut preference) = (None, u32::MAX, u32::from(header.table), 0);
    let mut is_signed = false;
    for attribute in &rule.attributes {
        match attribute {
            RuleAttribute::FwMark(value) => mark = Some(*value),
            RuleAttribute::FwMask(value) => mask = *value,
            RuleAttribute::Table(value) => table = *value,
            RuleAttribute::Priority(value) => preference = *value,
            RuleAttribute::Protocol(maker) => is_signed = *maker == OUR_SIGN,
            // Said of every rule.
            RuleAttribute::SuppressPrefixLen(u32::MAX) => {}
            _ => return None,
        }
    }
    (is_plain && mask == u32::MAX).then_some(((family, Policy { mark: mark?, table }, preference), is_signed))
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
        let flag = flag(self.family());
        match self {
            Self::Address(address) => write!(f, "ip -6 address {address}/128 dev lo"),
            Self::Rule(_, Policy { mark, table }, _) => write!(f, "ip {flag} rule fwmark {mark:#x} lookup {table}"),
            Self::Route(_, table) => write!(f, "ip {flag} route local default dev lo table {table}"),
        }
    }
}

#[cfg(test)]
mod tests;
