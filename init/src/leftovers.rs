//! Chains of ours where this program does not write: they stay in effect, so they are named.
#![expect(clippy::disallowed_methods, reason = "reads from /proc which tables there are")]

use crate::iptables::{Error, Iptables};
use crate::rule::{Family, Table};
use crate::saved::own_chains;
use crate::settings::Backend;

/// Warns of every table that has chains of ours, except `written` of the backend that is written to.
///
/// Looks at what there is and makes nothing. A place that cannot be looked at is passed over, since the tools of the
/// other backend need not be installed.
pub fn warn(tool: Iptables, written: Table) {
    if let Err(error) = look(tool, written) {
        tracing::debug!("cannot look for rules left elsewhere: {error}");
    }
}

fn look(tool: Iptables, written: Table) -> Result<(), Error> {
    let (own, other) = match tool.backend {
        Backend::Legacy => (Backend::Legacy, Backend::Nft),
        Backend::Nft => (Backend::Nft, Backend::Legacy),
        Backend::Default if tool.is_nft()? => (Backend::Default, Backend::Legacy),
        Backend::Default => (Backend::Default, Backend::Nft),
    };
    for backend in [own, other] {
        if backend == Backend::Legacy && !has_legacy_tables(tool.family) {
            continue;
        }
        let place = Iptables { backend, ..tool };
        for (table, chains) in own_chains(&place.save_all()?) {
            if backend == own && table == written.to_string() {
                continue;
            }
            tracing::warn!(
                family = %tool.family,
                tool = place.program("save"),
                table,
                chains = chains.join(" "),
                "rules of an earlier run are left where this run does not write; they are in effect, remove them"
            );
        }
    }
    Ok(())
}

/// Whether the network namespace has any table of iptables-legacy. Reading one that is not there would make it.
fn has_legacy_tables(family: Family) -> bool {
    let list = match family {
        Family::V4 => "/proc/net/ip_tables_names",
        Family::V6 => "/proc/net/ip6_tables_names",
    };
    std::fs::read(list).is_ok_and(|names| !names.is_empty())
}
