//! What to do, read from flags and environment: typed, with defaults, and with all mistakes reported at once.
//!
//! The command line wins over the environment. Unlike istio-iptables, a value that cannot be read is a mistake wherever
//! it comes from, and never falls back to a default: rules other than those asked for are worse than a pod that waits.

mod reader;

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use sidecar_contract::{identity, port};

pub use self::reader::{Environment, Mistakes};
use self::reader::{Given, Reader};
use crate::flags::{CaptureFlags, Flags, RunFlags, UnsupportedFlags};
use crate::rule::Family;
use crate::value::{self, Group, Interface, Invalid, PortRange, Selection};

/// Groups that `ISTIO_OUTBOUND_OWNER_GROUPS` may name. One rule matches them all, in five words each, and iptables 1.8
/// takes 255 words in a rule. Istio allows 64, with which its own rules cannot be written.
const MAX_OWNER_GROUPS: usize = 49;

/// Everything that flags and environment say.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is redirected.
    pub capture: Capture,
    /// For which address families.
    pub families: Families,
    /// With which iptables.
    pub backend: Backend,
    /// Print the rules instead of writing them.
    pub dry_run: bool,
    /// Write the rules even if they are there already.
    pub force: bool,
    /// Settings that have no effect beside others, a sentence each.
    pub warnings: Vec<&'static str>,
}

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
    /// Inbound ports that are redirected.
    pub inbound_ports: Selection<PortRange>,
    /// Inbound ports that are not, if all are.
    pub excluded_inbound_ports: Vec<PortRange>,
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
}

/// Address families that rules are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4, and IPv6 if the network namespace has it.
    Auto,
    /// Exactly these, IPv4 first.
    Only(&'static [Family]),
}

/// Which of the installed iptables is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Whatever is installed under the plain name.
    Default,
    /// The one over x_tables.
    Legacy,
    /// The one over nf_tables.
    Nft,
}

impl Settings {
    /// Reads flags, and environment variables for those that are not given.
    ///
    /// # Errors
    /// All mistakes together, each with the flag or variable it is in.
    pub fn read(flags: Flags, environment: Environment<'_>) -> Result<Self, Mistakes> {
        let Flags { capture, run, unsupported } = flags;
        let mut reader = Reader::new(environment);
        let knows_no_dns_server = run.dns_servers.as_deref() == Some("");
        let mut settings = read_settings(&mut reader, capture, run);
        settings.warnings = without_effect(&settings.capture);
        settings.warnings.extend(refuse_unsupported(&mut reader, unsupported, knows_no_dns_server));
        reader.finish(settings)
    }
}

impl Families {
    /// The families to write rules for. `has_ipv6` is asked only when the choice depends on it.
    ///
    /// # Errors
    /// When `has_ipv6` fails.
    pub fn resolve<E>(self, has_ipv6: impl FnOnce() -> Result<bool, E>) -> Result<&'static [Family], E> {
        Ok(match self {
            Self::Only(families) => families,
            Self::Auto if has_ipv6()? => &[Family::V4, Family::V6],
            Self::Auto => &[Family::V4],
        })
    }
}

fn read_settings(reader: &mut Reader<'_>, capture: CaptureFlags, run: RunFlags) -> Settings {
    let RunFlags { ip_families, dual_stack, dns_servers, dry_run, force_iptables_binary, force_apply, reconcile } = run;
    // What these ask for is always done, or has no meaning here; a value that cannot be read is a mistake all the same.
    reader.one(reader.aliased("dual-stack", "ISTIO_DUAL_STACK", dual_stack), false, value::boolean);
    reader.one(reader.flag("reconcile", reconcile), false, value::boolean);
    reader.many(reader.command_line_only("dns-servers", dns_servers), vec![], |text| value::list(text, value::address));
    Settings {
        capture: read_capture(reader, capture),
        families: reader.one(reader.flag("ip-families", ip_families), Families::Auto, families),
        backend: reader.one(reader.flag("force-iptables-binary", force_iptables_binary), Backend::Default, backend),
        dry_run: reader.one(reader.flag("dry-run", dry_run), false, value::boolean),
        force: reader.one(reader.flag("force-apply", force_apply), false, value::boolean),
        warnings: vec![],
    }
}

fn read_capture(reader: &mut Reader<'_>, flags: CaptureFlags) -> Capture {
    let CaptureFlags {
        envoy_port,
        inbound_capture_port,
        inbound_tunnel_port,
        proxy_uid,
        proxy_gid,
        istio_inbound_interception_mode,
        istio_inbound_ports,
        istio_local_exclude_ports,
        istio_service_cidr,
        istio_service_exclude_cidr,
        istio_outbound_ports,
        istio_local_outbound_ports_exclude,
        istio_exclude_interfaces,
        kube_virt_interfaces,
    } = flags;
    reader.refuse(reader.flag("istio-inbound-interception-mode", istio_inbound_interception_mode), is_tproxy);
    let (proxy_uids, proxy_gids) = proxy_ids(reader, proxy_uid, proxy_gid);
    let listening = |reader: &mut Reader<'_>, given, default| reader.one(given, default, value::listening_port);
    Capture {
        outbound_port: listening(reader, reader.command_line_only("envoy-port", envoy_port), port::OUTBOUND),
        inbound_port: listening(reader, reader.flag("inbound-capture-port", inbound_capture_port), port::INBOUND),
        tunnel_port: listening(reader, reader.flag("inbound-tunnel-port", inbound_tunnel_port), port::TUNNEL),
        proxy_uids,
        proxy_gids,
        inbound_ports: selection(reader, "istio-inbound-ports", istio_inbound_ports, value::port_range),
        excluded_inbound_ports: list(reader, "istio-local-exclude-ports", istio_local_exclude_ports, value::port_range),
        outbound_ranges: selection(reader, "istio-service-cidr", istio_service_cidr, value::range),
        excluded_outbound_ranges: list(reader, "istio-service-exclude-cidr", istio_service_exclude_cidr, value::range),
        outbound_ports: list(reader, "istio-outbound-ports", istio_outbound_ports, value::port_range),
        excluded_outbound_ports: list(
            reader,
            "istio-local-outbound-ports-exclude",
            istio_local_outbound_ports_exclude,
            value::port_range,
        ),
        excluded_interfaces: interfaces(reader, "istio-exclude-interfaces", istio_exclude_interfaces),
        kube_virt_interfaces: interfaces(reader, "kube-virt-interfaces", kube_virt_interfaces),
        owner_groups: reader.many(reader.variable("ISTIO_OUTBOUND_OWNER_GROUPS"), Selection::All, owner_groups),
        excluded_owner_groups: reader.many(reader.variable("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"), vec![], |text| {
            value::list(text, value::group)
        }),
        loopback: reader.one(
            reader.variable("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR").filter(Given::is_filled),
            Ipv4Net::from(Ipv4Addr::LOCALHOST),
            value::loopback_range,
        ),
    }
}

/// Settings that others make meaningless, as they do for istio-iptables.
fn without_effect(capture: &Capture) -> Vec<&'static str> {
    let mut warnings = vec![];
    // The injector always names the proxy's own ports: only a port that is in both lists is a contradiction.
    let both = |ports: &[PortRange]| {
        ports.iter().any(|port| capture.excluded_inbound_ports.iter().any(|out| port.overlaps(out)))
    };
    if matches!(&capture.inbound_ports, Selection::Only(ports) if both(ports)) {
        warnings.push("--istio-local-exclude-ports has no effect on ports that --istio-inbound-ports lists");
    }
    if capture.owner_groups != Selection::All && !capture.excluded_owner_groups.is_empty() {
        warnings.push("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE has no effect: ISTIO_OUTBOUND_OWNER_GROUPS is not *");
    }
    warnings
}

/// Users and groups of the proxy. Empty means the default; a list of nothing but commas does not, since it would exempt
/// nobody, and the proxy's own connections would come back to it for ever.
fn proxy_ids(reader: &mut Reader<'_>, uids: Option<String>, gids: Option<String>) -> (Vec<u32>, Vec<u32>) {
    let uids = reader.flag("proxy-uid", uids).filter(Given::is_filled);
    if uids.is_none() {
        // istio-iptables looks the name up; there are no users in an image of a single program.
        reader.refuse(reader.variable("ENVOY_USER"), |user| Ok(!matches!(user, "" | "istio-proxy")));
    }
    let uids = reader.many(uids, vec![identity::PROXY_UID], |text| value::filled_list(text, value::id));
    let gids = reader.flag("proxy-gid", gids).filter(Given::is_filled);
    let gids = reader.many(gids, uids.clone(), |text| value::filled_list(text, value::id));
    (uids, gids)
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
            Err(vec![Invalid::new(text, "a list of at most 49 groups, which is all that one rule of iptables holds")])
        }
        groups => Ok(groups),
    }
}

fn families(text: &str) -> Result<Families, Invalid> {
    let words = [
        ("", Families::Auto),
        ("auto", Families::Auto),
        ("v4", Families::Only(&[Family::V4])),
        ("v6", Families::Only(&[Family::V6])),
        ("v4,v6", Families::Only(&[Family::V4, Family::V6])),
        ("v6,v4", Families::Only(&[Family::V4, Family::V6])),
    ];
    value::word(text, &words, "a choice of address families; use auto, v4, v6 or v4,v6")
}

fn backend(text: &str) -> Result<Backend, Invalid> {
    let words = [("", Backend::Default), ("legacy", Backend::Legacy), ("nft", Backend::Nft)];
    value::word(text, &words, "a kind of iptables; use legacy, nft or nothing")
}

/// Whether TPROXY is asked for. istio-iptables takes any other word for REDIRECT, so that a typing error goes unseen.
fn is_tproxy(text: &str) -> Result<bool, Invalid> {
    value::word(text, &[("", false), ("REDIRECT", false), ("TPROXY", true)], "an interception mode; use REDIRECT")
}

/// What istio-iptables does and this program does not yet must not be left out in silence. Returns warnings.
fn refuse_unsupported(
    reader: &mut Reader<'_>,
    flags: UnsupportedFlags,
    knows_no_dns_server: bool,
) -> Option<&'static str> {
    let UnsupportedFlags {
        istio_inbound_tproxy_mark,
        istio_inbound_tproxy_route_table,
        redirect_dns,
        capture_all_dns,
        drop_invalid,
        run_validation,
        iptables_probe_port,
        probe_timeout,
        skip_rule_apply,
        cleanup_only,
        cni_mode,
        network_namespace,
        native_nftables,
    } = flags;
    let captures_all_dns = reader.refuse(reader.flag("capture-all-dns", capture_all_dns), value::boolean);
    let redirect_dns = reader.aliased("redirect-dns", "ISTIO_META_DNS_CAPTURE", redirect_dns);
    let mut warning = None;
    if knows_no_dns_server && !captures_all_dns {
        let is_asked_in_vain = reader.one(redirect_dns, false, value::boolean);
        warning = is_asked_in_vain.then_some("--redirect-dns has no effect: --dns-servers names none");
    } else {
        reader.refuse(redirect_dns, value::boolean);
    }
    if reader.refuse(reader.flag("run-validation", run_validation), value::boolean) {
        reader.refuse(reader.flag("iptables-probe-port", iptables_probe_port), |text| Ok(text != "15002"));
        reader.refuse(reader.flag("probe-timeout", probe_timeout), |text| Ok(text != "5s"));
    }
    let switches = [
        reader.aliased("drop-invalid", "INVALID_DROP", drop_invalid),
        reader.flag("skip-rule-apply", skip_rule_apply),
        reader.flag("cleanup-only", cleanup_only),
        reader.flag("cni-mode", cni_mode),
        reader.flag("native-nftables", native_nftables),
    ];
    for switch in switches {
        reader.refuse(switch, value::boolean);
    }
    let values = [
        ("1337", reader.flag("istio-inbound-tproxy-mark", istio_inbound_tproxy_mark)),
        ("133", reader.flag("istio-inbound-tproxy-route-table", istio_inbound_tproxy_route_table)),
        ("", reader.flag("network-namespace", network_namespace)),
        ("", reader.variable("DRY_RUN_FILE_PATH")),
    ];
    for (default, given) in values {
        reader.refuse(given, |text| Ok(text != default));
    }
    warning
}

#[cfg(test)]
mod tests;
