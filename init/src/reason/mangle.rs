//! Reasons of the rules in the mangle table, which see every packet: TPROXY mode, and invalid packets.

use super::shape::Shape;
use super::{inbound_exemption, interface};

pub(super) fn reason(chain: &str, shape: &Shape<'_>) -> Option<String> {
    let words = match chain {
        "PREROUTING" => prerouting(shape),
        "OUTPUT" => output(shape),
        "ISTIO_INBOUND" => return inbound(shape),
        "ISTIO_DIVERT" if shape.target == "MARK" => {
            Some("the mark routes the packet to loopback, where the proxy's socket is")
        }
        "ISTIO_DIVERT" if shape.target == "ACCEPT" => {
            Some("the packet belongs to a connection that the proxy has already")
        }
        "ISTIO_TPROXY" if shape.target == "TPROXY" => {
            let port = shape.to_port?;
            return Some(format!("handed to the proxy's socket on port {port}, addresses unchanged"));
        }
        "ISTIO_TPROXY" if shape.target == "DROP" => {
            Some("while no proxy listens there, nobody is to be reached past it")
        }
        "ISTIO_DROP" if shape.target == "DROP" => {
            Some("what connection tracking finds invalid would be answered with a reset that ends the connection")
        }
        _ => None,
    };
    words.map(str::to_owned).or_else(|| interface(chain, shape))
}

fn prerouting(shape: &Shape<'_>) -> Option<&'static str> {
    Some(match shape.target {
        "ISTIO_INBOUND" => "every TCP packet that arrives is looked at",
        "ISTIO_DROP" => "packets that connection tracking finds invalid are dropped",
        "CONNMARK" if shape.saves_mark => {
            "the connection of the proxy to the application keeps the mark, for the application's answers"
        }
        _ => return None,
    })
}

fn output(shape: &Shape<'_>) -> Option<&'static str> {
    Some(match shape.target {
        "RETURN" if shape.mark.is_some() => "the proxy's calls to the application have their mark already",
        "MARK" => "the proxy's calls to its own pod are marked, so that they take the inbound half",
        "CONNMARK" if shape.connection_mark.is_some() => {
            "the application's answers get the connection's mark, which routes them back to the proxy"
        }
        _ => return None,
    })
}

fn inbound(shape: &Shape<'_>) -> Option<String> {
    let words = match (shape.target, shape.mark) {
        ("RETURN", Some(mark)) if !mark.is_not => "the proxy's calls to the application are not caught again",
        ("RETURN", Some(_)) if shape.input == Some("lo") => {
            "on loopback only the proxy's marked calls are inbound; the application's calls to its own pod are left alone"
        }
        ("RETURN", None) if shape.input == Some("lo") && shape.source.is_some() => {
            "calls to the application from this address, as the agent's probes, are left alone"
        }
        ("ISTIO_DIVERT", _) => "packets of connections that are established go on to the proxy",
        ("ISTIO_TPROXY", _) => {
            return Some(match shape.port {
                Some(port) => format!("inbound connections to port {} go to the proxy", port.value),
                None => "all other inbound connections go to the proxy".to_owned(),
            });
        }
        _ => return inbound_exemption(shape),
    };
    Some(words.to_owned())
}
