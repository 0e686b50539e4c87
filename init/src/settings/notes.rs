//! Settings that contradict others, have no effect beside others, or might not do what they seem to.

use ipnet::IpNet;
use sidecar_contract::port;

use super::reader::Reader;
use super::{Backend, Capture, DnsCapture, Families, InboundMode, Output, Settings};
use crate::value::{Interface, PortRange, Selection};

/// Ranges that are named in one warning.
const MAX_NAMED: usize = 5;

/// Collects as mistakes what cannot be done together.
pub(super) fn contradictions(reader: &mut Reader<'_>, settings: &Settings) {
    if settings.dry_run && settings.cleanup_only {
        reader.contradiction("cleanup-only", "removes rules, and --dry-run changes nothing; leave one of them out");
    }
    if settings.skip_rule_apply && settings.cleanup_only {
        reader
            .contradiction("cleanup-only", "removes rules, and --skip-rule-apply touches none; leave one of them out");
    }
    if settings.run_validation && settings.cleanup_only {
        reader.contradiction("run-validation", "tries the rules that --cleanup-only removes; leave one of them out");
    }
    if settings.dry_run && settings.output == Output::Json {
        reader.contradiction("output", "json tells what was done, and --dry-run prints rules; leave one of them out");
    }
    shared_ports(reader, &settings.capture);
}

/// A socket of the proxy is for one purpose: what arrives there for another is sent to a wrong place, or in a circle.
fn shared_ports(reader: &mut Reader<'_>, capture: &Capture) {
    let Capture { outbound_port: outbound, inbound_port: inbound, tunnel_port: tunnel, .. } = *capture;
    if inbound == outbound {
        reader.contradiction("inbound-capture-port", "is the same as --envoy-port; use two ports");
    }
    if tunnel == outbound {
        reader.contradiction("inbound-tunnel-port", "is the same as --envoy-port; use two ports");
    }
    if tunnel == inbound {
        reader.contradiction("inbound-tunnel-port", "is the same as --inbound-capture-port; use two ports");
    }
    let to_agent = capture.dns != DnsCapture::Off;
    if to_agent && outbound == port::DNS {
        reader.contradiction("envoy-port", "is 15053, where --redirect-dns sends queries; use another port");
    }
    if to_agent && inbound == port::DNS {
        reader.contradiction("inbound-capture-port", "is 15053, where --redirect-dns sends queries; use another port");
    }
}

/// A sentence for each thing that a user should know of.
pub(super) fn warnings(settings: &Settings) -> Vec<String> {
    let capture = &settings.capture;
    let without_effect =
        without_effect(settings).into_iter().chain(inbound_without_effect(capture)).chain(unlikely(capture));
    let mut warnings: Vec<String> = without_effect.map(str::to_owned).collect();
    for (flag, ranges) in range_lists(capture) {
        warnings.extend(covered(flag, ranges));
        warnings.extend(left_out(flag, ranges, settings.families));
    }
    warnings
}

fn without_effect(settings: &Settings) -> Vec<&'static str> {
    let capture = &settings.capture;
    let mut warnings = vec![];
    if capture.owner_groups != Selection::All && !capture.excluded_owner_groups.is_empty() {
        warnings.push("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE has no effect: ISTIO_OUTBOUND_OWNER_GROUPS is not *");
    }
    if !capture.kube_virt_interfaces.is_empty() && capture.dns != DnsCapture::Off {
        warnings.push(
            "--redirect-dns has no effect on virtual machines: the agent cannot be reached from their interfaces",
        );
    }
    if settings.run_validation && settings.dry_run {
        warnings.push("--run-validation has no effect with --dry-run");
    }
    if settings.dry_run_file.is_some() && !settings.dry_run {
        warnings.push("DRY_RUN_FILE_PATH has no effect without --dry-run");
    }
    if settings.native_nftables && settings.backend != Backend::Default {
        warnings.push("--force-iptables-binary has no effect with --native-nftables");
    }
    warnings
}

fn inbound_without_effect(capture: &Capture) -> Vec<&'static str> {
    let mut warnings = vec![];
    // The injector always names the proxy's own ports: only a port that is in both lists is a contradiction.
    let both = |ports: &[PortRange]| {
        ports.iter().any(|port| capture.excluded_inbound_ports.iter().any(|out| port.overlaps(out)))
    };
    match &capture.inbound_ports {
        Selection::Only(ports) if both(ports) => {
            warnings.push("--istio-local-exclude-ports has no effect on ports that --istio-inbound-ports lists");
        }
        Selection::Only(ports) if ports.is_empty() && !capture.excluded_inbound_ranges.is_empty() => {
            warnings.push("--exclude-inbound-cidrs has no effect: --istio-inbound-ports is empty");
        }
        _ => {}
    }
    match capture.inbound_mode {
        InboundMode::Tproxy(tproxy) if !tproxy.is_nonroot && !capture.kube_virt_interfaces.is_empty() => {
            warnings.push(
                "--kube-virt-interfaces: in TPROXY mode connections of virtual machines are taken for inbound ones; use \
                 --tproxy-nonroot",
            );
        }
        _ => {}
    }
    warnings
}

/// What is done as asked for, and what hardly anybody wants.
fn unlikely(capture: &Capture) -> Vec<&'static str> {
    let names = |interfaces: &[Interface], name: &str| interfaces.iter().any(|interface| interface.as_str() == name);
    let mut warnings = vec![];
    if names(&capture.excluded_interfaces, "lo") {
        warnings.push(
            "--istio-exclude-interfaces names lo: what the pod sends to itself does not come by the proxy's inbound half",
        );
    }
    if names(&capture.kube_virt_interfaces, "lo") {
        warnings.push("--kube-virt-interfaces names lo, behind which there is no virtual machine");
    }
    if names(&capture.kube_virt_interfaces, "eth0") {
        warnings.push(
            "--kube-virt-interfaces names eth0, by which other machines usually reach a pod: what they send is taken for \
             outbound",
        );
    }
    if capture.proxy_uids.contains(&0) {
        warnings.push("--proxy-uid names root: no connection of a process that runs as root goes to the proxy");
    }
    warnings
}

fn range_lists(capture: &Capture) -> [(&'static str, &[IpNet]); 3] {
    let included = match &capture.outbound_ranges {
        Selection::All => &[][..],
        Selection::Only(ranges) => ranges,
    };
    [
        ("--istio-service-cidr", included),
        ("--istio-service-exclude-cidr", &capture.excluded_outbound_ranges),
        ("--exclude-inbound-cidrs", &capture.excluded_inbound_ranges),
    ]
}

/// Ranges that are within others of the same list: a slip of the pen as a rule, and a rule more for each connection.
fn covered(flag: &str, ranges: &[IpNet]) -> Option<String> {
    let mut sorted: Vec<IpNet> = ranges.iter().map(IpNet::trunc).collect();
    // Ranges are disjoint or within each other, so of those that begin alike the widest comes before all in it.
    sorted.sort_by_key(|range| (range.network(), range.prefix_len()));
    let (mut widest, mut covered) = (None::<IpNet>, Vec::new());
    for range in sorted {
        match widest {
            Some(wide) if wide.contains(&range) => covered.push(format!("{range} is in {wide}")),
            _ => widest = Some(range),
        }
    }
    named(flag, "has ranges that change nothing", covered)
}

/// Ranges of a family that has no rules.
fn left_out(flag: &str, ranges: &[IpNet], families: Families) -> Option<String> {
    let Families::Only(families) = families else { return None };
    let served = |range: &&IpNet| families.iter().any(|family| family.holds(range));
    let left_out = ranges.iter().filter(|range| !served(range)).map(ToString::to_string).collect();
    named(flag, "has ranges of a family that --ip-families leaves out", left_out)
}

fn named(flag: &str, what: &str, ranges: Vec<String>) -> Option<String> {
    let more = match ranges.len() {
        0 => return None,
        count if count > MAX_NAMED => format!(", and {} more", count - MAX_NAMED),
        _ => String::new(),
    };
    let named: Vec<String> = ranges.into_iter().take(MAX_NAMED).collect();
    Some(format!("{flag} {what}: {}{more}", named.join(", ")))
}
