//! Rules as input of `iptables-restore --noflush`.

use std::fmt::Write;

use crate::owned::Owned;
use crate::rule::{Chain, Position, Rule, RuleSet};

/// The input that makes the rules where there are none yet, in the form that istio-iptables prints.
pub fn fresh(rules: &RuleSet) -> String {
    let mut text = format!("* {}\n", rules.table);
    for chain in rules.own_chains() {
        push(&mut text, format_args!("-N {chain}"));
    }
    push_rules(&mut text, rules);
    text
}

/// The input that makes the rules whatever is there: in one commit, it takes back what an earlier run left and writes
/// the rules, so that at no moment are there half of them. Rules of others are not named.
pub fn swap(rules: &RuleSet, current: &Owned) -> String {
    let mut text = format!("*{}\n", rules.table);
    // A deletion of a rule that is not there fails the whole commit: only what was seen is deleted.
    for rule in &current.outside {
        push(&mut text, format_args!("-D {rule}"));
    }
    let wanted: Vec<&str> = rules.own_chains().into_iter().map(Chain::name).collect();
    let stale: Vec<&str> = current.chains.keys().map(String::as_str).filter(|chain| !wanted.contains(chain)).collect();
    // With --noflush this makes a chain, and empties one that exists.
    for chain in wanted.iter().chain(&stale) {
        push(&mut text, format_args!(":{chain} - [0:0]"));
    }
    for chain in &stale {
        push(&mut text, format_args!("-X {chain}"));
    }
    push_rules(&mut text, rules);
    text
}

/// The line that writes a rule.
pub fn line(Rule { setting: _, chain, position, matches, target }: &Rule) -> String {
    let place = match position {
        Position::At(place) => format!("-I {chain} {place}"),
        Position::Last => format!("-A {chain}"),
    };
    let matches: String = matches.iter().map(|condition| format!(" {condition}")).collect();
    format!("{place}{matches} {target}")
}

fn push_rules(text: &mut String, rules: &RuleSet) {
    for rule in &rules.rules {
        push(text, format_args!("{}", line(rule)));
    }
    text.push_str("COMMIT\n");
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
