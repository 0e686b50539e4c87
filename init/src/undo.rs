//! How a table of iptables-legacy gets back what it had of ours.

use std::fmt::Write;

use crate::owned::Current;
use crate::rule::Table;
use crate::saved::Saved;

/// Input of `iptables-restore --noflush` that leads from `now` to `before`, as far as our rules are concerned.
pub fn undo(table: Table, before: &Saved, now: &Saved) -> String {
    let ours_now = Current::divide(now).owned;
    let ours_before = Current::divide(before).owned;
    let mut text = format!("*{table}\n");
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    for rule in &ours_now.outside {
        line(format_args!("-D {rule}"));
    }
    let gone = || ours_now.chains.keys().filter(|chain| !ours_before.chains.contains_key(*chain));
    for chain in ours_before.chains.keys().chain(gone()) {
        line(format_args!(":{chain} - [0:0]"));
    }
    for chain in gone() {
        line(format_args!("-X {chain}"));
    }
    for (chain, rules) in &ours_before.chains {
        rules.iter().for_each(|rule| line(format_args!("-A {chain} {rule}")));
    }
    // From the front, so that each finds before it what was before it.
    let mut left = ours_before.outside;
    for (at, rule) in before.others.iter().enumerate() {
        let Some(ours) = left.iter().position(|ours| ours == rule) else { continue };
        left.remove(ours);
        let place = before.others[..=at].iter().filter(|other| other.chain() == rule.chain()).count();
        line(format_args!("-I {} {place} {}", rule.chain(), rule.body()));
    }
    text.push_str("COMMIT\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(chains_and_rules: &str) -> Saved {
        Saved::read(&format!("*nat\n{chains_and_rules}COMMIT\n"), Table::Nat).unwrap()
    }

    #[test]
    fn rules_return_to_their_places_and_new_chains_go() {
        let before = saved(
            ":ISTIO_OUTPUT - [0:0]\n-A OUTPUT -p udp -j ACCEPT\n-A OUTPUT -j ISTIO_OUTPUT\n-A OUTPUT -j ACCEPT\n\
             -A ISTIO_OUTPUT -j RETURN\n",
        );
        let now = saved(
            ":ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n-A OUTPUT -p udp -j ACCEPT\n-A OUTPUT -j ACCEPT\n\
             -A OUTPUT -j ISTIO_OUTPUT\n-A ISTIO_OUTPUT -j ISTIO_REDIRECT\n",
        );
        let expected = "*nat\n-D OUTPUT -j ISTIO_OUTPUT\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_REDIRECT - [0:0]\n\
                        -X ISTIO_REDIRECT\n-A ISTIO_OUTPUT -j RETURN\n-I OUTPUT 2 -j ISTIO_OUTPUT\nCOMMIT\n";
        assert_eq!(undo(Table::Nat, &before, &now), expected);
    }
}
