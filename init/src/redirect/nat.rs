//! The nat table: which connections go to the proxy, and to which of its ports.

use sidecar_contract::port;

use super::{Builder, DNS, out_of_loopback, tcp};
use crate::rule::{Chain, Match, Owner, Protocol, Target};
use crate::settings::{DnsCapture, InboundMode};
use crate::value::{PortRange, Selection};

pub(super) fn rules(builder: &mut Builder<'_>) {
    builder.leave_excluded_interfaces_alone();
    builder.take_machines_for_outbound();
    builder.send_to_proxy();
    builder.select_inbound();
    builder.exempt_outbound_ports();
    builder.exempt_proxy();
    builder.select_owner_groups();
    builder.send_dns_to_agent();
    builder.select_destinations();
}

impl Builder<'_> {
    /// A virtual machine's traffic must not be taken for traffic to the pod; see `select_destinations` for the rest.
    fn take_machines_for_outbound(&mut self) {
        self.setting = Some("--kube-virt-interfaces");
        for interface in &self.capture.kube_virt_interfaces {
            self.insert(Chain::Prerouting, 1, [Match::InInterface(interface.clone())], Target::Return);
        }
    }

    fn send_to_proxy(&mut self) {
        let (outbound, inbound) = (self.capture.outbound_port, self.capture.inbound_port);
        self.setting = Some("--inbound-tunnel-port");
        self.append(Chain::Inbound, [Match::Port(Protocol::Tcp, self.tunnel())], Target::Return);
        self.setting = Some("--envoy-port");
        self.append(Chain::Redirect, [tcp()], Target::Redirect(outbound));
        self.setting = Some("--inbound-capture-port");
        self.append(Chain::InRedirect, [tcp()], Target::Redirect(inbound));
    }

    fn select_inbound(&mut self) {
        if !self.captures_inbound() || self.capture.inbound_mode != InboundMode::Redirect {
            return;
        }
        self.setting = Some("--istio-inbound-ports");
        self.append(Chain::Prerouting, [tcp()], Target::Jump(Chain::Inbound));
        for ports in self.captured_inbound() {
            self.append(Chain::Inbound, [ports], Target::Jump(Chain::InRedirect));
        }
    }

    fn exempt_outbound_ports(&mut self) {
        self.setting = None;
        self.append(Chain::Output, [], Target::Jump(Chain::Outbound));
        if let InboundMode::Tproxy(tproxy) = self.capture.inbound_mode
            && tproxy.is_nonroot
        {
            // The proxy dials the application with the client's address and this mark. A proxy that is told by its user
            // would have that taken for a call of itself.
            self.setting = Some("--tproxy-nonroot");
            self.append(Chain::Outbound, [tcp(), Match::Mark(tproxy.mark)], Target::Return);
        }
        self.setting = Some("--istio-local-outbound-ports-exclude");
        let excluded = &self.capture.excluded_outbound_ports;
        for (tcp, udp) in self.ports(Protocol::Tcp, excluded).into_iter().zip(self.ports(Protocol::Udp, excluded)) {
            self.append(Chain::Outbound, [tcp], Target::Return);
            // Only DNS is ever redirected of what is not TCP.
            self.append(Chain::Outbound, [udp], Target::Return);
        }
    }

    /// The proxy's connections pass, or they would come back to it for ever. Three kinds stay on loopback: to the
    /// application (from the marker address, passes), to the pod's own address (goes through the inbound half), and
    /// the application's to itself (passes).
    fn exempt_proxy(&mut self) {
        self.setting = None;
        self.append(Chain::Outbound, [out_of_loopback(), self.marker()], Target::Return);
        for (flag, owner) in self.proxy_owners() {
            self.setting = Some(flag);
            let to_itself = [
                out_of_loopback(),
                Match::NotDestination(self.loopback()),
                self.inbound_of(&owner),
                Match::Owner(owner.clone()),
            ];
            self.append(Chain::Outbound, to_itself, Target::Jump(Chain::InRedirect));
            // A loopback address among the included ranges asks for exactly what this rule would let pass.
            if !self.includes_loopback() {
                // A name server may listen on loopback: queries to it go on to the rules for DNS.
                let but_dns = self.captures_dns().then_some(Match::NotPort(Protocol::Tcp, DNS));
                let by_others = [out_of_loopback()].into_iter().chain(but_dns).chain([Match::NotOwner(owner.clone())]);
                self.append(Chain::Outbound, by_others, Target::Return);
            }
            self.append(Chain::Outbound, [Match::Owner(owner)], Target::Return);
        }
    }

    /// The ports of a proxy's calls to the pod itself that go through the inbound half: not the tunnel, which is the
    /// proxy's own, nor the agent's DNS queries, which would never leave the pod.
    fn inbound_of(&self, owner: &Owner) -> Match {
        match owner {
            Owner::User(_) if self.captures_dns() => Match::NotPorts(Protocol::Tcp, vec![DNS, self.tunnel()]),
            _ => Match::NotPort(Protocol::Tcp, self.tunnel()),
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

    fn send_dns_to_agent(&mut self) {
        let servers = match self.dns_servers() {
            None => vec![None],
            Some(servers) if servers.is_empty() => return,
            Some(servers) => servers.into_iter().map(Some).collect(),
        };
        self.setting = Some("--redirect-dns");
        self.append(Chain::Outbound, [], Target::Jump(Chain::OutboundDns));
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            for server in &servers {
                let query = [Match::Port(protocol, DNS)].into_iter().chain(server.map(Match::Destination));
                self.append(Chain::OutboundDns, query, Target::Redirect(port::DNS));
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
        for ports in self.ports(Protocol::Tcp, &capture.outbound_ports) {
            self.append(Chain::Outbound, [ports], Target::Jump(Chain::Redirect));
        }
        self.setting = Some("--istio-service-cidr");
        match &capture.outbound_ranges {
            Selection::All => {
                self.append(Chain::Outbound, [], Target::Jump(Chain::Redirect));
                for interface in &capture.kube_virt_interfaces {
                    let from_machine = [Match::InInterface(interface.clone())];
                    self.insert(Chain::Prerouting, 1, from_machine, Target::Jump(Chain::Redirect));
                }
            }
            Selection::Only(ranges) => {
                for range in self.of_family(ranges) {
                    for interface in &capture.kube_virt_interfaces {
                        let from_machine = [Match::InInterface(interface.clone()), Match::Destination(range)];
                        self.insert(Chain::Prerouting, 1, from_machine, Target::Jump(Chain::Redirect));
                    }
                    self.append(Chain::Outbound, [Match::Destination(range)], Target::Jump(Chain::Redirect));
                }
            }
        }
    }

    fn tunnel(&self) -> PortRange {
        PortRange::single(self.capture.tunnel_port)
    }

    fn captures_dns(&self) -> bool {
        self.capture.dns != DnsCapture::Off
    }

    /// Whether any included range, of either family, begins with a loopback address.
    fn includes_loopback(&self) -> bool {
        match &self.capture.outbound_ranges {
            Selection::All => false,
            Selection::Only(ranges) => ranges.iter().any(|range| range.addr().to_canonical().is_loopback()),
        }
    }
}
