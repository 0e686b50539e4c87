//! Which of our tables are in the kernel, and what is in them.

use std::collections::{BTreeMap, BTreeSet};

use super::expressions::expressions;
use super::ruleset::{NativeTable, TABLES, chain_name, table_name};
use super::step::Step;
use crate::groups::UnknownGroups;
use crate::nftables::attribute::Attributes;
use crate::nftables::base::{Base, base};
use crate::nftables::dump::{Dump, DumpedRule, Failure};
use crate::nftables::expression::{Comparison, Ct, Expression, Meta};
use crate::nftables::message::{Kind, Protocol};
use crate::rule::{Family, Table};

/// Our tables, by their names. What others have there is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    tables: BTreeMap<String, PresentTable>,
}

/// A table as it is dumped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedTable {
    name: String,
    /// One that sleeps, or belongs to a process, has some.
    has_flags: bool,
    /// How many things it holds: chains, sets, objects.
    uses: u32,
}

/// A chain as it is dumped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpedChain {
    table: String,
    name: String,
    base: Option<DumpedBase>,
    /// Other flags than that it is a base chain: one that the network card works off, for example, has some.
    has_flags: bool,
}

/// Type, hook, priority and policy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct DumpedBase {
    kind: String,
    hook: Option<u32>,
    priority: Option<u32>,
    policy: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PresentTable {
    dumped: DumpedTable,
    chains: BTreeMap<String, PresentChain>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PresentChain {
    dumped: DumpedChain,
    rules: Vec<Vec<Expression>>,
}

/// `NFT_CHAIN_BASE`
const CHAIN_BASE: u32 = 1;
/// `NF_ACCEPT`, the policy of a base chain.
const ACCEPT: u32 = 1;

impl Present {
    /// Puts together what was dumped of the family `inet`. Chains and rules of tables that are not ours may be missing.
    pub fn new(tables: Vec<DumpedTable>, chains: Vec<DumpedChain>, rules: Vec<DumpedRule>) -> Self {
        let mut present = Self::default();
        for dumped in tables.into_iter().filter(DumpedTable::is_ours) {
            present.tables.insert(dumped.name.clone(), PresentTable { dumped, chains: BTreeMap::new() });
        }
        for dumped in chains {
            if let Some(table) = present.tables.get_mut(&dumped.table) {
                table.chains.insert(dumped.name.clone(), PresentChain { dumped, rules: vec![] });
            }
        }
        for rule in rules {
            let table = present.tables.get_mut(&rule.table);
            if let Some(chain) = table.and_then(|table| table.chains.get_mut(&rule.chain)) {
                chain.rules.push(rule.expressions);
            }
        }
        present
    }

    /// Whether none of our tables is there.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Those of our tables that are there.
    pub fn tables(&self) -> impl Iterator<Item = Table> {
        TABLES.into_iter().filter(|table| self.tables.contains_key(table_name(*table)))
    }

    /// The chains of a table, each with its rules in order.
    pub fn chains_of(&self, table: Table) -> impl Iterator<Item = (&str, &[Vec<Expression>])> {
        let chains = self.tables.get(table_name(table)).into_iter().flat_map(|table| &table.chains);
        chains.map(|(name, chain)| (name.as_str(), chain.rules.as_slice()))
    }

    /// Whether packets of a family meet any rule. The base chains alone decide that.
    pub fn serves(&self, family: Family) -> bool {
        let base_chains = self.chains().filter(|chain| chain.dumped.base.is_some());
        base_chains.flat_map(|chain| &chain.rules).any(|rule| only_family(rule).is_none_or(|only| only == family))
    }

    /// The marks that rules set on packets, or look for.
    pub fn marks(&self) -> BTreeSet<u32> {
        let pairs = self.chains().flat_map(|chain| &chain.rules).flat_map(|rule| rule.windows(2));
        let mark = |pair: &[Expression]| match pair {
            [Expression::Data(_, value), Expression::SetMeta(Meta::Mark, _)]
            | [Expression::Meta(Meta::Mark, _), Expression::Compare(_, _, value)]
            | [Expression::Ct(Ct::Mark, _), Expression::Compare(_, _, value)] => {
                value.as_slice().try_into().ok().map(u32::from_ne_bytes)
            }
            _ => None,
        };
        pairs.filter_map(mark).collect()
    }

    fn chains(&self) -> impl Iterator<Item = &PresentChain> {
        self.tables.values().flat_map(|table| table.chains.values())
    }

    /// What leads from these tables to the wanted ones; nothing if they are the same. `force` writes all of them even so.
    /// With none wanted, all go.
    ///
    /// # Errors
    /// When a rule names a group.
    pub fn steps_to(&self, wanted: &[NativeTable], force: bool) -> Result<Vec<Step>, UnknownGroups> {
        let mut steps = Vec::new();
        for table in TABLES {
            let wanted = wanted.iter().find(|wanted| wanted.table == table);
            match (self.tables.get(table_name(table)), wanted) {
                (None, None) => {}
                (Some(_), None) => steps.push(Step::DeleteTable(table)),
                (None, Some(wanted)) => {
                    steps.push(Step::AddTable(table));
                    steps.extend(Step::filling(wanted));
                }
                (Some(present), Some(wanted)) => {
                    if force || !present.is_as(wanted)? {
                        steps.extend(present.refilled(wanted));
                    }
                }
            }
        }
        Ok(steps)
    }
}

impl PresentTable {
    fn is_as(&self, wanted: &NativeTable) -> Result<bool, UnknownGroups> {
        if !self.is_usable(wanted) || self.chains.len() != wanted.chains.len() {
            return Ok(false);
        }
        for chain in &wanted.chains {
            let rules: Vec<Vec<Expression>> = chain.rules.iter().map(expressions).collect::<Result<_, _>>()?;
            if self.chains.get(chain_name(chain.chain)).is_none_or(|present| present.rules != rules) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether nothing is in the way of the wanted chains: with other rules it would be the wanted table.
    fn is_usable(&self, wanted: &NativeTable) -> bool {
        let fits = |(name, chain): (&String, &PresentChain)| {
            let of_name = wanted.chains.iter().find(|wanted| chain_name(wanted.chain) == name);
            of_name.is_none_or(|of_name| {
                let wanted_base = base(wanted.table, of_name.chain).map(DumpedBase::from);
                !chain.dumped.has_flags && chain.dumped.base == wanted_base
            })
        };
        let holds_only_chains = usize::try_from(self.dumped.uses) == Ok(self.chains.len());
        !self.dumped.has_flags && holds_only_chains && self.chains.iter().all(fits)
    }

    /// A table is flushed rather than deleted, since the kernel takes many times as long to delete one.
    fn refilled(&self, wanted: &NativeTable) -> Vec<Step> {
        let table = wanted.table;
        if !self.is_usable(wanted) {
            return [Step::DeleteTable(table), Step::AddTable(table)]
                .into_iter()
                .chain(Step::filling(wanted))
                .collect();
        }
        let is_wanted = |name: &String| wanted.chains.iter().any(|chain| chain_name(chain.chain) == name);
        let is_there =
            |step: &Step| matches!(step, Step::AddChain(_, chain) if self.chains.contains_key(chain_name(*chain)));
        let mut steps = vec![Step::FlushTable(table)];
        let stale = self.chains.keys().filter(|name| !is_wanted(name)).cloned();
        steps.extend(stale.map(|name| Step::DeleteChain(table, name)));
        steps.extend(Step::filling(wanted).filter(|step| !is_there(step)));
        steps
    }
}

/// The family that a rule is limited to.
fn only_family(rule: &[Expression]) -> Option<Family> {
    rule.windows(2).find_map(|pair| match pair {
        [Expression::Meta(Meta::Family, _), Expression::Compare(Comparison::Equal, _, value)] => {
            [Family::V4, Family::V6].into_iter().find(|family| value[..] == [Protocol::from(*family) as u8])
        }
        _ => None,
    })
}

impl DumpedTable {
    /// The answer to the request with this number.
    pub fn dump(sequence: u32) -> Dump<Self> {
        Dump::of(sequence, Kind::NewTable, Self::read)
    }

    /// Whether it has one of our names.
    pub fn is_ours(&self) -> bool {
        TABLES.iter().any(|table| table_name(*table) == self.name)
    }

    // NFTA_TABLE_NAME, _FLAGS, _USE
    fn read(found: &Attributes<'_>) -> Result<Self, Failure> {
        let name = found.text(1).ok_or(Failure::Malformed("table"))?.to_owned();
        Ok(Self { name, has_flags: found.u32(2).unwrap_or(0) != 0, uses: found.u32(3).unwrap_or(0) })
    }
}

impl DumpedChain {
    /// The answer to the request with this number.
    pub fn dump(sequence: u32) -> Dump<Self> {
        Dump::of(sequence, Kind::NewChain, Self::read)
    }

    // NFTA_CHAIN_TABLE, _NAME, _HOOK (NFTA_HOOK_HOOKNUM, _PRIORITY), _POLICY, _TYPE, _FLAGS
    fn read(found: &Attributes<'_>) -> Result<Self, Failure> {
        let text = |kind| found.text(kind).map(str::to_owned).ok_or(Failure::Malformed("chain"));
        let hook = found.nested(4);
        let base = found.get(4).map(|_| DumpedBase {
            kind: found.text(7).unwrap_or_default().to_owned(),
            hook: hook.u32(1),
            priority: hook.u32(2),
            policy: found.u32(5),
        });
        let has_flags = found.u32(10).unwrap_or(0) & !CHAIN_BASE != 0;
        Ok(Self { table: text(1)?, name: text(3)?, base, has_flags })
    }
}

impl From<Base> for DumpedBase {
    fn from(Base { kind, hook, priority }: Base) -> Self {
        let (hook, priority) = (Some(hook), Some(priority.cast_unsigned()));
        Self { kind: kind.to_owned(), hook, priority, policy: Some(ACCEPT) }
    }
}

#[cfg(test)]
mod tests;
