//! What of routing belongs to the rules.

use std::collections::BTreeSet;
use std::net::IpAddr;

use sidecar_contract::address::INBOUND_SOURCE_V6;

use super::{Line, Whose};
use crate::routes::{Entry, Policy, Snapshot};

/// Describes what of `snapshot` is ours, or looks so: the address on loopback, what packets with one of `marks` are looked
/// up by, and the same for Istio's mark and table.
pub fn routing(snapshot: &Snapshot, marks: &BTreeSet<u32>) -> Vec<Line> {
    let mut lines = Vec::new();
    if snapshot.addresses.contains(&(IpAddr::V6(INBOUND_SOURCE_V6), true)) {
        let reason = "the proxy calls the application from this address, by which the rules know it";
        lines.push(line(Entry::Address(INBOUND_SOURCE_V6), reason));
    }
    let mut tables = vec![Policy::DEFAULT.table];
    for (family, policy, preference) in &snapshot.rules {
        if *policy == Policy::DEFAULT || marks.contains(&policy.mark) {
            let reason = "packets with this mark stay here, wherever they go: the application's answers to the proxy, \
                          which called it with the client's address";
            lines.push(line(Entry::Rule(*family, *policy, Some(*preference)), reason));
            tables.push(policy.table);
        }
    }
    for (family, table) in snapshot.tables.iter().filter(|(_, table)| tables.contains(table)) {
        let reason = "by this table every address is one of this pod";
        lines.push(line(Entry::Route(*family, *table), reason));
    }
    lines
}

fn line(entry: Entry, reason: &str) -> Line {
    Line { text: entry.to_string(), owner: Whose::Ours, reason: reason.to_owned() }
}
