//! Single words of `iptables-save`.

use crate::nftables::expression::Verdict;
use crate::rule::Protocol;

/// What stands for something that iptables has no words for, or that is not understood.
pub(super) fn opaque(what: &str) -> String {
    format!("[{}]", word(what))
}

/// A name without what would be taken for something else.
pub(super) fn word(name: &str) -> String {
    name.chars().map(|c| if c.is_control() || matches!(c, '"' | '\\') { '?' } else { c }).collect()
}

pub(super) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accept => "-j ACCEPT".to_owned(),
        Verdict::Drop => "-j DROP".to_owned(),
        Verdict::Return => "-j RETURN".to_owned(),
        Verdict::Jump(chain) => format!("-j {}", word(chain)),
        Verdict::Goto(chain) => format!("-g {}", word(chain)),
    }
}

/// The names that iptables has for protocols without asking `/etc/protocols`.
pub(super) fn protocol(number: u8) -> String {
    match number {
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        50 => "esp".to_owned(),
        51 => "ah".to_owned(),
        58 => "ipv6-icmp".to_owned(),
        132 => "sctp".to_owned(),
        135 => "mobility-header".to_owned(),
        136 => "udplite".to_owned(),
        _ => number.to_string(),
    }
}

pub(super) fn transport(number: u8) -> Option<Protocol> {
    match number {
        6 => Some(Protocol::Tcp),
        17 => Some(Protocol::Udp),
        _ => None,
    }
}
