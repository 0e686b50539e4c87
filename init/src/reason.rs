//! Why a rule is there, in words, told from how it reads.
//!
//! The rules may be of another version, or of Istio: what they are for shows in chain, matches and target alone.

mod mangle;
mod nat;
mod raw;
mod shape;

use self::shape::{Is, Shape};
use crate::rule::{OWN_PREFIX, Table};
use crate::saved::Saved;

/// What a rule's reason depends on besides the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Users and groups of the proxy, as the rules have them.
    proxy: Vec<String>,
}

impl Reasons {
    /// Learns from a table who the proxy is: whose calls to its own pod are treated as inbound.
    pub fn of(saved: &Saved) -> Self {
        let in_chains = saved.chains.values().flatten().map(String::as_str);
        let in_others = saved.others.iter().map(crate::saved::SavedRule::body);
        let owners = in_chains.chain(in_others).map(Shape::read).filter_map(|shape| {
            let calls_itself =
                shape.destination.is_some_and(|destination| destination.is_not) && shape.output.is_some();
            if calls_itself { shape.owner() } else { None }
        });
        Self { proxy: owners.map(|owner| owner.value.to_owned()).collect() }
    }

    /// The reason of a rule of ours, given its chain and the rest of it as `iptables-save` prints it. `None` for one that
    /// we would not write.
    pub fn reason(&self, table: Table, chain: &str, body: &str) -> Option<String> {
        let shape = Shape::read(body);
        if shape.target == "ISTIO_NOTE" {
            return Some("does nothing; tells a later run which of the rules around it are ours".to_owned());
        }
        match table {
            Table::Nat => nat::reason(self, chain, &shape),
            Table::Mangle => mangle::reason(chain, &shape),
            Table::Raw => raw::reason(chain, &shape),
        }
    }

    fn is_proxy(&self, owner: Is<'_>) -> bool {
        self.proxy.iter().any(|known| known == owner.value)
    }
}

/// Interfaces whose traffic is not for the proxy, which tables have in common.
fn interface(chain: &str, shape: &Shape<'_>) -> Option<String> {
    let only_interface = shape.protocol.is_none() && shape.mark.is_none() && shape.target == "RETURN";
    match (chain, shape.input, shape.output) {
        ("PREROUTING", Some(name), None) if only_interface => {
            Some(format!("what arrives through {name} is left alone"))
        }
        ("OUTPUT", None, Some(name)) if only_interface => Some(format!("what leaves through {name} is left alone")),
        _ => None,
    }
}

/// The same in the nat and the mangle table: what of inbound traffic is not for the proxy.
fn inbound_exemption(shape: &Shape<'_>) -> Option<String> {
    if shape.target != "RETURN" {
        return None;
    }
    let port = shape.port.filter(|port| !port.is_not).map(|port| port.value);
    Some(match (port, shape.source) {
        (Some("15008"), _) => "the tunnel between proxies ends at the proxy anyway".to_owned(),
        (Some("15090" | "15021" | "15020"), _) => {
            "metrics and health, which the proxy answers itself, also without mutual TLS".to_owned()
        }
        (Some(port), _) => format!("inbound connections to port {port} are left alone"),
        (None, Some(source)) => format!("inbound connections from {} are left alone", source.value),
        (None, None) => return None,
    })
}

/// Whether a chain is one of ours.
pub(crate) fn is_own(chain: &str) -> bool {
    chain.starts_with(OWN_PREFIX)
}

#[cfg(test)]
mod tests;
