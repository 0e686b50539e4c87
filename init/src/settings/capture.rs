//! What is redirected: ports, ranges, interfaces, owners, DNS, and how inbound connections reach the proxy.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use sidecar_contract::{identity, port};

use super::reader::{Given, Reader, ResolvConf};
use crate::flags::{DnsFlags, PortFlags, TproxyFlags, TrafficFlags};
use crate::value::{self, Group, Interface, Invalid, PortRange, Selection};

/// Mark of the proxy's calls to the pod itself in TPROXY mode, which are to come in by the inbound half.
pub const TO_ITSELF_MARK: u32 = 1338;
/// Groups that `ISTIO_OUTBOUND_OWNER_GROUPS` may name; as many as Istio allows.
pub const MAX_OWNER_GROUPS: usize = 64;
/// Groups that a rule of iptables-legacy holds: one rule matches them all, in five words each, and iptables takes 255
/// words in a rule. nf_tables has no such limit.
pub const LEGACY_MAX_OWNER_GROUPS: usize = 49;
/// Rules of one family that `--kube-virt-interfaces` and `--istio-service-cidr` may come to together: one for each
/// interface and range. Ten times as many take a second, and a gigabyte at last.
pub(super) const MAX_MACHINE_RULES: usize = 20_000;
/// Mark of TPROXY mode, unless a flag says otherwise.
const TPROXY_MARK: u32 = 1337;
/// Routing table of TPROXY mode, unless a flag says otherwise.
const TPROXY_TABLE: u32 = 133;

/// What goes to the proxy, and what does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The proxy's port for outbound connections.
    pub outbound_port: u16,
    /// The proxy's port for inbound connections.
    pub inbound_port: u16,
    /// Port of the tunnel between proxies, never redirected.
    pub tunnel_port: u16,
    /// Users of the proxy; at least one.
    pub proxy_uids: Vec<u32>,
    /// Groups of the proxy; at least one.
    pub proxy_gids: Vec<u32>,
    /// How inbound connections reach the proxy.
    pub inbound_mode: InboundMode,
    /// Inbound ports that are redirected.
    pub inbound_ports: Selection<PortRange>,
    /// Inbound ports that are not, if all are.
    pub excluded_inbound_ports: Vec<PortRange>,
    /// Sources of inbound connections that are not redirected.
    pub excluded_inbound_ranges: Vec<IpNet>,
    /// Destinations of outbound connections that are redirected.
    pub outbound_ranges: Selection<IpNet>,
    /// Destinations that are not; they win.
    pub excluded_outbound_ranges: Vec<IpNet>,
    /// Outbound ports that are redirected whatever the destination, unless the range is excluded.
    pub outbound_ports: Vec<PortRange>,
    /// Outbound ports that are not; they win over everything.
    pub excluded_outbound_ports: Vec<PortRange>,
    /// Interfaces left alone in both directions.
    pub excluded_interfaces: Vec<Interface>,
    /// Interfaces of virtual machines, whose traffic arrives but is treated as outbound.
    pub kube_virt_interfaces: Vec<Interface>,
    /// Groups whose outbound connections are redirected.
    pub owner_groups: Selection<Group>,
    /// Groups whose connections are not, if all are.
    pub excluded_owner_groups: Vec<Group>,
    /// IPv4 destinations that are the pod itself.
    pub loopback: Ipv4Net,
    /// Which DNS queries go to the agent.
    pub dns: DnsCapture,
    /// Drop packets that connection tracking finds invalid.
    pub drop_invalid: bool,
    /// Put several ports into one rule where that changes nothing.
    pub is_compact: bool,
}

/// How inbound connections reach the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboundMode {
    /// Their destination is changed to the proxy's port.
    Redirect,
    /// They are handed to the proxy's socket as they are, so that it sees where they come from and where they go.
    Tproxy(Tproxy),
}

/// What TPROXY mode needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tproxy {
    /// Mark of the connections that the proxy makes to the application; neither 0 nor [`TO_ITSELF_MARK`].
    pub mark: u32,
    /// The routing table by which packets with the mark go to loopback; none of the kernel's own.
    pub table: u32,
    /// The proxy runs under its own user, not as root.
    pub is_nonroot: bool,
}

/// Which DNS queries go to the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsCapture {
    /// None.
    Off,
    /// Those to these servers; at least one, of any family.
    Servers(Vec<IpAddr>),
    /// Those to any server.
    All,
}

impl Capture {
    /// The routing that the rules need, which they do only where inbound connections are handed to the proxy.
    pub fn routing(&self) -> Option<Tproxy> {
        match self.inbound_mode {
            InboundMode::Tproxy(tproxy) if self.inbound_ports != Selection::Only(vec![]) => Some(tproxy),
            _ => None,
        }
    }

    pub(super) fn read(
        reader: &mut Reader<'_>,
        ports: PortFlags,
        traffic: TrafficFlags,
        tproxy: TproxyFlags,
        dns: DnsCapture,
        compact: Option<String>,
    ) -> Self {
        let PortFlags { envoy_port, inbound_capture_port, inbound_tunnel_port, proxy_uid, proxy_gid } = ports;
        let TrafficFlags {
            istio_inbound_ports,
            istio_local_exclude_ports,
            exclude_inbound_cidrs,
            istio_service_cidr,
            istio_service_exclude_cidr,
            istio_outbound_ports,
            istio_local_outbound_ports_exclude,
            istio_exclude_interfaces,
            kube_virt_interfaces,
            drop_invalid,
        } = traffic;
        let (proxy_uids, proxy_gids) = proxy_ids(reader, proxy_uid, proxy_gid);
        let listening = |reader: &mut Reader<'_>, given, default| reader.one(given, default, value::listening_port);
        let port = value::port_range;
        let excluded_outbound = ("istio-local-outbound-ports-exclude", istio_local_outbound_ports_exclude);
        Self {
            outbound_port: listening(reader, reader.command_line_only("envoy-port", envoy_port), port::OUTBOUND),
            inbound_port: listening(reader, reader.flag("inbound-capture-port", inbound_capture_port), port::INBOUND),
            tunnel_port: listening(reader, reader.flag("inbound-tunnel-port", inbound_tunnel_port), port::TUNNEL),
            proxy_uids,
            proxy_gids,
            inbound_mode: inbound_mode(reader, tproxy),
            inbound_ports: selection(reader, "istio-inbound-ports", istio_inbound_ports, port),
            excluded_inbound_ports: list(reader, "istio-local-exclude-ports", istio_local_exclude_ports, port),
            excluded_inbound_ranges: list(reader, "exclude-inbound-cidrs", exclude_inbound_cidrs, value::range),
            outbound_ranges: selection(reader, "istio-service-cidr", istio_service_cidr, value::range),
            excluded_outbound_ranges: list(
                reader,
                "istio-service-exclude-cidr",
                istio_service_exclude_cidr,
                value::range,
            ),
            outbound_ports: list(reader, "istio-outbound-ports", istio_outbound_ports, port),
            excluded_outbound_ports: list(reader, excluded_outbound.0, excluded_outbound.1, port),
            excluded_interfaces: interfaces(reader, "istio-exclude-interfaces", istio_exclude_interfaces),
            kube_virt_interfaces: interfaces(reader, "kube-virt-interfaces", kube_virt_interfaces),
            owner_groups: reader.many(reader.variable("ISTIO_OUTBOUND_OWNER_GROUPS"), Selection::All, owner_groups),
            excluded_owner_groups: reader.many(
                reader.variable("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"),
                vec![],
                |text| value::list(text, value::group),
            ),
            loopback: reader.one(
                reader.variable("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR").filter(Given::is_filled),
                Ipv4Net::from(Ipv4Addr::LOCALHOST),
                value::loopback_range,
            ),
            dns,
            drop_invalid: reader.strict(
                reader.aliased("drop-invalid", "INVALID_DROP", drop_invalid),
                false,
                value::boolean,
            ),
            is_compact: reader.strict(reader.command_line_only("compact", compact), false, value::boolean),
        }
    }
}

/// Which DNS queries are redirected, and a warning if none are although some should be. The file with the name servers is
/// read only if it decides.
pub(super) fn dns(
    reader: &mut Reader<'_>,
    flags: DnsFlags,
    resolv_conf: ResolvConf<'_>,
) -> (DnsCapture, Option<String>) {
    let DnsFlags { redirect_dns, capture_all_dns, dns_servers } = flags;
    let redirects = reader.aliased("redirect-dns", "ISTIO_META_DNS_CAPTURE", redirect_dns);
    let redirects = reader.strict(redirects, false, value::boolean);
    let captures_all = reader.switch("capture-all-dns", capture_all_dns);
    let servers = reader.command_line_only("dns-servers", dns_servers);
    let servers = reader.many(servers, None, |text| match text {
        "auto" => Ok(None),
        _ => value::list(text, value::address).map(Some),
    });
    match (redirects, captures_all) {
        (false, true) => {
            return (DnsCapture::Off, Some("--capture-all-dns has no effect without --redirect-dns".to_owned()));
        }
        (false, false) => return (DnsCapture::Off, None),
        (true, true) => return (DnsCapture::All, None),
        (true, false) => {}
    }
    let mut servers = servers.unwrap_or_else(|| reader.name_servers("redirect-dns", resolv_conf));
    let mut seen = Vec::new();
    servers.retain(|server| {
        !seen.contains(server) && {
            seen.push(*server);
            true
        }
    });
    if servers.is_empty() {
        let warning = "--redirect-dns has no effect: no DNS server is known; name them with --dns-servers, or use \
                       --capture-all-dns";
        return (DnsCapture::Off, Some(warning.to_owned()));
    }
    (DnsCapture::Servers(servers), None)
}

/// Collects as a mistake more rules than a run is to make.
pub(super) fn limit(reader: &mut Reader<'_>, capture: &Capture) {
    let Selection::Only(ranges) = &capture.outbound_ranges else { return };
    let (v4, v6): (Vec<&IpNet>, Vec<&IpNet>) = ranges.iter().partition(|range| range.addr().is_ipv4());
    let rules = capture.kube_virt_interfaces.len().saturating_mul(v4.len().max(v6.len()));
    if rules > MAX_MACHINE_RULES {
        reader.contradiction(
            "kube-virt-interfaces",
            "with --istio-service-cidr, makes a rule for each interface and range, and more than 20000 in all; name \
             fewer of either, or put ranges together",
        );
    }
}

fn inbound_mode(reader: &mut Reader<'_>, flags: TproxyFlags) -> InboundMode {
    let TproxyFlags {
        istio_inbound_interception_mode,
        istio_inbound_tproxy_mark,
        istio_inbound_tproxy_route_table,
        tproxy_nonroot,
    } = flags;
    let mark = reader.flag("istio-inbound-tproxy-mark", istio_inbound_tproxy_mark);
    let table = reader.flag("istio-inbound-tproxy-route-table", istio_inbound_tproxy_route_table);
    let tproxy = Tproxy {
        mark: reader.one(mark, TPROXY_MARK, |text| value::mark(text, TO_ITSELF_MARK)),
        table: reader.one(table, TPROXY_TABLE, value::routing_table),
        is_nonroot: reader.switch("tproxy-nonroot", tproxy_nonroot),
    };
    // istio-iptables takes any other word for REDIRECT, so that a typing error goes unseen.
    let modes =
        [("", InboundMode::Redirect), ("REDIRECT", InboundMode::Redirect), ("TPROXY", InboundMode::Tproxy(tproxy))];
    let mode = reader.flag("istio-inbound-interception-mode", istio_inbound_interception_mode);
    let expected = "an interception mode; use REDIRECT or TPROXY";
    reader.one(mode, InboundMode::Redirect, |text| value::word(text, &modes, expected))
}

/// Users and groups of the proxy. Empty means the default; a list of nothing but commas does not, since it would exempt
/// nobody, and the proxy's own connections would come back to it for ever.
fn proxy_ids(reader: &mut Reader<'_>, uids: Option<String>, gids: Option<String>) -> (Vec<u32>, Vec<u32>) {
    let uids = reader.flag("proxy-uid", uids).filter(Given::is_filled);
    let uids = if uids.is_some() {
        reader.many(uids, vec![identity::PROXY_UID], |text| value::filled_list(text, value::id))
    } else {
        let user = reader.variable("ENVOY_USER").filter(Given::is_filled);
        vec![reader.one(user, identity::PROXY_UID, user_id)]
    };
    let gids = reader.flag("proxy-gid", gids).filter(Given::is_filled);
    let gids = reader.many(gids, uids.clone(), |text| value::filled_list(text, value::id));
    (uids, gids)
}

/// istio-iptables looks any name up; there are no users in an image of a single program.
fn user_id(text: &str) -> Result<u32, Invalid> {
    match text {
        "istio-proxy" => Ok(identity::PROXY_UID),
        _ => value::id(text).map_err(|_| Invalid::new(text, "a user that is known here; give its id with --proxy-uid")),
    }
}

fn list<T>(
    reader: &mut Reader<'_>,
    flag: &'static str,
    given: Option<String>,
    item: fn(&str) -> Result<T, Invalid>,
) -> Vec<T> {
    reader.many(reader.flag(flag, given), vec![], |text| value::list(text, item))
}

/// Each once, since a later run tells how many rules are ours by how many interfaces there are.
fn interfaces(reader: &mut Reader<'_>, flag: &'static str, given: Option<String>) -> Vec<Interface> {
    let mut interfaces = Vec::new();
    for interface in list(reader, flag, given, value::interface) {
        if !interfaces.contains(&interface) {
            interfaces.push(interface);
        }
    }
    interfaces
}

fn selection<T>(
    reader: &mut Reader<'_>,
    flag: &'static str,
    given: Option<String>,
    item: fn(&str) -> Result<T, Invalid>,
) -> Selection<T> {
    reader.many(reader.flag(flag, given), Selection::Only(vec![]), |text| value::selection(text, item))
}

/// Set but empty means no group at all, so that nothing outbound is redirected.
fn owner_groups(text: &str) -> Result<Selection<Group>, Vec<Invalid>> {
    match value::selection(text, value::group)? {
        Selection::Only(groups) if groups.len() > MAX_OWNER_GROUPS => {
            Err(vec![Invalid::new(text, "a list of at most 64 groups")])
        }
        groups => Ok(groups),
    }
}
