//! What one transaction does to one table of one family.

use crate::rule::{Family, RuleSet, Table};
use crate::saved::SavedRule;

/// From what is there to what is wanted. Rules of others are never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Our rules in chains of others, as they were read: they go.
    pub removed: Vec<SavedRule>,
    /// Our chains that are there: they are emptied, and they go unless `rules` has them.
    pub present: Vec<String>,
    /// What is written then. No rules at all: everything of ours goes.
    pub rules: RuleSet,
}

impl Change {
    /// The family.
    pub fn family(&self) -> Family {
        self.rules.family
    }

    /// The table.
    pub fn table(&self) -> Table {
        self.rules.table
    }

    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.present.is_empty() && self.rules.rules.is_empty()
    }

    /// Our chains that are there and not wanted any more.
    pub fn stale(&self) -> impl Iterator<Item = &str> {
        let wanted = self.rules.own_chains();
        let is_wanted = move |name: &str| wanted.iter().any(|chain| chain.name() == name);
        self.present.iter().map(String::as_str).filter(move |name| !is_wanted(name))
    }
}
