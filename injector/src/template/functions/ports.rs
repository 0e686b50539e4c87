//! Istio's functions for lists of ports.

use gotemplate::{Budget, FunctionError, Functions, Str, Struct, Value};
use sidecar_contract::container;

use super::arguments::{Containers, text_of};

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("excludeInboundPort", exclude_inbound_port)
        .add("includeInboundPorts", |containers: Containers| ports(containers.iter()))
        .add("applicationPorts", |containers: Containers| {
            ports(containers.iter().filter(|one| text_of(one, "Name") != container::PROXY))
        });
}

/// `excludeInboundPort port list`: the list with the port at its end, unless it is in it, empty or 0. As in Istio, an
/// item that has a space before it is not recognised as the port.
fn exclude_inbound_port(budget: &Budget, port: Value, list: Str) -> Result<Str, FunctionError> {
    let (port, text) = (port.to_text(budget)?, list.to_text());
    let port = port.to_text();
    let port = port.trim();
    if matches!(port, "" | "0") || text.split(',').any(|item| item == port) {
        return Ok(list);
    }
    let others = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Ok(others.chain([port]).collect::<Vec<_>>().join(",").into())
}

/// The ports of all containers that TCP can reach, comma separated.
fn ports<'a>(containers: impl Iterator<Item = &'a Struct>) -> String {
    let ports = containers.flat_map(|container| match container.field("Ports") {
        Some(Value::List(ports)) => ports.iter().filter_map(tcp_port).collect(),
        _ => Vec::new(),
    });
    ports.collect::<Vec<_>>().join(",")
}

fn tcp_port(port: &Value) -> Option<String> {
    let Value::Struct(port) = port else { return None };
    let protocol = text_of(port, "Protocol");
    match port.field("ContainerPort") {
        Some(Value::Int(number, _)) if protocol != "UDP" && protocol != "SCTP" => Some(number.to_string()),
        _ => None,
    }
}
