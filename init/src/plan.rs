//! What has to be done to come from the rules that are there to those that are wanted.

use crate::change::Change;
use crate::owned::{Current, Owned};
use crate::restore;
use crate::rule::{Chain, Position, Rule, RuleSet, Target};
use crate::saved::SavedRule;

/// What to do for one table of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: the wanted rules are there, in the wanted order.
    Keep,
    /// Give this to `iptables-restore --noflush`.
    Write {
        /// The input.
        input: String,
        /// Whether rules of an earlier run go.
        replaces: bool,
    },
}

/// Compares what is wanted with what is there. `force` writes even what is there already.
pub fn plan(wanted: &RuleSet, current: &Current, force: bool) -> Plan {
    if !force && current.owned.clone().without_notes() == Owned::after(wanted) {
        return Plan::Keep;
    }
    let change = Change {
        removed: current.owned.outside.clone(),
        present: current.owned.chains.keys().cloned().collect(),
        rules: with_notes(wanted, current),
    };
    Plan::Write { input: restore::swap(&change), replaces: !current.owned.is_empty() }
}

/// Rules of others that, once `plan` has been carried out, end the way of TCP connections before they come to `wanted`.
pub fn ahead_of_ours<'a>(
    wanted: &'a RuleSet,
    current: &'a Current,
    plan: &Plan,
) -> impl Iterator<Item = &'a SavedRule> + use<'a> {
    // What is written comes after all that is there.
    let above = if *plan == Plan::Keep { &current.above } else { &current.others };
    let meets = |rule: &SavedRule| wanted.rules.iter().any(|ours| rule.is_in(ours.chain) && ours.is_jump());
    above.iter().filter(move |rule| rule.is_final_for_tcp() && meets(rule))
}

/// Adds what a later run needs to tell our rules from those of others, where the rules alone do not say it.
fn with_notes(wanted: &RuleSet, current: &Current) -> RuleSet {
    let target = Target::Jump(Chain::Note);
    let note = |chain, position, matches| Rule { setting: None, chain, position, matches, target };
    let mut rules = wanted.rules.clone();
    let above_ours = current.others.iter().rfind(|rule| rule.is_in(Chain::Output));
    if above_ours.is_some_and(|rule| rule.returned_interface().is_some()) {
        rules.insert(0, note(Chain::Output, Position::Last, vec![]));
    }
    let inserted = || wanted.rules.iter().filter(|rule| rule.position != Position::Last);
    if inserted().all(|rule| rule.target == Target::Return) {
        rules.extend(inserted().map(|rule| note(rule.chain, Position::At(1), rule.matches.clone())));
    }
    RuleSet { rules, ..wanted.clone() }
}

#[cfg(test)]
mod tests;
