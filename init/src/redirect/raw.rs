//! The raw table: the DNS queries of the application and those of the proxy, kept apart.
//!
//! Both ask the same servers, and may do so from the same port. Connection tracking would take them for one connection,
//! and redirect the proxy's query to the proxy; in two zones it knows them as two.

use sidecar_contract::port;

use super::{Builder, DNS};
use crate::rule::{Chain, Match, Protocol, Target};
use crate::settings::DnsCapture;

/// Between the proxy and the servers.
const UPSTREAM: Target = Target::Zone(1);
/// Between the application and the proxy.
const DOWNSTREAM: Target = Target::Zone(2);

pub(super) fn rules(builder: &mut Builder<'_>) {
    if builder.capture.dns == DnsCapture::Off {
        return;
    }
    builder.tell_queries_of_the_proxy();
    builder.tell_other_queries();
}

impl Builder<'_> {
    fn tell_queries_of_the_proxy(&mut self) {
        self.setting = Some("--redirect-dns");
        self.append(Chain::Output, [], Target::Jump(Chain::OutboundDns));
        for (flag, owner) in self.proxy_owners() {
            self.setting = Some(flag);
            let query = [Match::Port(Protocol::Udp, DNS), Match::Owner(owner.clone())];
            self.append(Chain::OutboundDns, query, UPSTREAM);
            let answer = [Match::SourcePort(Protocol::Udp, port::DNS), Match::Owner(owner)];
            self.append(Chain::OutboundDns, answer, DOWNSTREAM);
        }
    }

    fn tell_other_queries(&mut self) {
        let servers = match self.dns_servers() {
            None => vec![None],
            Some(servers) if servers.is_empty() => return,
            Some(servers) => servers.into_iter().map(Some).collect(),
        };
        self.setting = Some("--redirect-dns");
        self.append(Chain::Prerouting, [], Target::Jump(Chain::Inbound));
        for server in servers {
            let query = [Match::Port(Protocol::Udp, DNS)].into_iter().chain(server.map(Match::Destination));
            self.append(Chain::OutboundDns, query, DOWNSTREAM);
            let answer = [Match::SourcePort(Protocol::Udp, 53)].into_iter().chain(server.map(Match::Source));
            self.append(Chain::Inbound, answer, UPSTREAM);
        }
    }
}
