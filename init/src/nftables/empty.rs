//! Tables of iptables that nothing is in any more: only built-in chains without rules, which let everything pass.

use crate::nftables::attribute::Attributes;
use crate::nftables::dump::{Dump, Failure};
use crate::nftables::message::Kind;
use crate::rule::Table;

/// The built-in chains of iptables.
const BUILT_IN: [&str; 5] = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
/// `NF_ACCEPT`
const ACCEPT: u32 = 1;

/// How much there is in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableUse {
    name: String,
    /// Chains, sets and objects.
    uses: u32,
}

/// How much there is in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainUse {
    table: String,
    name: String,
    /// Rules in it, and jumps to it.
    uses: u32,
    /// What becomes of a packet at its end, if it is a base chain.
    policy: Option<u32>,
}

/// The tables that hold nothing, of those of one family that rules of ours may have been in.
pub fn empty(tables: &[TableUse], chains: &[ChainUse]) -> Vec<Table> {
    let is_empty = |table: &Table| {
        let name = table.to_string();
        let mut of_table = chains.iter().filter(|chain| chain.table == name);
        let count = of_table.clone().count();
        let holds_chains_only = |found: &TableUse| found.name == name && usize::try_from(found.uses) == Ok(count);
        tables.iter().any(holds_chains_only) && of_table.all(ChainUse::is_idle)
    };
    [Table::Raw, Table::Mangle, Table::Nat].into_iter().filter(is_empty).collect()
}

impl TableUse {
    /// The answer to the request with this number.
    pub fn dump(sequence: u32) -> Dump<Self> {
        Dump::of(sequence, Kind::NewTable, Self::read)
    }

    // NFTA_TABLE_NAME, _USE
    fn read(found: &Attributes<'_>) -> Result<Self, Failure> {
        let name = found.text(1).ok_or(Failure::Malformed("table"))?.to_owned();
        Ok(Self { name, uses: found.u32(3).unwrap_or(u32::MAX) })
    }
}

impl ChainUse {
    /// The answer to the request with this number.
    pub fn dump(sequence: u32) -> Dump<Self> {
        Dump::of(sequence, Kind::NewChain, Self::read)
    }

    // NFTA_CHAIN_TABLE, _NAME, _POLICY, _USE
    fn read(found: &Attributes<'_>) -> Result<Self, Failure> {
        let text = |kind| found.text(kind).map(str::to_owned).ok_or(Failure::Malformed("chain"));
        Ok(Self { table: text(1)?, name: text(3)?, uses: found.u32(6).unwrap_or(u32::MAX), policy: found.u32(5) })
    }

    fn is_idle(&self) -> bool {
        BUILT_IN.contains(&&*self.name) && self.uses == 0 && self.policy == Some(ACCEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str, uses: u32, policy: Option<u32>) -> ChainUse {
        ChainUse { table: "nat".to_owned(), name: name.to_owned(), uses, policy }
    }

    fn is_empty(uses: u32, chains: &[ChainUse]) -> bool {
        let tables = [TableUse { name: "nat".to_owned(), uses }, TableUse { name: "filter".to_owned(), uses: 0 }];
        empty(&tables, chains) == [Table::Nat]
    }

    #[test]
    fn only_a_table_with_nothing_but_idle_built_in_chains_is_empty() {
        let output = chain("OUTPUT", 0, Some(ACCEPT));
        assert!(is_empty(0, &[]));
        assert!(is_empty(2, &[output.clone(), chain("POSTROUTING", 0, Some(ACCEPT))]));
        assert!(!is_empty(2, std::slice::from_ref(&output)), "it holds a set too");
        for other in [chain("INPUT", 1, Some(ACCEPT)), chain("INPUT", 0, Some(0)), chain("OTHERS", 0, None)] {
            assert!(!is_empty(2, &[output.clone(), other]));
        }
    }
}
