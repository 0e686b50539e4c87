//! The mangle table: inbound connections in TPROXY mode, and invalid packets.
//!
//! In TPROXY mode a packet that arrives is handed to the proxy's socket with its destination unchanged. The proxy dials
//! the application with the client's own address, so the answers would leave the pod: the mark of that connection is
//! kept by connection tracking and given back to the answers, which a routing rule then sends to loopback.

use super::{Builder, out_of_loopback, tcp};
use crate::rule::{Chain, Match, Protocol, Target};
use crate::settings::{InboundMode, TO_ITSELF_MARK, Tproxy};
use crate::value::{Interface, PortRange};

pub(super) fn rules(builder: &mut Builder<'_>) {
    let mode = builder.capture.inbound_mode;
    if matches!(mode, InboundMode::Tproxy(_)) {
        builder.leave_excluded_interfaces_alone();
    }
    builder.drop_invalid();
    if let InboundMode::Tproxy(tproxy) = mode {
        if builder.captures_inbound() {
            builder.hand_to_proxy(tproxy);
            builder.select_inbound_to_hand(tproxy);
        }
        builder.keep_marks(tproxy);
        builder.spare_what_the_proxy_made(tproxy);
    }
}

impl Builder<'_> {
    /// The stack would answer them with a reset, since nobody has translated their addresses back.
    fn drop_invalid(&mut self) {
        if self.capture.drop_invalid {
            self.setting = Some("--drop-invalid");
            self.append(Chain::Prerouting, [Match::Untrackable], Target::Jump(Chain::Drop));
            self.append(Chain::Drop, [], Target::Drop);
        }
    }

    fn hand_to_proxy(&mut self, Tproxy { mark, .. }: Tproxy) {
        self.setting = Some("--istio-inbound-interception-mode");
        self.append(Chain::Divert, [], Target::SetMark(mark));
        self.append(Chain::Divert, [], Target::Accept);
        let elsewhere = [Match::NotDestination(self.loopback()), tcp()];
        self.append(Chain::Tproxy, elsewhere, Target::Tproxy { port: self.capture.inbound_port, mark });
    }

    fn select_inbound_to_hand(&mut self, Tproxy { is_nonroot, .. }: Tproxy) {
        if is_nonroot {
            self.setting = Some("--kube-virt-interfaces");
            for interface in &self.capture.kube_virt_interfaces {
                self.append(Chain::Prerouting, [Match::InInterface(interface.clone())], Target::Return);
            }
        }
        self.setting = Some("--istio-inbound-ports");
        self.append(Chain::Prerouting, [tcp()], Target::Jump(Chain::Inbound));
        if is_nonroot {
            // The rule of the nat table that spares this port is in a chain that nothing jumps to in this mode.
            self.setting = Some("--inbound-tunnel-port");
            let tunnel = Match::Port(Protocol::Tcp, PortRange::single(self.capture.tunnel_port));
            self.append(Chain::Inbound, [tunnel], Target::Return);
        }
        for ports in self.captured_inbound() {
            self.append(Chain::Inbound, [ports.clone(), Match::Established], Target::Jump(Chain::Divert));
            self.append(Chain::Inbound, [ports], Target::Jump(Chain::Tproxy));
        }
    }

    fn keep_marks(&mut self, Tproxy { mark, .. }: Tproxy) {
        let mode = Some("--istio-inbound-interception-mode");
        self.setting = mode;
        self.append(Chain::Prerouting, [tcp(), Match::Mark(mark)], Target::SaveMark);
        self.append(Chain::Output, [tcp(), out_of_loopback(), Match::Mark(mark)], Target::Return);
        for (flag, owner) in self.proxy_owners() {
            self.setting = Some(flag);
            let to_itself = [Match::NotDestination(self.loopback()), tcp(), out_of_loopback(), Match::Owner(owner)];
            self.append(Chain::Output, to_itself, Target::SetMark(TO_ITSELF_MARK));
        }
        self.setting = mode;
        self.append(Chain::Output, [tcp(), Match::ConnectionMark(mark)], Target::RestoreMark);
    }

    /// Of what arrives on loopback only the proxy's calls to the pod itself are inbound connections.
    fn spare_what_the_proxy_made(&mut self, Tproxy { mark, .. }: Tproxy) {
        let into_loopback = Match::InInterface(Interface::loopback());
        let of_application = [tcp(), into_loopback.clone(), Match::NotMark(TO_ITSELF_MARK)];
        self.insert(Chain::Inbound, 1, [tcp(), Match::Mark(mark)], Target::Return);
        self.insert(Chain::Inbound, 2, [tcp(), self.marker(), into_loopback], Target::Return);
        self.insert(Chain::Inbound, 3, of_application, Target::Return);
    }
}
