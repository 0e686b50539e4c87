//! The rules of a network namespace as they are shown: each with whose it is and why it is there.

mod routing;

use std::fmt;

use serde_json::{Value, json};

pub use self::routing::routing;
use crate::owned::Current;
use crate::reason::{Reasons, is_own};
use crate::rule::{Family, Table};
use crate::saved::{Saved, SavedRule};

/// All that is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every table that has rules.
    pub tables: Vec<TableListing>,
    /// Addresses, rules and routes.
    pub routing: Vec<Line>,
}

/// One table of one family in one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableListing {
    /// In a word, which way the kernel holds it.
    pub backend: String,
    /// The family.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// Its rules: those in chains of the kernel first, chain by chain, in order.
    pub rules: Vec<Line>,
}

/// One line, with what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As `iptables-save`, or `ip`, has it.
    pub text: String,
    /// Whose it is.
    pub owner: Whose,
    /// Why it is there.
    pub reason: String,
}

/// Whose a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Ours, or Istio's.
    Ours,
    /// Somebody else's.
    Others,
    /// Somebody else's, and it decides before ours are asked.
    OthersFirst,
}

const UNKNOWN: &str = "not a rule that this version writes";
const FOREIGN: &str = "not ours";
const FOREIGN_FIRST: &str = "not ours, and decides before ours: what it matches is not redirected";

impl TableListing {
    /// Describes a table.
    pub fn new(backend: &str, family: Family, table: Table, saved: &Saved) -> Self {
        let reasons = Reasons::of(saved);
        let Current { owned, others, above, .. } = Current::divide(saved);
        let explained = |chain: &str, body: &str| {
            let reason = reasons.reason(table, chain, body).unwrap_or_else(|| UNKNOWN.to_owned());
            Line { text: format!("-A {chain} {body}"), owner: Whose::Ours, reason }
        };
        let (mut others, mut above) = (others.iter().peekable(), above.iter().peekable());
        let mut rules: Vec<Line> = Vec::new();
        for rule in &saved.others {
            // Both are in the order of the table, so a rule is one of them if it is the next.
            let (is_foreign, is_above) = (others.next_if_eq(&rule).is_some(), above.next_if_eq(&rule).is_some());
            rules.push(if is_foreign {
                foreign(rule, is_above, &saved.others)
            } else {
                explained(rule.chain(), rule.body())
            });
        }
        for (chain, bodies) in &saved.chains {
            rules.extend(bodies.iter().map(|body| explained(chain, body)));
        }
        // A chain that has been emptied is worth a line.
        let empty =
            owned.chains.iter().filter(|(chain, bodies)| bodies.is_empty() && is_own(chain) && *chain != "ISTIO_NOTE");
        rules.extend(empty.map(|(chain, _)| Line {
            text: format!("-N {chain}"),
            owner: Whose::Ours,
            reason: "a chain without rules".to_owned(),
        }));
        Self { backend: backend.to_owned(), family, table, rules }
    }
}

impl Listing {
    /// One JSON object: `tables`, each with `backend`, `family`, `table` and `rules`, and `routing`. A rule or entry has
    /// `text`, `owner` (`ours`, `others`), `decidesFirst` and `reason`.
    pub fn json(&self) -> Value {
        let tables = self.tables.iter().map(|table| {
            json!({
                "backend": table.backend,
                "family": table.family.to_string(),
                "table": table.table.to_string(),
                "rules": table.rules.iter().map(Line::json).collect::<Vec<_>>(),
            })
        });
        let routing = self.routing.iter().map(Line::json);
        json!({"tables": tables.collect::<Vec<_>>(), "routing": routing.collect::<Vec<_>>()})
    }
}

impl Line {
    fn json(&self) -> Value {
        let owner = if self.owner == Whose::Ours { "ours" } else { "others" };
        let decides_first = self.owner == Whose::OthersFirst;
        json!({"text": self.text, "owner": owner, "decidesFirst": decides_first, "reason": self.reason})
    }
}

fn foreign(rule: &SavedRule, is_above: bool, others: &[SavedRule]) -> Line {
    let (owner, reason) = if is_above && rule.is_final_for_tcp(others) {
        (Whose::OthersFirst, FOREIGN_FIRST)
    } else {
        (Whose::Others, FOREIGN)
    };
    Line { text: format!("-A {rule}"), owner, reason: reason.to_owned() }
}

/// Table after table, each rule with its reason below it.
impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tables.is_empty() && self.routing.is_empty() {
            return writeln!(f, "There are no rules.");
        }
        for (index, TableListing { backend, family, table, rules }) in self.tables.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(f, "{gap}{family} {table} ({backend})")?;
            rules.iter().try_for_each(|line| line.fmt(f))?;
        }
        if !self.routing.is_empty() {
            let gap = if self.tables.is_empty() { "" } else { "\n" };
            writeln!(f, "{gap}routing")?;
        }
        self.routing.iter().try_for_each(|line| line.fmt(f))
    }
}

/// The line, and below it the reason, marked where it should be noticed.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.owner == Whose::OthersFirst { "!" } else { " " };
        writeln!(f, "  {}\n    {sign} {}", self.text, self.reason)
    }
}

#[cfg(test)]
mod tests;
