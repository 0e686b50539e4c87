//! All that the program may leave in a network namespace: rules of every backend, addresses, routing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::pod::Pod;

/// What every tool prints, after a line that names the tool. None of them makes a table by looking.
const LOOK: &str = "\
for tool in 'iptables-nft-save' 'ip6tables-nft-save' 'iptables-legacy-save' 'ip6tables-legacy-save' \
    'nft -s list ruleset' 'ip -o address' 'ip rule' 'ip -6 rule' 'ip route show table all' 'ip -6 route show table all'; do
  echo \"== $tool\"; $tool 2>/dev/null || true
done";

/// What is in a network namespace, a line an item: comparable, whatever the order in which chains were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    lines: Vec<String>,
}

impl Footprint {
    pub(crate) fn of(pod: &Pod) -> Self {
        let printed = pod.succeed(&["sh", "-c", LOOK]);
        let mut lines = Vec::new();
        for section in printed.split("== ").skip(1) {
            let (tool, text) = section.split_once('\n').unwrap();
            match tool {
                _ if tool.ends_with("-save") => lines.extend(saved(tool, text)),
                _ if tool.starts_with("nft") => lines.extend(listed(text)),
                _ => lines.extend(text.lines().filter_map(|line| Some(format!("{tool}: {}", lasting(line)?)))),
            }
        }
        Self { lines }
    }

    /// Only what contains one of these words.
    pub(crate) fn with(&self, words: &[&str]) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|line| words.iter().any(|word| line.contains(word))).collect()
    }

    /// What the program writes.
    pub(crate) fn ours(&self) -> Vec<&str> {
        self.with(&["ISTIO_", "istio-proxy", "lookup 133", "table 133", "::6/128"])
    }

    /// Whether nothing of that is there.
    pub(crate) fn is_clean(&self) -> bool {
        self.ours().is_empty()
    }

    /// What is in one only, marked as in a diff; empty if there is no difference.
    pub(crate) fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        if self == other {
            return text;
        }
        let only = |one: &Self, not_in: &Self| -> Vec<String> {
            one.lines.iter().filter(|line| !not_in.lines.contains(line)).cloned().collect()
        };
        let (gone, new) = (only(self, other), only(other, self));
        gone.iter().for_each(|line| writeln!(text, "  - {line}").unwrap());
        new.iter().for_each(|line| writeln!(text, "  + {line}").unwrap());
        if text.is_empty() {
            text.push_str("  the same lines in another order or number\n");
            self.lines.iter().zip(&other.lines).filter(|(one, other)| one != other).take(3).for_each(|(one, other)| {
                writeln!(text, "  - {one}\n  + {other}").unwrap();
            });
        }
        text
    }
}

/// A line of `ip` without what is not there to stay: the number of a rule of routing, from which the kernel counts down,
/// and how, and for how long, it looks at a new address. The routes that it makes of an address say nothing more.
fn lasting(line: &str) -> Option<String> {
    let rule = line.split_once(":\t").map_or(line, |(_, rule)| rule);
    let is_made_by_the_kernel = rule.contains("proto kernel");
    (!is_made_by_the_kernel).then(|| rule.replace(" tentative", "").replace(" nodad", "").trim_end().to_owned())
}

/// The chains and rules that a tool shows. A table in which there are only empty chains of the kernel says nothing: with
/// iptables-legacy it stays for ever, once somebody has looked at it.
fn saved(tool: &str, text: &str) -> Vec<String> {
    let mut table = "";
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        match line.split_at_checked(1) {
            Some(("*", name)) => table = name,
            Some((":", chain)) => {
                let (name, policy) = chain.split_once(' ').unwrap();
                if !policy.starts_with("ACCEPT") {
                    chains.entry(format!("{table} {name}")).or_default().insert(0, "exists".to_owned());
                }
            }
            Some(("-", rule)) => {
                let chain = rule.split(' ').nth(1).unwrap();
                chains.entry(format!("{table} {chain}")).or_default().push(line.to_owned());
            }
            _ => {}
        }
    }
    let flat = chains.into_iter().flat_map(|(chain, rules)| rules.into_iter().map(move |rule| (chain.clone(), rule)));
    flat.map(|(chain, rule)| format!("{tool}: {chain}: {rule}")).collect()
}

/// Tables, chains and rules of nf_tables. Those that are laid out for iptables are left to it: as with iptables-legacy, a
/// table of only empty chains of the kernel says nothing.
fn listed(text: &str) -> Vec<String> {
    let mut table = String::new();
    let mut chain = String::new();
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let is_opening = line.ends_with('{');
        match (line.chars().take_while(|c| *c == '\t').count(), is_opening) {
            (0, true) => table = line.trim_end_matches(" {").to_owned(),
            (1, true) => {
                chain = format!("{table} {}", line.trim().trim_end_matches(" {"));
                chains.entry(chain.clone()).or_default().push("exists".to_owned());
            }
            (2, _) => chains.entry(chain.clone()).or_default().push(line.trim().to_owned()),
            _ => {}
        }
    }
    let flat = chains.into_iter().flat_map(|(chain, rules)| rules.into_iter().map(move |rule| (chain.clone(), rule)));
    let others = flat.filter(|(chain, _)| !chain.starts_with("table ip ") && !chain.starts_with("table ip6 "));
    others.map(|(chain, rule)| format!("nft: {chain}: {rule}")).collect()
}
