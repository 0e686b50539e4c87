//! What the rules in the kernel have other than those that are wanted, for what no connection from within can show.

use std::collections::HashMap;
use std::fmt;

use crate::owned::{Current, Owned};
use crate::rule::{Family, RuleSet, Table};
use crate::saved::Saved;

/// A table that is not as wanted. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The family.
    pub family: Family,
    /// The table.
    pub table: Table,
    /// In which way.
    pub kind: Kind,
}

/// In which way a table is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A rule, or a chain, is not there, or not as often as it is wanted.
    Absent(String),
    /// A rule, or a chain, of ours is there that is not wanted.
    Surplus(String),
    /// Everything is there, but not in order.
    Order,
}

/// Compares our part of `tables`, as they were read, with the rules of `goal`, in the families that it has. A table that
/// is missing is empty.
pub fn differences(goal: &[RuleSet], tables: &[(Family, Table, Saved)]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for family in [Family::V4, Family::V6] {
        if !goal.iter().any(|rules| rules.family == family) {
            continue;
        }
        for table in [Table::Raw, Table::Mangle, Table::Nat] {
            let found = tables.iter().find(|(of, name, _)| (*of, *name) == (family, table));
            let live = found.map(|(_, _, saved)| Current::divide(saved).owned.without_notes()).unwrap_or_default();
            let wanted = goal.iter().find(|rules| (rules.family, rules.table) == (family, table));
            let wanted = wanted.map(Owned::after).unwrap_or_default();
            differences.extend(between(&lines(&wanted), &lines(&live)).map(|kind| Difference { family, table, kind }));
        }
    }
    differences
}

fn lines(owned: &Owned) -> Vec<String> {
    let chains = owned.chains.keys().map(|chain| format!("-N {chain}"));
    chains.chain(owned.to_string().lines().map(str::to_owned)).collect()
}

fn between(wanted: &[String], live: &[String]) -> impl Iterator<Item = Kind> + use<> {
    let absent = less(wanted, live).into_iter().map(Kind::Absent);
    let mut kinds: Vec<Kind> = absent.chain(less(live, wanted).into_iter().map(Kind::Surplus)).collect();
    if kinds.is_empty() && wanted != live {
        kinds.push(Kind::Order);
    }
    kinds.into_iter()
}

/// The lines of `one` that `other` does not have as often.
fn less(one: &[String], other: &[String]) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for line in other {
        *counts.entry(line).or_default() += 1;
    }
    let is_left = |line: &&String| match counts.get_mut(line.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    one.iter().filter(is_left).cloned().collect()
}

impl Difference {
    /// Whether something is missing.
    pub fn is_absent(&self) -> bool {
        matches!(self.kind, Kind::Absent(_))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, table, kind } = self;
        write!(f, "{family} {table} table: ")?;
        match kind {
            Kind::Absent(line) => write!(f, "`{line}` is not there"),
            Kind::Surplus(line) => write!(f, "`{line}` is there, and no setting asks for it"),
            Kind::Order => f.write_str("all rules are there, but not in order"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::redirect::rule_sets;

    fn goal() -> Vec<RuleSet> {
        let cli = Cli::from_arguments(["init", "-b", "*", "-i", "*", "-m", "TPROXY"].map(Into::into)).unwrap();
        rule_sets(&cli.settings_with(&|_| None).unwrap().capture, Family::V4)
    }

    /// What is said once the text of a table has been changed.
    fn said(table: Table, change: impl Fn(&str) -> String) -> Vec<String> {
        let read = |rules: &RuleSet| {
            let text = Owned::after(rules).to_string();
            let text = if rules.table == table { change(&text) } else { text };
            let chains: String = rules.own_chains().iter().map(|chain| format!(":{chain} - [0:0]\n")).collect();
            let text = format!("*{}\n{chains}{text}\nCOMMIT\n", rules.table);
            (rules.family, rules.table, Saved::read(&text.replace("\n\n", "\n"), rules.table).unwrap())
        };
        let tables: Vec<_> = goal().iter().map(read).collect();
        differences(&goal(), &tables).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_as_wanted_has_no_difference() {
        assert_eq!(said(Table::Nat, str::to_owned), [""; 0]);
    }

    #[test]
    fn what_is_missing_doubled_or_moved_is_named_with_its_table() {
        let save = "-A PREROUTING -p tcp -m mark --mark 0x539 -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff\n";
        let found = said(Table::Mangle, |text| {
            assert!(text.contains(save), "{text}");
            text.replace(save, "")
        });
        assert_eq!(found, [format!("IPv4 mangle table: `{}` is not there", save.trim_end())]);
        let jump = "-A OUTPUT -j ISTIO_OUTPUT\n";
        let found = said(Table::Nat, |text| text.replace(jump, &jump.repeat(2)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("no setting asks for it"), "{found:?}");
        let found = said(Table::Nat, |text| {
            let mut lines: Vec<&str> = text.lines().collect();
            let at = lines.iter().rposition(|line| line.starts_with("-A ISTIO_OUTPUT")).unwrap();
            lines.swap(at, at - 1);
            lines.join("\n")
        });
        assert_eq!(found, ["IPv4 nat table: all rules are there, but not in order"]);
    }

    #[test]
    fn without_anything_all_chains_and_rules_are_missing() {
        let found = differences(&goal(), &[]);
        assert!(found.iter().all(Difference::is_absent), "{found:?}");
        assert!(found.len() > 10, "{found:?}");
    }
}
