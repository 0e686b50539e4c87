//! What iptables-legacy holds, and how rules get into it. It has no transaction for more than one table.

use super::{ATTEMPTS, Brought, Error, PLACES, outcomes, told_to_wait};
use crate::backend::Kind;
use crate::change::Change;
use crate::legacy::{self, Sight};
use crate::owned::{Current, Owned};
use crate::plan::{self, Dump, View};
use crate::rule::RuleSet;

/// The tables of iptables-legacy as they were read.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    pub(super) seen: Dump,
    pub(super) view: View,
    pub(super) unseen: Vec<legacy::Error>,
    /// Whether a failure has left some tables with new rules, and others without.
    pub(super) is_torn: bool,
    /// Whether it has been written since it was read.
    is_stale: bool,
}

impl Legacy {
    pub(super) fn read() -> Self {
        let Sight { dump: seen, unseen } = legacy::read();
        Self { view: plan::divide(&seen.tables), seen, unseen, is_torn: false, is_stale: false }
    }

    pub(super) fn bring(&mut self, goal: &[RuleSet], force: bool) -> Result<Brought, Error> {
        if self.is_stale {
            *self = Self::read();
        }
        self.can_see(goal)?;
        self.write(goal, force)
    }

    /// What is there unseen must not be there twice.
    fn can_see(&mut self, goal: &[RuleSet]) -> Result<(), legacy::Error> {
        let is_wanted = |error: &legacy::Error| goal.iter().any(|rules| rules.family == error.family());
        match self.unseen.iter().position(is_wanted) {
            Some(at) => Err(self.unseen.swap_remove(at)),
            None => Ok(()),
        }
    }

    fn write(&mut self, goal: &[RuleSet], force: bool) -> Result<Brought, Error> {
        let before = self.seen.clone();
        let mut attempt = 1;
        loop {
            let changes = plan::changes(goal, &self.view, Kind::Legacy, force);
            self.is_stale |= !changes.is_empty();
            let Err(error) = legacy::write(&changes) else {
                return Ok(Brought { outcomes: outcomes(Kind::Legacy, goal, &changes), view: self.view.clone() });
            };
            let now = Self::read();
            let is_lost = now.unseen.len() > self.unseen.len();
            if attempt == ATTEMPTS || is_lost || is_of_ours(&self.seen, &changes, &now.seen) {
                self.is_torn = !legacy::put_back(&before, &now.seen) || is_lost;
                return Err(error.into());
            }
            told_to_wait();
            *self = now;
            attempt += 1;
        }
    }
}

/// Whether nobody else has made `now` of `seen`: every table is as it was, or has what `changes` bring about.
fn is_of_ours(seen: &Dump, changes: &[Change], now: &Dump) -> bool {
    PLACES.into_iter().all(|(family, table)| {
        let (seen, now) = (seen.table(family, table), now.table(family, table));
        if seen == now {
            return true;
        }
        let mut of_table = changes.iter().filter(|change| (change.family(), change.table()) == (family, table));
        let (seen, now) = (Current::divide(&seen), Current::divide(&now));
        let is_done = |change: &Change| now.owned == Owned::after(&change.rules);
        seen.others == now.others && of_table.any(is_done)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Chain, Family, Match, Position, Protocol, Rule, Table, Target};
    use crate::saved::Saved;

    fn dump(nat: &str) -> Dump {
        let saved = Saved::read(&format!("*nat\n{nat}COMMIT\n"), Table::Nat).unwrap();
        Dump { tables: vec![(Family::V4, Table::Nat, saved)] }
    }

    #[test]
    fn what_we_have_half_written_is_not_taken_for_a_change_of_others() {
        let rule = |chain, target| {
            let matches = vec![Match::Protocol(Protocol::Tcp)];
            Rule { setting: None, chain, position: Position::Last, matches, target }
        };
        let ours =
            vec![rule(Chain::Output, Target::Jump(Chain::Outbound)), rule(Chain::Outbound, Target::Redirect(15001))];
        let rules = RuleSet { family: Family::V4, table: Table::Nat, rules: ours };
        let changes = [Change { removed: vec![], present: vec![], rules }];
        let (theirs, later) = ("-A OUTPUT -p udp -j ACCEPT\n", "-A OUTPUT -p udp -j RETURN\n");
        let chains = ":ISTIO_OUTPUT - [0:0]\n";
        let ours = "-A OUTPUT -p tcp -j ISTIO_OUTPUT\n-A ISTIO_OUTPUT -p tcp -j REDIRECT --to-ports 15001\n";
        let seen = dump(theirs);
        let written = dump(&format!("{chains}{theirs}{ours}"));
        assert!(is_of_ours(&seen, &changes, &seen));
        assert!(is_of_ours(&seen, &changes, &written));
        assert!(!is_of_ours(&seen, &[], &written));
        assert!(!is_of_ours(&seen, &changes, &dump(&format!("{theirs}{later}"))));
        assert!(!is_of_ours(&seen, &changes, &dump(&format!("{chains}{theirs}{later}{ours}"))));
    }
}
