//! What is in the kernel: the output of `iptables-save` read, and our part of it told from the rest.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;

use crate::rule::{Chain, Match, OWN_PREFIX, Position, Rule, RuleSet, Table};

/// One rule as `iptables-save` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRule {
    chain: String,
    body: String,
}

/// Our part of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    /// Our chains, each with its rules in order, without the leading `-A CHAIN`.
    pub chains: BTreeMap<String, Vec<String>>,
    /// Our rules in chains of others, in order.
    pub outside: Vec<SavedRule>,
}

/// Output of `iptables-save` that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Rules that the tool cannot express; it leaves them out, and so would we.
    #[error("the {0} table holds rules that iptables cannot show; inspect it with `nft list ruleset`")]
    Incompatible(Table),
    /// A line in a form that is not known.
    #[error("line {0} is neither a chain nor a rule")]
    Line(usize),
}

impl Owned {
    /// Reads our part of `table` from the output of `iptables-save`.
    ///
    /// Ours are the chains named `ISTIO_*` and every jump to one. Once such a chain exists, a rule in PREROUTING or OUTPUT
    /// that does nothing but return the traffic of an interface is taken for ours too: it is what excluding an interface
    /// leaves, and it bears no mark. Keeping one for too long would let traffic past the proxy.
    ///
    /// # Errors
    /// When the output does not show the whole table.
    pub fn read(output: &str, table: Table) -> Result<Self, Unreadable> {
        let (mut owned, mut others) = (Self::default(), Vec::new());
        let mut in_table = false;
        for (index, line) in output.lines().enumerate() {
            let line = line.trim_end();
            if line.contains("is incompatible, use 'nft' tool") {
                return Err(Unreadable::Incompatible(table));
            }
            if let Some(name) = line.strip_prefix('*') {
                in_table = name == table.to_string();
            }
            if !in_table || line.is_empty() || line == "COMMIT" || line.starts_with(['#', '*']) {
                continue;
            }
            if let Some((name, _)) = line.strip_prefix(':').and_then(|chain| chain.split_once(' ')) {
                if name.starts_with(OWN_PREFIX) {
                    owned.chains.entry(name.to_owned()).or_default();
                }
            } else if let Some(rule) = line.strip_prefix("-A ") {
                let (chain, body) = rule.split_once(' ').unwrap_or((rule, ""));
                match owned.chains.get_mut(chain) {
                    Some(rules) => rules.push(normal(body)),
                    None => others.push(SavedRule { chain: chain.to_owned(), body: normal(body) }),
                }
            } else {
                return Err(Unreadable::Line(index + 1));
            }
        }
        let is_installed = !owned.chains.is_empty();
        owned.outside = others
            .into_iter()
            .filter(|rule| rule.jumps_to_own_chain() || is_installed && rule.returns_interface())
            .collect();
        Ok(owned)
    }

    /// What [`Owned::read`] reads once `rules` have been written.
    ///
    /// Only a group given by name differs: the kernel knows its number alone.
    pub fn after(rules: &RuleSet) -> Self {
        let mut owned = Self::default();
        let mut outside: [(Chain, Vec<SavedRule>); 2] = [(Chain::Prerouting, vec![]), (Chain::Output, vec![])];
        for chain in rules.own_chains() {
            owned.chains.insert(chain.name().to_owned(), vec![]);
        }
        for rule in &rules.rules {
            let body = canonical(rule);
            if let Some(bodies) = owned.chains.get_mut(rule.chain.name()) {
                put(bodies, rule.position, body);
            } else if let Some((_, saved)) = outside.iter_mut().find(|(chain, _)| *chain == rule.chain) {
                put(saved, rule.position, SavedRule { chain: rule.chain.name().to_owned(), body });
            }
        }
        owned.outside = outside.into_iter().flat_map(|(_, saved)| saved).collect();
        owned
    }

    /// Whether nothing of ours is there.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.outside.is_empty()
    }
}

impl SavedRule {
    fn jumps_to_own_chain(&self) -> bool {
        let words = words(&self.body);
        words.windows(2).any(|pair| matches!(pair[0], "-j" | "-g") && pair[1].starts_with(OWN_PREFIX))
    }

    fn returns_interface(&self) -> bool {
        let direction = match self.chain.as_str() {
            "PREROUTING" => "-i",
            "OUTPUT" => "-o",
            _ => return false,
        };
        matches!(words(&self.body)[..], [flag, _, "-j", "RETURN"] if flag == direction)
    }
}

/// As after `-A` or `-D`.
impl fmt::Display for SavedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.chain, self.body)
    }
}

/// The rules as `iptables-save` prints them, with `-A CHAIN`: those in built-in chains first.
impl fmt::Display for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.outside {
            writeln!(f, "-A {rule}")?;
        }
        for (chain, rules) in &self.chains {
            for rule in rules {
                writeln!(f, "-A {chain} {rule}")?;
            }
        }
        Ok(())
    }
}

fn put<T>(rules: &mut Vec<T>, position: Position, rule: T) {
    match position {
        Position::First => rules.insert(0, rule),
        Position::Last => rules.push(rule),
    }
}

/// The body of a rule as `iptables-save` prints it, whichever way it was written.
fn canonical(rule: &Rule) -> String {
    let mut matches: Vec<&Match> = rule.matches.iter().filter(|condition| !is_always_true(condition)).collect();
    matches.sort_by_key(|condition| rank(condition));
    let matches = matches.into_iter().map(canonical_match);
    matches.chain([rule.target.to_string()]).collect::<Vec<_>>().join(" ")
}

fn is_always_true(condition: &Match) -> bool {
    matches!(condition, Match::Source(range) | Match::Destination(range) if range.prefix_len() == 0)
}

/// What every packet has is printed first and in this order; the rest in the order in which it was written.
fn rank(condition: &Match) -> u8 {
    match condition {
        Match::Source(_) => 0,
        Match::Destination(_) | Match::NotDestination(_) => 1,
        Match::InInterface(_) => 2,
        Match::OutInterface(_) => 3,
        Match::Protocol(_) | Match::Port(..) | Match::NotPort(..) => 4,
        Match::Owner(_) | Match::NotOwner(_) => 5,
    }
}

fn canonical_match(condition: &Match) -> String {
    match condition {
        Match::Source(range) => Match::Source(range.trunc()).to_string(),
        Match::Destination(range) => Match::Destination(range.trunc()).to_string(),
        Match::NotDestination(range) => Match::NotDestination(range.trunc()).to_string(),
        Match::Port(protocol, ports) if ports.is_all() => format!("-p {protocol} -m {protocol}"),
        Match::Port(protocol, ports) => format!("-p {protocol} -m {protocol} --dport {ports}"),
        Match::NotPort(protocol, ports) => format!("-p {protocol} -m {protocol} ! --dport {ports}"),
        Match::InInterface(_) | Match::OutInterface(_) | Match::Protocol(_) | Match::Owner(_) | Match::NotOwner(_) => {
            condition.to_string()
        }
    }
}

/// A body with its addresses in the one form that we print: C and Rust differ on some (`::127.0.0.1` and `::7f00:1`).
fn normal(body: &str) -> String {
    let mut after_address_flag = false;
    let mut normal = Vec::new();
    for word in words(body) {
        let range = if after_address_flag { word.parse::<IpNet>().ok() } else { None };
        normal.push(range.map_or_else(|| word.to_owned(), |range| range.to_string()));
        after_address_flag = matches!(word, "-s" | "-d");
    }
    normal.join(" ")
}

/// Splits as `iptables-restore` does: at blanks, but not within double quotes.
fn words(body: &str) -> Vec<&str> {
    let (mut in_quotes, mut escaped) = (false, false);
    body.split(|c: char| {
        let is_blank = c == ' ' && !in_quotes;
        match c {
            '"' if !escaped => in_quotes = !in_quotes,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        is_blank
    })
    .filter(|word| !word.is_empty())
    .collect()
}

#[cfg(test)]
mod tests;
