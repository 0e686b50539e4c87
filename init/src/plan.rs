//! What has to be done to come from the rules that are there to those that are wanted.

use std::collections::BTreeSet;
use std::fmt;

use crate::backend::Kind;
use crate::change::Change;
use crate::owned::{Current, Owned};
use crate::rule::{Chain, Family, Match, Position, Rule, RuleSet, Table, Target};
use crate::saved::{Saved, SavedRule};
use crate::value::Interface;

/// In which tables rules of ours may be, in the order in which they are written where each is written by itself: what
/// sends connections to the proxy comes last, when all that it relies on is in place.
const TABLES: [Table; 3] = [Table::Raw, Table::Mangle, Table::Nat];

/// What is there of one backend, as read. A table that is missing is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Its tables, each at most once.
    pub tables: Vec<(Family, Table, Saved)>,
}

/// The same, divided into ours and what belongs to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its tables, each at most once.
    pub tables: Vec<(Family, Table, Current)>,
}

/// What became of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rules were written where none of ours were.
    Fresh,
    /// The rules were written in place of others of ours.
    Replaced,
    /// The rules were there.
    Unchanged,
    /// Rules of ours were there, and none are wanted.
    Removed,
}

impl Dump {
    /// One table.
    pub fn table(&self, family: Family, table: Table) -> Saved {
        let mut tables = self.tables.iter().filter(|(of, name, _)| (*of, *name) == (family, table));
        tables.next().map(|(_, _, saved)| saved.clone()).unwrap_or_default()
    }
}

/// Divides every table.
pub fn divide(tables: &[(Family, Table, Saved)]) -> View {
    let divided = |(family, table, saved): &(Family, Table, Saved)| (*family, *table, Current::divide(saved));
    View { tables: tables.iter().map(divided).collect() }
}

impl View {
    /// One table.
    pub fn table(&self, family: Family, table: Table) -> Option<&Current> {
        let mut tables = self.tables.iter().filter(|(of, name, _)| (*of, *name) == (family, table));
        tables.next().map(|(_, _, current)| current)
    }

    /// Whether the nat table of either family has any rule.
    pub fn has_nat_rules(&self) -> bool {
        let nat = self.tables.iter().filter(|(_, table, _)| *table == Table::Nat);
        nat.map(|(_, _, current)| current).any(|current| !current.others.is_empty() || !current.owned.is_empty())
    }

    /// Whether anything of ours is there.
    pub fn holds_ours(&self) -> bool {
        [Family::V4, Family::V6].into_iter().any(|family| self.holds_ours_of(family))
    }

    /// Whether anything of ours is there for one family.
    pub fn holds_ours_of(&self, family: Family) -> bool {
        self.tables.iter().any(|(of, _, current)| *of == family && !current.owned.is_empty())
    }

    /// The marks that our chains set on packets, or look for.
    pub fn marks(&self) -> BTreeSet<u32> {
        self.tables.iter().flat_map(|(_, _, current)| current.owned.marks()).collect()
    }
}

/// What leads from `view` to exactly the rules of `goal`, in the order in which it may be done step by step: nothing for
/// a table that is as wanted. Rules of ours in a table that `goal` lacks are removed. `force` writes even what is there.
pub fn changes(goal: &[RuleSet], view: &View, kind: Kind, force: bool) -> Vec<Change> {
    let mut changes = Vec::new();
    for family in [Family::V4, Family::V6] {
        let mut of_family: Vec<Change> =
            TABLES.into_iter().filter_map(|table| change(&wanted(goal, family, table), view, kind, force)).collect();
        // A stable sort: what is not put off stays where it is.
        of_family.sort_by_key(is_put_off);
        changes.extend(of_family);
    }
    changes
}

/// The rules of one table; none at all where `goal` does not have it.
fn wanted(goal: &[RuleSet], family: Family, table: Table) -> RuleSet {
    let found = goal.iter().find(|rules| (rules.family, rules.table) == (family, table));
    found.cloned().unwrap_or(RuleSet { family, table, rules: vec![] })
}

/// Whether a table has to wait for nat: where it has sent connections to the proxy and is not to do so any more, nat
/// takes that over, and until it does they would go past the proxy.
fn is_put_off(change: &Change) -> u8 {
    let gives_up = |chain: Chain| change.stale().any(|stale| stale == chain.name());
    match change.table() {
        Table::Nat => 1,
        Table::Mangle if gives_up(Chain::Tproxy) => 2,
        Table::Raw if gives_up(Chain::OutboundDns) => 2,
        Table::Mangle | Table::Raw => 0,
    }
}

fn change(wanted: &RuleSet, view: &View, kind: Kind, force: bool) -> Option<Change> {
    let nothing = Current::default();
    let current = view.table(wanted.family, wanted.table).unwrap_or(&nothing);
    let is_there = is_there(&Owned::after(wanted), current, kind);
    // A note alone is nothing that anybody wants.
    let is_kept = if wanted.rules.is_empty() { current.owned.is_empty() } else { is_there && !force };
    if is_kept {
        return None;
    }
    let rules = if kind == Kind::Legacy { with_notes(wanted, current) } else { wanted.clone() };
    let rules = in_old_places(rules, current);
    let Owned { chains, outside } = &current.owned;
    let mut change = Change { removed: outside.clone(), present: chains.keys().cloned().collect(), rules };
    // A chain cannot go while somebody else's rule sends packets there.
    let stale = change.stale().map(|chain| (chain.to_owned(), vec![])).collect();
    change.removed.extend(current.others.iter().filter(|rule| rule.jumps_to(&stale)).cloned());
    (!change.is_empty()).then_some(change)
}

/// Whether all is as it is to be.
///
/// On nf_tables we mark our rules. Where none is marked all are of Istio, and if they are what is wanted but for some that
/// may be somebody else's, then those are somebody else's. On iptables-legacy they may be of our own last run, and go.
fn is_there(wanted: &Owned, current: &Current, kind: Kind) -> bool {
    let there = current.owned.clone().without_notes();
    there == *wanted || kind == Kind::Nft && there.without_surplus(&current.guessed, wanted) == *wanted
}

/// The same, with what would be appended below rules of others that it was above: what they decide about would go past the
/// proxy from then on.
fn in_old_places(mut wanted: RuleSet, current: &Current) -> RuleSet {
    for (chain, above) in &current.places {
        let mut place = above + 1;
        for rule in wanted.rules.iter_mut().filter(|rule| rule.chain.name() == chain) {
            if rule.position == Position::Last
                && let Ok(place) = u16::try_from(place)
            {
                rule.position = Position::At(place);
            }
            // All that is put before it moves the place on.
            place += usize::from(matches!(rule.position, Position::At(at) if usize::from(at) <= place));
        }
    }
    wanted
}

/// What becomes of each table that has rules or had some of ours, once `changes` are done.
pub fn outcomes(goal: &[RuleSet], changes: &[Change]) -> Vec<(Family, Table, Outcome)> {
    let mut outcomes = Vec::new();
    for family in [Family::V4, Family::V6] {
        for table in TABLES {
            let change = changes.iter().find(|change| (change.family(), change.table()) == (family, table));
            let is_wanted = !wanted(goal, family, table).rules.is_empty();
            let outcome = match (is_wanted, change) {
                (false, None) => continue,
                (false, Some(_)) => Outcome::Removed,
                (true, None) => Outcome::Unchanged,
                (true, Some(Change { removed, present, .. })) if removed.is_empty() && present.is_empty() => {
                    Outcome::Fresh
                }
                (true, Some(_)) => Outcome::Replaced,
            };
            outcomes.push((family, table, outcome));
        }
    }
    outcomes
}

/// Rules of others that end the way of TCP connections before they come to `wanted`: now, or once it has been written.
pub fn ahead_of_ours<'a>(
    wanted: &'a RuleSet,
    current: &'a Current,
    is_written: bool,
) -> impl Iterator<Item = &'a SavedRule> + use<'a> {
    let now = if is_written { &[][..] } else { &current.above };
    let then = current.above_rewritten().filter(move |_| is_written);
    let meets = |rule: &SavedRule| wanted.rules.iter().any(|ours| rule.is_in(ours.chain) && ours.is_jump());
    now.iter().chain(then).filter(move |rule| rule.is_final_for_tcp(&current.others) && meets(rule))
}

/// Adds what a later run needs to tell our rules from those of others, where the rules alone do not say it and the
/// backend has no room for a mark.
fn with_notes(wanted: &RuleSet, current: &Current) -> RuleSet {
    let target = Target::Jump(Chain::Note);
    let note = |chain, position, matches| Rule { setting: None, chain, position, matches, target };
    let mut rules = wanted.rules.clone();
    if rules.is_empty() {
        return wanted.clone();
    }
    let in_output = || wanted.rules.iter().filter(|rule| rule.chain == Chain::Output);
    let above_ours = current.above_rewritten().filter(|rule| rule.is_in(Chain::Output)).last();
    if in_output().next().is_some() && above_ours.is_some_and(|rule| rule.returned_interface().is_some()) {
        rules.insert(0, note(Chain::Output, Position::Last, vec![]));
    }
    // Below them there is a rule that is certainly ours, or has to be.
    let mut in_output = in_output().peekable();
    if in_output.peek().is_some() && in_output.all(|rule| rule.matches.len() == 1 && rule.target == Target::Return) {
        rules.push(note(Chain::Output, Position::Last, vec![]));
    }
    for interface in untold(wanted) {
        rules.push(note(Chain::Prerouting, Position::At(1), vec![Match::InInterface(interface)]));
    }
    RuleSet { rules, ..wanted.clone() }
}

/// The interfaces that more rules return in PREROUTING than a later run finds by the rules in OUTPUT that return them, and
/// by a jump that names them.
fn untold(wanted: &RuleSet) -> Vec<Interface> {
    let count = |test: &dyn Fn(&Rule) -> bool| wanted.rules.iter().filter(|rule| test(rule)).count();
    let mut untold: Vec<Interface> = Vec::new();
    for rule in wanted.rules.iter().filter(|rule| rule.chain == Chain::Prerouting && rule.target == Target::Return) {
        let [Match::InInterface(interface)] = &rule.matches[..] else { continue };
        let out = [Match::OutInterface(interface.clone())];
        let returned =
            count(&|other| (other.chain, &other.matches) == (rule.chain, &rule.matches) && other.target == rule.target);
        let in_output =
            count(&|other| other.chain == Chain::Output && other.matches == out && other.target == rule.target);
        let is_named =
            count(&|other| other.chain == rule.chain && other.is_jump() && other.matches.contains(&rule.matches[0]))
                > 0;
        if returned > in_output + usize::from(is_named) && !untold.contains(interface) {
            untold.push(interface.clone());
        }
    }
    untold
}

impl Outcome {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
