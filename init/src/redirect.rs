//! What is to be redirected, as rules: one rule set for each table that has any.
//!
//! The order of the rules is that of istio-iptables, since it decides which of two rules wins: exemptions of ports first,
//! then the proxy's own traffic, then groups, DNS, loopback, excluded ranges, included ports, included ranges.

mod mangle;
mod nat;
mod raw;

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use sidecar_contract::address::{INBOUND_SOURCE_V4, INBOUND_SOURCE_V6};

use crate::rule::{Chain, Family, Match, Owner, Position, Protocol, Rule, RuleSet, Table, Target};
use crate::settings::{Capture, DnsCapture};
use crate::value::{Group, Interface, PortRange, Selection};

/// Where name servers listen.
const DNS: PortRange = PortRange::single(53);
/// Words that one multiport match holds; a range takes two (`XT_MULTI_PORTS`).
const MULTIPORT_WORDS: usize = 15;

/// The rules of one address family, table by table: mangle, nat, raw. A table without rules is left out; nat never is.
pub fn rule_sets(capture: &Capture, family: Family) -> Vec<RuleSet> {
    let tables =
        [(Table::Mangle, mangle::rules as fn(&mut Builder<'_>)), (Table::Nat, nat::rules), (Table::Raw, raw::rules)];
    let rule_sets = tables.into_iter().map(|(table, rules)| {
        let mut builder = Builder { capture, family, setting: None, rules: Vec::new() };
        rules(&mut builder);
        RuleSet { family, table, rules: builder.rules }
    });
    rule_sets.filter(|rule_set| !rule_set.rules.is_empty()).collect()
}

/// Rules of one table, while they are made.
struct Builder<'a> {
    capture: &'a Capture,
    family: Family,
    /// What asks for the rules that are being made.
    setting: Option<&'static str>,
    rules: Vec<Rule>,
}

impl Builder<'_> {
    fn append(&mut self, chain: Chain, matches: impl IntoIterator<Item = Match>, target: Target) {
        self.put(chain, Position::Last, matches, target);
    }

    fn insert(&mut self, chain: Chain, place: u16, matches: impl IntoIterator<Item = Match>, target: Target) {
        self.put(chain, Position::At(place), matches, target);
    }

    fn put(&mut self, chain: Chain, position: Position, matches: impl IntoIterator<Item = Match>, target: Target) {
        let matches = matches.into_iter().collect();
        self.rules.push(Rule { setting: self.setting, chain, position, matches, target });
    }

    fn leave_excluded_interfaces_alone(&mut self) {
        self.setting = Some("--istio-exclude-interfaces");
        for interface in &self.capture.excluded_interfaces {
            self.append(Chain::Prerouting, [Match::InInterface(interface.clone())], Target::Return);
            self.append(Chain::Output, [Match::OutInterface(interface.clone())], Target::Return);
        }
    }

    /// What never goes to the proxy where all inbound ports do, or where those of a list do.
    fn leave_inbound_ranges_alone(&mut self) {
        self.setting = Some("--exclude-inbound-cidrs");
        for range in self.of_family(&self.capture.excluded_inbound_ranges) {
            self.append(Chain::Inbound, [Match::Source(range)], Target::Return);
        }
    }

    fn leave_inbound_ports_alone(&mut self) {
        self.setting = Some("--istio-local-exclude-ports");
        for ports in self.ports(Protocol::Tcp, &self.capture.excluded_inbound_ports) {
            self.append(Chain::Inbound, [ports], Target::Return);
        }
    }

    /// What of the inbound traffic goes to the proxy, once what does not is left alone.
    fn captured_inbound(&mut self) -> Vec<Match> {
        self.leave_inbound_ranges_alone();
        let captured = match &self.capture.inbound_ports {
            Selection::Only(ports) => self.ports(Protocol::Tcp, ports),
            Selection::All => {
                self.leave_inbound_ports_alone();
                vec![tcp()]
            }
        };
        self.setting = Some("--istio-inbound-ports");
        captured
    }

    /// Whether any inbound port is redirected.
    fn captures_inbound(&self) -> bool {
        self.capture.inbound_ports != Selection::Only(vec![])
    }

    /// The proxy's users and groups, each with the flag that names it.
    fn proxy_owners(&self) -> Vec<(&'static str, Owner)> {
        let users = self.capture.proxy_uids.iter().map(|uid| ("--proxy-uid", Owner::User(*uid)));
        let groups = self.capture.proxy_gids.iter().map(|gid| ("--proxy-gid", Owner::Group(Group::Id(*gid))));
        users.chain(groups).collect()
    }

    /// A match for each of the ports; with `--compact` one for as many as go into one.
    fn ports(&self, protocol: Protocol, ports: &[PortRange]) -> Vec<Match> {
        if self.capture.is_compact {
            packed(ports).into_iter().map(|ports| several(protocol, ports)).collect()
        } else {
            ports.iter().map(|port| Match::Port(protocol, *port)).collect()
        }
    }

    /// The name servers of this family; `None` where any server counts.
    fn dns_servers(&self) -> Option<Vec<IpNet>> {
        match &self.capture.dns {
            DnsCapture::All => None,
            DnsCapture::Off => Some(vec![]),
            DnsCapture::Servers(servers) => {
                let servers: Vec<IpNet> = servers.iter().copied().map(IpNet::from).collect();
                Some(self.of_family(&servers))
            }
        }
    }

    /// The address from which the proxy dials the application.
    fn marker(&self) -> Match {
        Match::Source(match self.family {
            Family::V4 => IpNet::from(IpAddr::V4(INBOUND_SOURCE_V4)),
            Family::V6 => IpNet::from(IpAddr::V6(INBOUND_SOURCE_V6)),
        })
    }

    fn loopback(&self) -> IpNet {
        match self.family {
            Family::V4 => self.capture.loopback.into(),
            Family::V6 => Ipv6Net::from(Ipv6Addr::LOCALHOST).into(),
        }
    }

    fn of_family(&self, ranges: &[IpNet]) -> Vec<IpNet> {
        ranges.iter().copied().filter(|range| self.family.holds(range)).collect()
    }
}

/// Cuts a list into parts that one multiport match holds each.
fn packed(ports: &[PortRange]) -> Vec<Vec<PortRange>> {
    let (mut parts, mut words) = (Vec::<Vec<PortRange>>::new(), 0);
    for port in ports {
        let more = if port.is_single() { 1 } else { 2 };
        match parts.last_mut() {
            Some(part) if words + more <= MULTIPORT_WORDS => {
                part.push(*port);
                words += more;
            }
            _ => {
                parts.push(vec![*port]);
                words = more;
            }
        }
    }
    parts
}

fn several(protocol: Protocol, ports: Vec<PortRange>) -> Match {
    match ports[..] {
        [port] => Match::Port(protocol, port),
        _ => Match::Ports(protocol, ports),
    }
}

fn tcp() -> Match {
    Match::Protocol(Protocol::Tcp)
}

fn out_of_loopback() -> Match {
    Match::OutInterface(Interface::loopback())
}

#[cfg(test)]
mod tests;
