//! What of iptables' tables nothing is in any more: built-in chains without rules, which let everything pass, and tables
//! that hold only such.

use crate::nftables::attribute::Attributes;
use crate::nftables::dump::{Dump, Failure};
use crate::nftables::message::Kind;
use crate::rule::{Chain, Table};

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

/// What nothing is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// A whole table.
    Table(Table),
    /// A built-in chain in which rules of ours may have been, of a table that holds more.
    Chain(Table, Chain),
}

/// What holds nothing of the tables of one family in which rules of ours have been. Others are as somebody else wants them.
pub fn empty(had: &[Table], tables: &[TableUse], chains: &[ChainUse]) -> Vec<Empty> {
    let mut found = Vec::new();
    for table in had {
        let name = table.to_string();
        let of_table: Vec<&ChainUse> = chains.iter().filter(|chain| chain.table == name).collect();
        let holds_chains_only =
            |found: &TableUse| found.name == name && usize::try_from(found.uses) == Ok(of_table.len());
        if tables.iter().any(holds_chains_only) && of_table.iter().all(|chain| chain.is_idle()) {
            found.push(Empty::Table(*table));
            continue;
        }
        let is_idle = |chain: &Chain| of_table.iter().any(|found| found.name == chain.name() && found.is_idle());
        let idle = [Chain::Prerouting, Chain::Output].into_iter().filter(is_idle);
        found.extend(idle.map(|chain| Empty::Chain(*table, chain)));
    }
    found
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

    fn found(uses: u32, chains: &[ChainUse]) -> Vec<Empty> {
        let tables = [TableUse { name: "nat".to_owned(), uses }, TableUse { name: "filter".to_owned(), uses: 0 }];
        assert_eq!(empty(&[], &tables, chains), [], "nothing of ours was there");
        empty(&[Table::Nat], &tables, chains)
    }

    #[test]
    fn only_a_table_with_nothing_but_idle_built_in_chains_is_empty() {
        let output = chain("OUTPUT", 0, Some(ACCEPT));
        assert_eq!(found(0, &[]), [Empty::Table(Table::Nat)]);
        assert_eq!(found(2, &[output.clone(), chain("POSTROUTING", 0, Some(ACCEPT))]), [Empty::Table(Table::Nat)]);
        let only_output = [Empty::Chain(Table::Nat, Chain::Output)];
        assert_eq!(found(2, std::slice::from_ref(&output)), only_output, "it holds a set too");
        for other in [chain("INPUT", 1, Some(ACCEPT)), chain("INPUT", 0, Some(0)), chain("OTHERS", 0, None)] {
            assert_eq!(found(2, &[output.clone(), other]), only_output);
        }
    }

    #[test]
    fn chains_in_which_somebody_has_rules_or_a_policy_stay() {
        let others = [
            chain("POSTROUTING", 1, Some(ACCEPT)),
            chain("INPUT", 0, Some(ACCEPT)),
            chain("PREROUTING", 0, Some(0)),
            chain("OUTPUT", 3, Some(ACCEPT)),
        ];
        assert_eq!(found(4, &others), []);
    }
}
