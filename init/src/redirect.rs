//! What is to be redirected, as rules.
//!
//! The order of the rules is that of istio-iptables, since it decides which of two rules wins: exemptions of ports first,
//! then the proxy's own traffic, then groups, loopback, excluded ranges, included ports, included ranges.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};
use sidecar_contract::address::{INBOUND_SOURCE_V4, INBOUND_SOURCE_V6};

use crate::rule::{Chain, Family, Match, Owner, Position, Protocol, Rule, RuleSet, Table, Target};
use crate::settings::Capture;
use crate::value::{Group, Interface, PortRange, Selection};

/// The rules of the nat table for one address family.
pub fn nat(capture: &Capture, family: Family) -> RuleSet {
    let mut builder = Builder { capture, family, setting: None, rules: Vec::new() };
    builder.leave_interfaces_alone();
    builder.send_to_proxy();
    builder.select_inbound();
    builder.exempt_outbound_ports();
    builder.exempt_proxy();
    builder.select_owner_groups();
    builder.select_destinations();
    RuleSet { family, table: Table::Nat, rules: builder.rules }
}

struct Builder<'a> {
    capture: &'a Capture,
    family: Family,
    /// What asks for the rules that are being made.
    setting: Option<&'static str>,
    rules: Vec<Rule>,
}

impl Builder<'_> {
    fn leave_interfaces_alone(&mut self) {
        self.setting = Some("--istio-exclude-interfaces");
        for interface in &self.capture.excluded_interfaces {
            self.append(Chain::Prerouting, [Match::InInterface(interface.clone())], Target::Return);
            self.append(Chain::Output, [Match::OutInterface(interface.clone())], Target::Return);
        }
        self.setting = Some("--kube-virt-interfaces");
        // A virtual machine's traffic must not be taken for traffic to the pod; see `select_destinations` for the rest.
        for interface in &self.capture.kube_virt_interfaces {
            self.insert(Chain::Prerouting, [Match::InInterface(interface.clone())], Target::Return);
        }
    }

    fn send_to_proxy(&mut self) {
        let Capture { outbound_port, inbound_port, tunnel_port, .. } = *self.capture;
        self.setting = Some("--inbound-tunnel-port");
        self.append(Chain::Inbound, [to_port(PortRange::single(tunnel_port))], Target::Return);
        self.setting = Some("--envoy-port");
        self.append(Chain::Redirect, [Match::Protocol(Protocol::Tcp)], Target::Redirect(outbound_port));
        self.setting = Some("--inbound-capture-port");
        self.append(Chain::InRedirect, [Match::Protocol(Protocol::Tcp)], Target::Redirect(inbound_port));
    }

    fn select_inbound(&mut self) {
        let capture = self.capture;
        let tcp = Match::Protocol(Protocol::Tcp);
        self.setting = Some("--istio-inbound-ports");
        match &capture.inbound_ports {
            Selection::Only(ports) if ports.is_empty() => {}
            Selection::Only(ports) => {
                self.append(Chain::Prerouting, [tcp], Target::Jump(Chain::Inbound));
                for port in ports {
                    self.append(Chain::Inbound, [to_port(*port)], Target::Jump(Chain::InRedirect));
                }
            }
            Selection::All => {
                self.append(Chain::Prerouting, [tcp.clone()], Target::Jump(Chain::Inbound));
                self.setting = Some("--istio-local-exclude-ports");
                for port in &capture.excluded_inbound_ports {
                    self.append(Chain::Inbound, [to_port(*port)], Target::Return);
                }
                self.setting = Some("--istio-inbound-ports");
                self.append(Chain::Inbound, [tcp], Target::Jump(Chain::InRedirect));
            }
        }
    }

    fn exempt_outbound_ports(&mut self) {
        self.setting = None;
        self.append(Chain::Output, [], Target::Jump(Chain::Outbound));
        self.setting = Some("--istio-local-outbound-ports-exclude");
        for port in &self.capture.excluded_outbound_ports {
            self.append(Chain::Outbound, [to_port(*port)], Target::Return);
            self.append(Chain::Outbound, [Match::Port(Protocol::Udp, *port)], Target::Return);
        }
    }

    /// The proxy's connections pass, or they would come back to it for ever. Three kinds stay on loopback: to the
    /// application (from the marker address, passes), to the pod's own address (goes through the inbound half), and
    /// the application's to itself (passes).
    fn exempt_proxy(&mut self) {
        let marker = match self.family {
            Family::V4 => IpNet::from(IpAddr::V4(INBOUND_SOURCE_V4)),
            Family::V6 => IpNet::from(IpAddr::V6(INBOUND_SOURCE_V6)),
        };
        self.setting = None;
        self.append(Chain::Outbound, [out_of_loopback(), Match::Source(marker)], Target::Return);
        let users = self.capture.proxy_uids.iter().map(|uid| Owner::User(*uid));
        let groups = self.capture.proxy_gids.iter().map(|gid| Owner::Group(Group::Id(*gid)));
        for owner in users.chain(groups) {
            self.setting = Some(if matches!(owner, Owner::User(_)) { "--proxy-uid" } else { "--proxy-gid" });
            let to_itself = [
                out_of_loopback(),
                Match::NotDestination(self.loopback()),
                Match::NotPort(Protocol::Tcp, PortRange::single(self.capture.tunnel_port)),
                Match::Owner(owner.clone()),
            ];
            self.append(Chain::Outbound, to_itself, Target::Jump(Chain::InRedirect));
            // A loopback address among the included ranges asks for exactly what this rule would let pass.
            if !self.includes_loopback() {
                let by_others = [out_of_loopback(), Match::NotOwner(owner.clone())];
                self.append(Chain::Outbound, by_others, Target::Return);
            }
            self.append(Chain::Outbound, [Match::Owner(owner)], Target::Return);
        }
    }

    fn select_owner_groups(&mut self) {
        match &self.capture.owner_groups {
            Selection::All => {
                self.setting = Some("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE");
                for group in &self.capture.excluded_owner_groups {
                    self.append(Chain::Outbound, [Match::Owner(Owner::Group(group.clone()))], Target::Return);
                }
            }
            Selection::Only(groups) => {
                self.setting = Some("ISTIO_OUTBOUND_OWNER_GROUPS");
                let in_none = groups.iter().map(|group| Match::NotOwner(Owner::Group(group.clone())));
                self.append(Chain::Outbound, in_none, Target::Return);
            }
        }
    }

    fn select_destinations(&mut self) {
        let capture = self.capture;
        self.setting = Some("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR");
        self.append(Chain::Outbound, [Match::Destination(self.loopback())], Target::Return);
        self.setting = Some("--istio-service-exclude-cidr");
        for range in self.of_family(&capture.excluded_outbound_ranges) {
            self.append(Chain::Outbound, [Match::Destination(range)], Target::Return);
        }
        self.setting = Some("--istio-outbound-ports");
        for port in &capture.outbound_ports {
            self.append(Chain::Outbound, [to_port(*port)], Target::Jump(Chain::Redirect));
        }
        self.setting = Some("--istio-service-cidr");
        match &capture.outbound_ranges {
            Selection::All => {
                self.append(Chain::Outbound, [], Target::Jump(Chain::Redirect));
                for interface in &capture.kube_virt_interfaces {
                    let from_machine = [Match::InInterface(interface.clone())];
                    self.insert(Chain::Prerouting, from_machine, Target::Jump(Chain::Redirect));
                }
            }
            Selection::Only(ranges) => {
                for range in self.of_family(ranges) {
                    for interface in &capture.kube_virt_interfaces {
                        let from_machine = [Match::InInterface(interface.clone()), Match::Destination(range)];
                        self.insert(Chain::Prerouting, from_machine, Target::Jump(Chain::Redirect));
                    }
                    self.append(Chain::Outbound, [Match::Destination(range)], Target::Jump(Chain::Redirect));
                }
            }
        }
    }

    fn loopback(&self) -> IpNet {
        match self.family {
            Family::V4 => self.capture.loopback.into(),
            Family::V6 => Ipv6Net::from(Ipv6Addr::LOCALHOST).into(),
        }
    }

    /// Whether any included range, of either family, begins with a loopback address.
    fn includes_loopback(&self) -> bool {
        match &self.capture.outbound_ranges {
            Selection::All => false,
            Selection::Only(ranges) => ranges.iter().any(|range| range.addr().to_canonical().is_loopback()),
        }
    }

    fn of_family(&self, ranges: &[IpNet]) -> Vec<IpNet> {
        ranges.iter().copied().filter(|range| self.family.holds(range)).collect()
    }

    fn append(&mut self, chain: Chain, matches: impl IntoIterator<Item = Match>, target: Target) {
        self.put(chain, Position::Last, matches, target);
    }

    fn insert(&mut self, chain: Chain, matches: impl IntoIterator<Item = Match>, target: Target) {
        self.put(chain, Position::At(1), matches, target);
    }

    fn put(&mut self, chain: Chain, position: Position, matches: impl IntoIterator<Item = Match>, target: Target) {
        let matches = matches.into_iter().collect();
        self.rules.push(Rule { setting: self.setting, chain, position, matches, target });
    }
}

fn to_port(port: PortRange) -> Match {
    Match::Port(Protocol::Tcp, port)
}

fn out_of_loopback() -> Match {
    Match::OutInterface(Interface::loopback())
}
