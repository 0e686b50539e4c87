//! What has to be done to come from the rules that are there to those that are wanted.

use crate::restore;
use crate::rule::RuleSet;
use crate::saved::Owned;

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
pub fn plan(wanted: &RuleSet, current: &Owned, force: bool) -> Plan {
    if !force && *current == Owned::after(wanted) {
        return Plan::Keep;
    }
    Plan::Write { input: restore::swap(wanted, current), replaces: !current.is_empty() }
}

#[cfg(test)]
mod tests;
