//! The order in which rules move from one backend to another while connections are made.
//!
//! No transaction spans iptables-legacy and nf_tables, so for a moment there are rules in both, or in none. With none,
//! connections go past the proxy; so the new rules come first and the old ones go after. What the two do to a packet
//! that both see:
//!
//! - nat: whichever is asked first and redirects, decides; the other is not asked. Both is as good as one.
//! - raw: the first zone that a packet is given stays. Both is as good as one.
//! - mangle, with TPROXY: the first hands the packet to the proxy and marks it. The second finds the mark, which to it
//!   means a packet that the proxy has sent, and writes it to the connection. From then on the proxy's answers carry it
//!   too and are routed to loopback: the connection is dead, and stays so when one of the two is gone.
//!
//! What the proxy sends to the application comes in by `lo`; what comes from elsewhere never carries its mark. So for as
//! long as there are two, both write the mark of packets from `lo` only: first the backend that is left gets the new
//! rules in that form, then the other one, then the first is emptied, then the second gets their final form.

use crate::backend::Kind;
use crate::rule::{Chain, Match, RuleSet, Table, Target};
use crate::value::Interface;

/// One transaction, or where a backend has none for all tables, one for each: makes these rules all that there is of ours
/// in a backend. The two layouts of nf_tables are one backend: what is in the other one goes in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The backend.
    pub to: Kind,
    /// The rules.
    pub goal: Vec<RuleSet>,
}

/// The steps to have the rules of `goal` in the backend `to`, and nothing of ours in the one that is `left`.
pub fn steps(to: Kind, goal: &[RuleSet], left: Option<Kind>) -> Vec<Step> {
    let last = Step { to, goal: goal.to_vec() };
    let Some(left) = left else { return vec![last] };
    let emptied = Step { to: left, goal: vec![] };
    let narrowed = narrowed(goal);
    if narrowed == goal {
        return vec![last, emptied];
    }
    vec![Step { to: left, goal: narrowed.clone() }, Step { to, goal: narrowed }, emptied, last]
}

/// The same rules, but for those that write the mark of a packet to its connection: they do so for packets from `lo` only.
fn narrowed(goal: &[RuleSet]) -> Vec<RuleSet> {
    let mut goal = goal.to_vec();
    let rules = goal.iter_mut().filter(|rules| rules.table == Table::Mangle).flat_map(|rules| &mut rules.rules);
    for rule in rules.filter(|rule| rule.chain == Chain::Prerouting && rule.target == Target::SaveMark) {
        rule.matches.insert(0, Match::InInterface(Interface::loopback()));
    }
    goal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Family, Position, Protocol, Rule};

    fn goal(target: Target) -> Vec<RuleSet> {
        let matches = vec![Match::Protocol(Protocol::Tcp), Match::Mark(1337)];
        let rule = Rule { setting: None, chain: Chain::Prerouting, position: Position::Last, matches, target };
        vec![RuleSet { family: Family::V4, table: Table::Mangle, rules: vec![rule] }]
    }

    #[test]
    fn new_rules_come_before_old_ones_go() {
        let goal = goal(Target::Jump(Chain::Drop));
        let bring = |to, goal: &[RuleSet]| Step { to, goal: goal.to_vec() };
        assert_eq!(steps(Kind::Nft, &goal, None), [bring(Kind::Nft, &goal)]);
        assert_eq!(steps(Kind::Nft, &goal, Some(Kind::Legacy)), [bring(Kind::Nft, &goal), bring(Kind::Legacy, &[])]);
    }

    #[test]
    fn two_copies_never_write_marks_of_packets_from_elsewhere() {
        let goal = goal(Target::SaveMark);
        let steps = steps(Kind::Legacy, &goal, Some(Kind::Native));
        let places: Vec<(Kind, bool)> = steps.iter().map(|step| (step.to, step.goal == goal)).collect();
        let expected = [(Kind::Native, false), (Kind::Legacy, false), (Kind::Native, false), (Kind::Legacy, true)];
        assert_eq!(places, expected);
        let first = &steps[0].goal[0].rules[0].matches[0];
        assert_eq!((first, &steps[2].goal), (&Match::InInterface(Interface::loopback()), &vec![]));
    }
}
