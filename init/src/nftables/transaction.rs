//! Changes of all tables and both families as one transaction.

use crate::change::Change;
use crate::groups::UnknownGroups;
use crate::nftables::base::base;
use crate::nftables::batch::{Batch, NewRule, Place, TableId};
use crate::nftables::snapshot::Snapshot;
use crate::nftables::userdata::MARK;
use crate::nftables::xtables::{Encoded, encode};
use crate::rule::{Chain, Family, Position, Table};
use crate::saved::SavedRule;

/// What a message of the transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes the table.
    Table,
    /// Makes or deletes a chain, or its rules.
    Chain,
    /// Takes back the rule at this place of [`Change::removed`].
    Removal(usize),
    /// Writes the rule at this place of the wanted rules.
    Rule(usize),
}

/// A transaction, and what each of its messages is for.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// The messages.
    pub batch: Batch,
    /// Of the first message, the second, and so on: the place of its change in the list, and what it does.
    pub steps: Vec<(usize, Step)>,
}

/// Why there is no transaction that would bring about the changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// A rule names a group, rather than gives its number.
    #[error(transparent)]
    Groups(#[from] UnknownGroups),
    /// Rules in there would do nothing.
    #[error("the {0} {1} table is dormant, so that no rule in it has an effect; wake it with `nft add table {nft} {1}`", nft = nft(*.0))]
    Dormant(Family, Table),
    /// Rules in there would do nothing.
    #[error(
        "the {0} {1} table has a chain {2} that does not see the packets that iptables' {2} sees; \
         delete it, or give it another name with `nft rename chain {nft} {1} {2}`",
        nft = nft(*.0)
    )]
    NotCalled(Family, Table, Chain),
}

/// By which `nft` knows a family.
fn nft(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

/// Puts the changes together: for each, what is old goes, then what is new is made. The kernel lets packets see all of it
/// at once.
///
/// # Errors
/// [`Impossible`]
pub fn transaction(changes: &[Change], seen: &Snapshot) -> Result<Transaction, Impossible> {
    let mut transaction = Transaction { batch: Batch::new(seen.generation), steps: vec![] };
    for (at, change) in changes.iter().enumerate().filter(|(_, change)| !change.is_empty()) {
        let name = change.table().to_string();
        let table = TableId { protocol: change.family().into(), name: &name };
        Writer { at, change, seen, table, transaction: &mut transaction }.write()?;
    }
    Ok(transaction)
}

struct Writer<'a> {
    at: usize,
    change: &'a Change,
    seen: &'a Snapshot,
    table: TableId<'a>,
    transaction: &'a mut Transaction,
}

impl Writer<'_> {
    fn write(&mut self) -> Result<(), Impossible> {
        let (table, change) = (self.table, self.change);
        let (family, kind) = (change.family(), change.table());
        if !change.rules.rules.is_empty() && self.seen.dormant.contains(&(family, kind)) {
            return Err(Impossible::Dormant(family, kind));
        }

        self.step(Step::Table, |batch| batch.new_table(table));
        for (at, rule) in change.removed.iter().enumerate() {
            if let Some(handle) = rule.handle {
                self.step(Step::Removal(at), |batch| batch.delete_rule(table, rule.chain(), handle));
            }
        }
        for chain in &change.present {
            self.step(Step::Chain, |batch| batch.flush(table, Some(chain)));
        }
        for chain in change.rules.own_chains() {
            if !change.present.iter().any(|present| present == chain.name()) {
                self.step(Step::Chain, |batch| batch.new_chain(table, chain.name(), None));
            }
        }
        for chain in self.built_in_chains() {
            let base = base(kind, chain);
            match self.seen.chain(family, kind, chain.name()) {
                None => self.step(Step::Chain, |batch| batch.new_chain(table, chain.name(), base)),
                Some(there) if there.hook == base.map(|base| base.hook) => {}
                Some(_) => return Err(Impossible::NotCalled(family, kind, chain)),
            }
        }
        let chains: Vec<Chain> = self.built_in_chains().into_iter().chain(change.rules.own_chains()).collect();
        for chain in chains {
            self.write_rules(chain)?;
        }
        for chain in change.stale() {
            self.step(Step::Chain, |batch| batch.delete_chain(table, chain));
        }
        Ok(())
    }

    fn step(&mut self, step: Step, message: impl FnOnce(&mut Batch) -> u32) {
        message(&mut self.transaction.batch);
        self.transaction.steps.push((self.at, step));
    }

    fn built_in_chains(&self) -> Vec<Chain> {
        let used = |chain: &Chain| self.change.rules.rules.iter().any(|rule| rule.chain == *chain);
        [Chain::Prerouting, Chain::Output].into_iter().filter(used).collect()
    }

    fn write_rules(&mut self, chain: Chain) -> Result<(), Impossible> {
        for (at, place) in places(&final_order(chain, self.change, self.seen)) {
            let rule = &self.change.rules.rules[at];
            let Encoded { expressions, protocol } = encode(rule, self.change.family())?;
            let new = NewRule {
                chain: chain.name(),
                place,
                expressions: &expressions,
                compatible_protocol: Some(protocol),
                // Where one rule is marked all are, so that nobody has to guess about the others.
                userdata: if chain.is_own() { &[] } else { &MARK },
            };
            let table = self.table;
            self.step(Step::Rule(at), |batch| batch.new_rule(table, &new));
        }
        Ok(())
    }
}

/// A rule of a chain as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// One that is there, by its handle.
    There(u64),
    /// One that is written, by its place among the wanted rules.
    New(usize),
}

/// The rules of a chain as they would be if they were written one after the other, each at its position.
fn final_order(chain: Chain, change: &Change, seen: &Snapshot) -> Vec<Entry> {
    let is_removed = |handle: u64| change.removed.iter().any(|rule| rule.handle == Some(handle));
    let there = |rule: &SavedRule| rule.handle.filter(|handle| rule.is_in(chain) && !is_removed(*handle));
    let saved = seen.table(change.family(), change.table());
    let mut order: Vec<Entry> =
        saved.iter().flat_map(|saved| &saved.others).filter_map(there).map(Entry::There).collect();
    for (at, rule) in change.rules.rules.iter().enumerate().filter(|(_, rule)| rule.chain == chain) {
        match rule.position {
            Position::At(place) => {
                order.insert(usize::from(place).saturating_sub(1).min(order.len()), Entry::New(at));
            }
            Position::Last => order.push(Entry::New(at)),
        }
    }
    order
}

/// The new rules in an order in which each can be put by naming only rules that are there already.
fn places(order: &[Entry]) -> Vec<(usize, Place)> {
    let last_there = order.iter().rposition(|entry| matches!(entry, Entry::There(_)));
    let (among, after) = order.split_at(last_there.map_or(0, |at| at + 1));
    let mut places = vec![];
    let mut before = Place::First;
    let mut run: Vec<usize> = vec![];
    for entry in among {
        match entry {
            Entry::New(at) => run.push(*at),
            Entry::There(handle) => {
                // Each pushes away what was put at the same place before.
                places.extend(run.drain(..).rev().map(|at| (at, before)));
                before = Place::After(*handle);
            }
        }
    }
    places.extend(after.iter().filter_map(|entry| match entry {
        Entry::New(at) => Some((*at, Place::Last)),
        Entry::There(_) => None,
    }));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_put_around_those_that_are_there() {
        use Entry::{New, There};
        let order = [New(0), New(1), There(7), There(8), New(2), New(3), There(9), New(4), New(5)];
        let expected = [
            (1, Place::First),
            (0, Place::First),
            (3, Place::After(8)),
            (2, Place::After(8)),
            (4, Place::Last),
            (5, Place::Last),
        ];
        assert_eq!(places(&order), expected);
        assert_eq!(places(&[New(1), New(0)]), [(1, Place::Last), (0, Place::Last)]);
        assert_eq!(places(&[There(1)]), []);
    }
}
