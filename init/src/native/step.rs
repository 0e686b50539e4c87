//! What a transaction does to our tables, step by step: each a line of a script, and a message of a batch.

use std::fmt;

use super::expressions::expressions;
use super::ruleset::{NativeRule, NativeTable, TABLES, chain_name, table_name};
use super::text;
use crate::groups::UnknownGroups;
use crate::nftables::base::{Base, base};
use crate::nftables::batch::{Batch, NewRule, Place, TableId};
use crate::nftables::message::Protocol;
use crate::rule::{Chain, Table};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes a table, unless it is there.
    AddTable(Table),
    /// Deletes a table that is there, with all that it holds.
    DeleteTable(Table),
    /// Deletes all rules of a table that is there.
    FlushTable(Table),
    /// Makes a chain, unless it is there.
    AddChain(Table, Chain),
    /// Deletes a chain that is there, to which nothing jumps.
    DeleteChain(Table, String),
    /// Appends a rule to a chain.
    AddRule(Table, Chain, NativeRule),
}

/// A script for `nft -f` that makes the tables, whatever of ours is there: in one transaction it takes back the rules of an earlier
/// run and writes these.
pub fn script(tables: &[NativeTable]) -> String {
    let is_wanted = |table: &Table| tables.iter().any(|wanted| wanted.table == *table);
    let unwanted = TABLES.into_iter().filter(|table| !is_wanted(table));
    // Unlike a table to be made, one to be deleted or flushed must be there.
    let removal = unwanted.flat_map(|table| [Step::AddTable(table), Step::DeleteTable(table)]);
    let steps = removal.chain(tables.iter().flat_map(|wanted| {
        let emptying = [Step::AddTable(wanted.table), Step::FlushTable(wanted.table)];
        emptying.into_iter().chain(Step::filling(wanted))
    }));
    steps.map(|step| format!("{step}\n")).collect()
}

impl Step {
    /// The steps that make a table's chains and rules where it has none.
    pub(crate) fn filling(wanted: &NativeTable) -> impl Iterator<Item = Self> {
        let table = wanted.table;
        // All chains come before the first rule that jumps to one.
        let chains = wanted.chains.iter().map(move |chain| Self::AddChain(table, chain.chain));
        let rules = wanted
            .chains
            .iter()
            .flat_map(move |chain| chain.rules.iter().map(move |rule| Self::AddRule(table, chain.chain, rule.clone())));
        chains.chain(rules)
    }

    /// The table that it is about.
    pub fn table(&self) -> Table {
        match self {
            Self::AddTable(table) | Self::DeleteTable(table) | Self::FlushTable(table) => *table,
            Self::AddChain(table, _) | Self::DeleteChain(table, _) | Self::AddRule(table, ..) => *table,
        }
    }

    /// Appends its message to a transaction.
    ///
    /// # Errors
    /// When a rule names a group.
    pub fn append_to(&self, batch: &mut Batch) -> Result<(), UnknownGroups> {
        match self {
            Self::AddTable(table) => batch.new_table(id(*table)),
            Self::DeleteTable(table) => batch.delete_table(id(*table)),
            Self::FlushTable(table) => batch.flush(id(*table), None),
            Self::AddChain(table, chain) => batch.new_chain(id(*table), chain_name(*chain), base(*table, *chain)),
            Self::DeleteChain(table, name) => batch.delete_chain(id(*table), name),
            Self::AddRule(table, chain, rule) => {
                let (place, chain) = (Place::Last, chain_name(*chain));
                let expressions = &expressions(rule)?;
                let rule = NewRule { chain, place, expressions, compatible_protocol: None, userdata: &[] };
                batch.new_rule(id(*table), &rule)
            }
        };
        Ok(())
    }
}

fn id(table: Table) -> TableId<'static> {
    TableId { protocol: Protocol::Inet, name: table_name(table) }
}

/// A line for `nft -f`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddTable(table) => write!(f, "add table inet {}", table_name(*table)),
            Self::DeleteTable(table) => write!(f, "delete table inet {}", table_name(*table)),
            Self::FlushTable(table) => write!(f, "flush table inet {}", table_name(*table)),
            Self::AddChain(table, chain) => {
                write!(f, "add chain inet {} {}", table_name(*table), chain_name(*chain))?;
                let Some(Base { kind, priority, .. }) = base(*table, *chain) else { return Ok(()) };
                // A base chain has the name of its hook.
                let hook = chain_name(*chain);
                write!(f, " {{ type {kind} hook {hook} priority {priority} ; policy accept ; }}")
            }
            Self::DeleteChain(table, name) => write!(f, "delete chain inet {} {name}", table_name(*table)),
            Self::AddRule(table, chain, rule) => {
                write!(f, "add rule inet {} {} {}", table_name(*table), chain_name(*chain), text::rule(rule))
            }
        }
    }
}
