//! Reasons of the rules in the nat table, which see the first packet of each connection.

use super::shape::Shape;
use super::{Reasons, inbound_exemption, interface};

pub(super) fn reason(reasons: &Reasons, chain: &str, shape: &Shape<'_>) -> Option<String> {
    match chain {
        "PREROUTING" => prerouting(shape),
        "OUTPUT" if shape.target == "ISTIO_OUTPUT" => Some("whatever this pod sends is looked at".to_owned()),
        "OUTPUT" => interface(chain, shape),
        "ISTIO_INBOUND" => inbound(shape),
        "ISTIO_OUTPUT" => left_alone(reasons, shape).or_else(|| captured(shape)),
        "ISTIO_OUTPUT_DNS" => dns(shape),
        "ISTIO_REDIRECT" => to_proxy(shape, "outbound"),
        "ISTIO_IN_REDIRECT" => to_proxy(shape, "inbound"),
        _ => None,
    }
}

fn prerouting(shape: &Shape<'_>) -> Option<String> {
    match (shape.target, shape.input) {
        ("ISTIO_INBOUND", _) => Some("every TCP connection that arrives is looked at".to_owned()),
        ("ISTIO_REDIRECT", Some(name)) => {
            let to = shape.destination.map(|destination| format!(" to {}", destination.value)).unwrap_or_default();
            Some(format!(
                "what arrives through {name} is sent by a virtual machine: its connections{to} are outbound ones"
            ))
        }
        _ => interface("PREROUTING", shape),
    }
}

fn inbound(shape: &Shape<'_>) -> Option<String> {
    if shape.target != "ISTIO_IN_REDIRECT" {
        return inbound_exemption(shape);
    }
    Some(match shape.port {
        Some(port) => format!("inbound connections to port {} go to the proxy", port.value),
        None => "all other inbound connections go to the proxy".to_owned(),
    })
}

fn to_proxy(shape: &Shape<'_>, half: &str) -> Option<String> {
    let port = shape.to_port.filter(|_| shape.target == "REDIRECT")?;
    Some(format!("the proxy's {half} port is {port}; it asks the kernel for the original destination"))
}

fn left_alone(reasons: &Reasons, shape: &Shape<'_>) -> Option<String> {
    if shape.target == "ISTIO_IN_REDIRECT" {
        let is_self_call = shape.output == Some("lo") && shape.owner().is_some();
        return is_self_call.then(|| "the proxy's calls to its own pod take the inbound half, as anybody's".to_owned());
    }
    if shape.target != "RETURN" {
        return None;
    }
    if let Some(owner) = shape.owner() {
        return Some(by_owner(reasons, shape, owner.is_not, owner.value));
    }
    if shape.groups.len() > 1 {
        return Some("what other groups send is left alone".to_owned());
    }
    Some(match (shape.source, shape.destination, shape.port) {
        _ if shape.mark.is_some() => {
            "the proxy's calls to the application with the client's address are not caught again".to_owned()
        }
        (Some(_), _, _) if shape.output == Some("lo") => {
            "the proxy's calls to the application, known by this address, are not caught again".to_owned()
        }
        (_, Some(to), _) if is_loopback(to.value) => "what is for this pod itself is left alone".to_owned(),
        (_, Some(to), _) => format!("what is sent to {} is left alone", to.value),
        (_, _, Some(port)) => format!("{} to port {} is left alone", shape.protocol_name(), port.value),
        _ => "nothing else that this pod sends is redirected".to_owned(),
    })
}

fn by_owner(reasons: &Reasons, shape: &Shape<'_>, is_not: bool, id: &str) -> String {
    match (shape.output, is_not) {
        (Some(_), true) => "the application's calls to its own pod are left alone".to_owned(),
        (None, true) => format!("what is not sent by group {id} is left alone"),
        _ if shape.owner().is_some_and(|owner| reasons.is_proxy(owner)) => {
            "the proxy's own connections are not redirected again: no loop".to_owned()
        }
        _ => format!("what group {id} sends is left alone"),
    }
}

fn captured(shape: &Shape<'_>) -> Option<String> {
    Some(match (shape.target, shape.destination, shape.port) {
        ("ISTIO_OUTPUT_DNS", _, _) => "DNS queries are looked at".to_owned(),
        ("ISTIO_REDIRECT", Some(to), _) => format!("connections to {} go to the proxy", to.value),
        ("ISTIO_REDIRECT", None, Some(port)) => {
            format!("connections to port {} go to the proxy, whatever the address", port.value)
        }
        ("ISTIO_REDIRECT", None, None) => "all other connections go to the proxy".to_owned(),
        _ => return None,
    })
}

fn dns(shape: &Shape<'_>) -> Option<String> {
    let port = shape.to_port.filter(|_| shape.target == "REDIRECT")?;
    let to = shape.destination.map(|server| format!(" to {}", server.value)).unwrap_or_default();
    Some(format!("DNS queries{to} over {} go to the agent on port {port}", shape.protocol_name()))
}

fn is_loopback(range: &str) -> bool {
    range.starts_with("127.") || range == "::1/128"
}
