//! The rules of both families as those of `inet` tables.

use crate::rule::{Chain, Family, Match, Position, Protocol, Rule, RuleSet, Table, Target};

/// One table, with at least one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeTable {
    /// Which table of iptables it stands for.
    pub table: Table,
    /// Its chains: the base chains that have rules, then all others.
    pub chains: Vec<NativeChain>,
}

/// One chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeChain {
    /// Which chain of iptables it stands for.
    pub chain: Chain,
    /// Its rules in order.
    pub rules: Vec<NativeRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeRule {
    /// The flag or environment variable that asks for it, if it is not always there.
    pub setting: Option<&'static str>,
    /// The only family that it is for, where its matches do not say so.
    pub family: Option<Family>,
    /// All must hold. Neither lists of ports nor ranges that hold everything are among them.
    pub matches: Vec<Match>,
    /// What happens then.
    pub target: Target,
}

/// All tables that may be ours, in the order in which packets meet them.
pub const TABLES: [Table; 3] = [Table::Raw, Table::Mangle, Table::Nat];

/// All chains that rules can be in.
pub const CHAINS: [Chain; 11] = [
    Chain::Prerouting,
    Chain::Output,
    Chain::Inbound,
    Chain::InRedirect,
    Chain::Outbound,
    Chain::Redirect,
    Chain::Divert,
    Chain::Tproxy,
    Chain::Drop,
    Chain::OutboundDns,
    Chain::Note,
];

/// Merges the rules of all tables and families. A table without rules is left out.
pub fn tables(rule_sets: &[RuleSet]) -> Vec<NativeTable> {
    let families: Vec<Family> = [Family::V4, Family::V6]
        .into_iter()
        .filter(|family| rule_sets.iter().any(|rules| rules.family == *family))
        .collect();
    let merge_table = |table| {
        let of_table: Vec<&RuleSet> =
            rule_sets.iter().filter(|rules| rules.table == table && !rules.rules.is_empty()).collect();
        let chains: Vec<NativeChain> =
            chains(&of_table).into_iter().map(|chain| merge_chain(chain, &of_table, &families)).collect();
        (!chains.is_empty()).then_some(NativeTable { table, chains })
    };
    TABLES.into_iter().filter_map(merge_table).collect()
}

/// The name of a table.
pub fn table_name(table: Table) -> &'static str {
    match table {
        Table::Raw => "istio-proxy-raw",
        Table::Mangle => "istio-proxy-mangle",
        Table::Nat => "istio-proxy-nat",
    }
}

/// The name of a chain.
pub fn chain_name(chain: Chain) -> &'static str {
    match chain {
        Chain::Prerouting => "prerouting",
        Chain::Output => "output",
        Chain::Inbound => "istio-inbound",
        Chain::InRedirect => "istio-in-redirect",
        Chain::Outbound => "istio-output",
        Chain::Redirect => "istio-redirect",
        Chain::Divert => "istio-divert",
        Chain::Tproxy => "istio-tproxy",
        Chain::Drop => "istio-drop",
        Chain::OutboundDns => "istio-output-dns",
        Chain::Note => "istio-note",
    }
}

impl NativeRule {
    /// The only family that it is for, whether its matches or only [`Self::family`] say so.
    pub fn only_family(&self) -> Option<Family> {
        self.family.or_else(|| self.matches.iter().find_map(family_of))
    }
}

fn chains(rule_sets: &[&RuleSet]) -> Vec<Chain> {
    let has_rules = |chain: &Chain| rule_sets.iter().flat_map(|rules| &rules.rules).any(|rule| rule.chain == *chain);
    let mut chains: Vec<Chain> = [Chain::Prerouting, Chain::Output].into_iter().filter(has_rules).collect();
    for chain in rule_sets.iter().flat_map(|rules| rules.own_chains()) {
        if !chains.contains(&chain) {
            chains.push(chain);
        }
    }
    chains
}

fn merge_chain(chain: Chain, rule_sets: &[&RuleSet], families: &[Family]) -> NativeChain {
    let rules_of = |family: Family| {
        let rules = rule_sets.iter().filter(|rules| rules.family == family).flat_map(|rules| &rules.rules);
        in_order(rules.filter(|rule| rule.chain == chain)).into_iter().flat_map(native).collect::<Vec<_>>()
    };
    let rules = match families {
        // The base chain alone decides what comes to the others.
        [family] if chain.is_own() => rules_of(*family),
        [family] => rules_of(*family).into_iter().map(|rule| rule.limited_to(*family)).collect(),
        _ => merge(&rules_of(Family::V4), &rules_of(Family::V6)),
    };
    NativeChain { chain, rules }
}

/// The rules of one chain as they stand once all have been written.
fn in_order<'a>(rules: impl Iterator<Item = &'a Rule>) -> Vec<&'a Rule> {
    let mut ordered: Vec<&Rule> = Vec::new();
    for rule in rules {
        match rule.position {
            Position::At(place) => ordered.insert(usize::from(place).saturating_sub(1).min(ordered.len()), rule),
            Position::Last => ordered.push(rule),
        }
    }
    ordered
}

/// Keeps the order of each family. How rules of one family stand to those of the other does not matter, since no packet
/// meets both.
fn merge(mut v4: &[NativeRule], mut v6: &[NativeRule]) -> Vec<NativeRule> {
    let mut merged = Vec::with_capacity(v4.len().max(v6.len()));
    loop {
        let rule = match (v4, v6) {
            ([], []) => return merged,
            ([one, rest @ ..], _) if one.only_family().is_some() => {
                v4 = rest;
                one.clone()
            }
            (_, [other, rest @ ..]) if other.only_family().is_some() => {
                v6 = rest;
                other.clone()
            }
            ([one, rest_v4 @ ..], [other, rest_v6 @ ..]) if one.does_as(other) => {
                (v4, v6) = (rest_v4, rest_v6);
                one.clone()
            }
            // What comes first in IPv6 alone has to be in front of what both have.
            ([one, ..], [other, rest @ ..]) if rest.iter().any(|later| one.does_as(later)) => {
                v6 = rest;
                other.clone().limited_to(Family::V6)
            }
            ([one, rest @ ..], _) => {
                v4 = rest;
                one.clone().limited_to(Family::V4)
            }
            ([], [other, rest @ ..]) => {
                v6 = rest;
                other.clone().limited_to(Family::V6)
            }
        };
        merged.push(rule);
    }
}

impl NativeRule {
    fn limited_to(self, family: Family) -> Self {
        let family = if self.only_family().is_some() { self.family } else { Some(family) };
        Self { family, ..self }
    }

    fn does_as(&self, other: &Self) -> bool {
        (&self.matches, &self.target) == (&other.matches, &other.target)
    }
}

/// What one rule becomes: several where nf_tables needs as many to say the same, none if it can never match.
fn native(rule: &Rule) -> Vec<NativeRule> {
    let mut alternatives: Vec<Vec<Match>> = vec![vec![]];
    for condition in &rule.matches {
        let Some(simple) = simplified(condition) else { return vec![] };
        alternatives = combined(alternatives, &simple);
    }
    let targets: &[Target] = match rule.target {
        Target::Tproxy { .. } => &[rule.target, Target::Drop],
        target => &[target],
    };
    let rule = |(matches, target): (&Vec<Match>, &Target)| NativeRule {
        setting: rule.setting,
        family: None,
        matches: matches.clone(),
        target: *target,
    };
    targets.iter().flat_map(|target| alternatives.iter().map(move |matches| (matches, target))).map(rule).collect()
}

/// Of several lists of matches of which one must hold, each with each.
fn combined(one: Vec<Vec<Match>>, other: &[Vec<Match>]) -> Vec<Vec<Match>> {
    one.iter().flat_map(|left| other.iter().map(move |right| [left.as_slice(), right].concat())).collect()
}

/// A match as alternatives, of each of which all must hold. Nothing if it never holds.
fn simplified(condition: &Match) -> Option<Vec<Vec<Match>>> {
    let tcp_or_udp = |protocol: &Protocol| vec![vec![Match::Protocol(*protocol)]];
    Some(match condition {
        Match::Source(range) | Match::Destination(range) if range.prefix_len() == 0 => vec![vec![]],
        Match::NotDestination(range) if range.prefix_len() == 0 => return None,
        Match::Source(range) => vec![vec![Match::Source(range.trunc())]],
        Match::Destination(range) => vec![vec![Match::Destination(range.trunc())]],
        Match::NotDestination(range) => vec![vec![Match::NotDestination(range.trunc())]],
        Match::Port(protocol, ports) if ports.is_all() => tcp_or_udp(protocol),
        Match::NotPort(_, ports) if ports.is_all() => return None,
        Match::Ports(protocol, ports) if ports.iter().any(|ports| ports.is_all()) => tcp_or_udp(protocol),
        Match::NotPorts(_, ports) if ports.iter().any(|ports| ports.is_all()) => return None,
        Match::Ports(protocol, ports) => ports.iter().map(|ports| vec![Match::Port(*protocol, *ports)]).collect(),
        Match::NotPorts(protocol, ports) => vec![ports.iter().map(|ports| Match::NotPort(*protocol, *ports)).collect()],
        other => vec![vec![other.clone()]],
    })
}

fn family_of(condition: &Match) -> Option<Family> {
    match condition {
        Match::Source(range) | Match::Destination(range) | Match::NotDestination(range) => {
            Some(if Family::V4.holds(range) { Family::V4 } else { Family::V6 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
