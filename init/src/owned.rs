//! What is ours of the rules in a table: of those that are there, and of those that are to be.

mod shape;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::canonical;
use crate::rule::{Chain, Position, RuleSet};
use crate::saved::{Saved, SavedRule};

/// Our part of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    /// Our chains, each with its rules in order, without the leading `-A CHAIN`.
    pub chains: BTreeMap<String, Vec<String>>,
    /// Our rules in chains of others, in order.
    pub outside: Vec<SavedRule>,
}

/// One table as it is, divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Current {
    /// Our part.
    pub owned: Owned,
    /// Those of our rules in chains of others that may as well be somebody else's, from the top.
    pub guessed: Vec<SavedRule>,
    /// The rules of others, chain by chain, in order.
    pub others: Vec<SavedRule>,
    /// Those of them that come before the last jump of the same chain to a chain of ours.
    pub above: Vec<SavedRule>,
    /// How many rules of others are above ours, by chain. Only chains in which some are below ours too.
    pub places: BTreeMap<String, usize>,
}

impl Current {
    /// Divides a table.
    ///
    /// Ours are the chains of a sidecar ([`crate::rule::Table::holds_own`]), every jump from PREROUTING or OUTPUT to one, and every rule
    /// in a chain of others that bears our mark.
    /// Rules without a mark, which iptables-legacy has none for and Istio writes none with, are told by their shape
    /// ([`shape`]).
    pub fn divide(saved: &Saved) -> Self {
        let rules = &saved.others;
        let shape::Ours { all: ours, guessed } = shape::ours(saved);
        let jumps = rules.iter().enumerate().filter(|(_, rule)| rule.jumps_to(&saved.chains));
        let last_jumps: BTreeMap<&str, usize> = jumps.map(|(at, rule)| (rule.chain(), at)).collect();
        let mut current = Self { owned: Owned { chains: saved.chains.clone(), outside: vec![] }, ..Self::default() };
        for (at, rule) in rules.iter().enumerate() {
            if ours.contains(&at) {
                current.owned.outside.push(rule.clone());
                current.guessed.extend(guessed.contains(&at).then(|| rule.clone()));
                continue;
            }
            current.others.push(rule.clone());
            if last_jumps.get(rule.chain()).is_some_and(|jump| at < *jump) {
                current.above.push(rule.clone());
            }
        }
        current.places = places(rules, &ours);
        current.owned.sort();
        current
    }

    /// The rules of others above which ours come once they are written anew, in their old places where they had any.
    pub fn above_rewritten(&self) -> impl Iterator<Item = &SavedRule> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        self.others.iter().filter(move |rule| {
            let at = seen.entry(rule.chain()).or_default();
            *at += 1;
            self.places.get(rule.chain()).is_none_or(|place| *at <= *place)
        })
    }
}

/// [`Current::places`]. What is put at the top of a chain whoever is there, and names the interface of a virtual machine,
/// does not say where the others of ours were put.
fn places(rules: &[SavedRule], ours: &BTreeSet<usize>) -> BTreeMap<String, usize> {
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut first, mut last_at_top) = (BTreeMap::new(), BTreeMap::new());
    for (at, rule) in rules.iter().enumerate() {
        let above = others.entry(rule.chain()).or_default();
        if !ours.contains(&at) {
            *above += 1;
        } else if rule.in_interface().is_none() {
            first.entry(rule.chain()).or_insert(*above);
        } else {
            last_at_top.insert(rule.chain(), *above);
        }
    }
    let mut places = last_at_top;
    places.extend(first);
    places.retain(|chain, above| others.get(chain).is_some_and(|all| *above < *all));
    places.into_iter().map(|(chain, above)| (chain.to_owned(), above)).collect()
}

impl Owned {
    /// What [`Current::divide`] finds once `rules` have been written.
    ///
    /// Only a group given by name differs: the kernel knows its number alone.
    pub fn after(rules: &RuleSet) -> Self {
        let mut owned = Self::default();
        let mut outside: [(Chain, Vec<SavedRule>); 2] = [(Chain::Prerouting, vec![]), (Chain::Output, vec![])];
        for chain in rules.own_chains() {
            owned.chains.insert(chain.name().to_owned(), vec![]);
        }
        for rule in &rules.rules {
            let body = canonical::body(rule, rules.family);
            if let Some(bodies) = owned.chains.get_mut(rule.chain.name()) {
                put(bodies, rule.position, body);
            } else if let Some((_, saved)) = outside.iter_mut().find(|(chain, _)| *chain == rule.chain) {
                put(saved, rule.position, SavedRule::new(rule.chain, body));
            }
        }
        owned.outside = outside.into_iter().flat_map(|(_, saved)| saved).collect();
        owned.sort();
        owned
    }

    /// The same without [`Chain::Note`], which is not among the rules that anybody asked for.
    pub fn without_notes(mut self) -> Self {
        self.chains.remove(Chain::Note.name());
        self.outside.retain(|rule| rule.target() != Some(Chain::Note.name()));
        self
    }

    /// The same without those of `guessed` that are here more often than `wanted` has them.
    pub fn without_surplus(mut self, guessed: &[SavedRule], wanted: &Self) -> Self {
        for rule in guessed {
            let count = |owned: &Self| owned.outside.iter().filter(|ours| *ours == rule).count();
            if count(&self) > count(wanted)
                && let Some(first) = self.outside.iter().position(|ours| ours == rule)
            {
                self.outside.remove(first);
            }
        }
        self
    }

    /// The marks that our chains set on packets, or look for.
    pub fn marks(&self) -> BTreeSet<u32> {
        shape::marks(&self.chains)
    }

    /// nf_tables lists chains in the order in which they were made, which says nothing: only the order within each does.
    fn sort(&mut self) {
        self.outside
            .sort_by_key(|rule| (!rule.is_in(Chain::Prerouting), !rule.is_in(Chain::Output), rule.chain().to_owned()));
    }

    /// Whether nothing of ours is there.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.outside.is_empty()
    }
}

/// The rules as `iptables-save` prints them, with `-A CHAIN`: those in built-in chains first.
impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.outside {
            writeln!(f, "-A {rule}")?;
        }
        for (chain, rules) in &self.chains {
            for rule in rules {
                writeln!(f, "-A {chain} {rule}")?;
            }
        }
        Ok(())
    }
}

fn put<T>(rules: &mut Vec<T>, position: Position, rule: T) {
    match position {
        Position::At(place) => rules.insert(usize::from(place).saturating_sub(1).min(rules.len()), rule),
        Position::Last => rules.push(rule),
    }
}

#[cfg(test)]
mod tests;
