//! Rules as input of `iptables-restore --noflush`.

use std::fmt::Write;

use crate::change::Change;
use crate::rule::{Chain, Match, Position, Protocol, Rule, RuleSet, Target};

/// The input that makes the rules where there are none yet, in the form that istio-iptables prints.
pub fn fresh(rules: &RuleSet) -> String {
    let mut text = format!("* {}\n", rules.table);
    for chain in rules.own_chains() {
        push(&mut text, format_args!("-N {chain}"));
    }
    push_rules(&mut text, rules);
    text
}

/// The input that carries out a change: in one commit, it takes back what an earlier run left and writes the rules, so
/// that at no moment are there half of them. Rules of others are not named.
pub fn swap(change: &Change) -> String {
    let mut text = format!("*{}\n", change.table());
    // A deletion of a rule that is not there fails the whole commit: only what was seen is deleted.
    for rule in &change.removed {
        push(&mut text, format_args!("-D {rule}"));
    }
    let stale: Vec<&str> = change.stale().collect();
    // With --noflush this makes a chain, and empties one that exists.
    let wanted: Vec<&str> = change.rules.own_chains().into_iter().map(Chain::name).collect();
    for chain in wanted.iter().chain(&stale) {
        push(&mut text, format_args!(":{chain} - [0:0]"));
    }
    for chain in &stale {
        push(&mut text, format_args!("-X {chain}"));
    }
    push_rules(&mut text, &change.rules);
    text
}

/// The line that writes a rule.
pub fn line(rule: &Rule) -> String {
    let Rule { setting: _, chain, position, matches, target } = rule;
    let place = match position {
        Position::At(place) => format!("-I {chain} {place}"),
        Position::Last => format!("-A {chain}"),
    };
    let matches: String = matches.iter().map(|condition| format!(" {condition}")).collect();
    match target {
        // iptables takes any beginning of an option's name, and istio-iptables writes this one so.
        Target::Redirect(port) if is_udp(rule) => format!("{place}{matches} -j REDIRECT --to-port {port}"),
        target => format!("{place}{matches} {target}"),
    }
}

fn is_udp(rule: &Rule) -> bool {
    rule.matches.iter().any(|condition| matches!(condition, Match::Port(Protocol::Udp, _)))
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
