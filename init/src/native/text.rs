//! Rules as `nft` reads them.

use ipnet::IpNet;

use super::ruleset::{NativeRule, chain_name};
use crate::rule::{Family, Match, Owner, Target};
use crate::value::PortRange;

/// A rule as in `add rule TABLE CHAIN …`.
pub fn rule(rule: &NativeRule) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(rule.family.map(|family| format!("meta nfproto {}", if_v4(family, "ipv4", "ipv6"))));
    words.extend(rule.matches.iter().map(condition));
    words.push("counter".to_owned());
    words.push(action(&rule.target, rule.only_family()));
    words.join(" ")
}

fn condition(condition: &Match) -> String {
    match condition {
        Match::InInterface(interface) => format!("iifname \"{interface}\""),
        Match::OutInterface(interface) => format!("oifname \"{interface}\""),
        Match::Source(range) => format!("{} saddr {}", header(range), address(range)),
        Match::Destination(range) => format!("{} daddr {}", header(range), address(range)),
        Match::NotDestination(range) => format!("{} daddr != {}", header(range), address(range)),
        Match::Protocol(protocol) => format!("meta l4proto {protocol}"),
        Match::Port(protocol, range) => format!("{protocol} dport {}", ports(*range)),
        Match::NotPort(protocol, range) => format!("{protocol} dport != {}", ports(*range)),
        Match::SourcePort(protocol, port) => format!("{protocol} sport {port}"),
        Match::Ports(protocol, ranges) => format!("{protocol} dport {{ {} }}", list(ranges)),
        Match::NotPorts(protocol, ranges) => format!("{protocol} dport != {{ {} }}", list(ranges)),
        Match::Mark(mark) => format!("meta mark {mark:#x}"),
        Match::NotMark(mark) => format!("meta mark != {mark:#x}"),
        Match::ConnectionMark(mark) => format!("ct mark {mark:#x}"),
        Match::Established => "ct state established,related".to_owned(),
        Match::Untrackable => "ct state invalid".to_owned(),
        Match::Owner(Owner::User(uid)) => format!("meta skuid {uid}"),
        Match::NotOwner(Owner::User(uid)) => format!("meta skuid != {uid}"),
        Match::Owner(Owner::Group(gid)) => format!("meta skgid {gid}"),
        Match::NotOwner(Owner::Group(gid)) => format!("meta skgid != {gid}"),
    }
}

fn action(target: &Target, family: Option<Family>) -> String {
    match target {
        Target::Return => "return".to_owned(),
        Target::Jump(chain) => format!("jump {}", chain_name(*chain)),
        Target::Accept => "accept".to_owned(),
        Target::Drop => "drop".to_owned(),
        Target::Redirect(port) => format!("redirect to :{port}"),
        Target::SetMark(mark) => format!("meta mark set {mark:#x}"),
        Target::SaveMark => "ct mark set meta mark".to_owned(),
        Target::RestoreMark => "meta mark set ct mark".to_owned(),
        Target::Tproxy { port, mark } => {
            let family = family.map_or("", |family| if_v4(family, "ip ", "ip6 "));
            format!("tproxy {family}to :{port} meta mark set {mark:#x} accept")
        }
        Target::Zone(zone) => format!("ct zone set {zone}"),
    }
}

fn header(range: &IpNet) -> &'static str {
    if Family::V4.holds(range) { "ip" } else { "ip6" }
}

fn address(range: &IpNet) -> String {
    if range.prefix_len() == range.max_prefix_len() { range.addr().to_string() } else { range.to_string() }
}

fn ports(range: PortRange) -> String {
    let (first, last) = (range.first(), range.last());
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn list(ranges: &[PortRange]) -> String {
    ranges.iter().map(|range| ports(*range)).collect::<Vec<_>>().join(", ")
}

fn if_v4<'a>(family: Family, v4: &'a str, v6: &'a str) -> &'a str {
    match family {
        Family::V4 => v4,
        Family::V6 => v6,
    }
}
