//! Reasons of the rules in the raw table, which see every packet before connection tracking: DNS queries of application
//! and proxy, which would be one connection if both used the same source port.

use super::shape::Shape;

pub(super) fn reason(chain: &str, shape: &Shape<'_>) -> Option<String> {
    let words = match (chain, shape.target) {
        ("PREROUTING", "ISTIO_INBOUND") => "every packet that arrives is looked at for answers of DNS servers",
        ("OUTPUT", "ISTIO_OUTPUT_DNS") => "whatever this pod sends is looked at for DNS queries and answers",
        (_, "CT") => return zone(shape),
        _ => return None,
    };
    Some(words.to_owned())
}

fn zone(shape: &Shape<'_>) -> Option<String> {
    let zone = shape.zone?;
    let what = match (shape.owner(), shape.source_port) {
        (Some(_), _) => "the proxy's DNS queries",
        (None, Some("53")) => "the answers to the proxy's DNS queries",
        (None, Some(_)) => "the agent's DNS answers",
        (None, None) => "the application's DNS queries",
    };
    Some(format!("{what} are tracked apart, in zone {zone}: with the same source port both would be one connection"))
}
