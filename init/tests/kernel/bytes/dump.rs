//! All that the kernel shows of tables, chains and rules, attribute by attribute.

use std::collections::BTreeMap;

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use sidecar_init::nftables::attribute::attributes;
use sidecar_init::nftables::message::{Content, DUMP, Kind, Protocol, messages, request};

/// Kind, family, chain, and the attributes that do not differ from one namespace to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    kind: u16,
    family: u8,
    chain: String,
    attributes: BTreeMap<u16, Vec<String>>,
}

/// Everything in the namespace of this thread; chains by name, rules in order.
pub(super) fn all() -> Vec<Object> {
    let kinds = [(Kind::GetTable, &[2, 3, 4][..]), (Kind::GetChain, &[2, 6, 8, 11]), (Kind::GetRule, &[3, 6, 7])];
    let mut objects = vec![];
    for (kind, ignored) in kinds {
        let mut of_kind = dump(kind, ignored);
        // The order of chains is that in which they were made.
        of_kind.sort_by(|one, other| {
            (one.family, &one.chain, &one.attributes.get(&1)).cmp(&(
                other.family,
                &other.chain,
                &other.attributes.get(&1),
            ))
        });
        objects.extend(of_kind);
    }
    objects
}

fn dump(kind: Kind, ignored: &[u16]) -> Vec<Object> {
    let socket = Socket::new(NETLINK_NETFILTER).unwrap();
    socket.connect(&SocketAddr::new(0, 0)).unwrap();
    socket.send(&request(kind, DUMP, 1, Protocol::Unspecified, |_| {}), 0).unwrap();
    let mut objects = vec![];
    loop {
        let mut piece = Vec::with_capacity(64 * 1024);
        socket.recv(&mut piece, 0).unwrap();
        for message in messages(&piece) {
            match message.content {
                Content::Done(_) => return objects,
                Content::Object(number, family, found) => {
                    let name = if kind == Kind::GetChain { 3 } else { 2 };
                    let chain = if kind == Kind::GetTable { "" } else { found.text(name).unwrap() }.to_owned();
                    let kept = found.filter(|(kind, _)| !ignored.contains(kind));
                    let attributes = kept.map(|(number, payload)| (number, shown(kind, number, payload))).collect();
                    objects.push(Object { kind: number, family, chain, attributes });
                }
                Content::Answer(..) | Content::Other => {}
            }
        }
    }
}

/// The expressions of a rule one by one, without what was counted; anything else as it is.
fn shown(kind: Kind, number: u16, payload: &[u8]) -> Vec<String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    if (kind, number) != (Kind::GetRule, 4) {
        return vec![hex(payload)];
    }
    let expressions = attributes(payload).map(|(_, expression)| attributes(expression));
    expressions
        .map(|expression| {
            let name = expression.text(1).unwrap_or_default();
            let content = if name == "counter" { &[] } else { expression.get(2).unwrap_or_default() };
            format!("{name} {}", hex(content))
        })
        .collect()
}
