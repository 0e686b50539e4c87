//! Native rules in the words of `iptables-save`, so that both kinds are shown, and explained, alike.

use super::present::Present;
use super::ruleset::{CHAINS, TABLES, chain_name};
use crate::canonical;
use crate::nftables::expression::{Base, Comparison, Ct, Expression, Meta, Piece, Verdict};
use crate::nftables::message::Protocol;
use crate::nftables::xtables;
use crate::rule::{Chain, Family, Position, Rule, Table, Target};
use crate::saved::{Saved, SavedRule};

/// Our tables as each family meets them. Rules that are for the other family alone are left out, and so are tables
/// without rules.
pub fn saved(present: &Present) -> Vec<(Family, Table, Saved)> {
    let mut all = Vec::new();
    for family in [Family::V4, Family::V6] {
        for table in TABLES {
            let mut saved = Saved::default();
            for (name, rules) in present.chains_of(table) {
                let bodies = rules.iter().filter_map(|rule| body(rule, family));
                match chain(name) {
                    Some(chain) if chain.is_own() => {
                        saved.chains.insert(chain.name().to_owned(), bodies.collect());
                    }
                    // The table is ours, whatever its chains are called.
                    Some(chain) => saved.others.extend(bodies.map(|body| SavedRule::new(chain, body).marked())),
                    None => saved.others.extend(bodies.map(|body| SavedRule::read(name, &body).marked())),
                }
            }
            if !saved.others.is_empty() || saved.chains.values().any(|bodies| !bodies.is_empty()) {
                all.push((family, table, saved));
            }
        }
    }
    all
}

/// A rule as a packet of a family meets it; none if it is for the other one.
pub(super) fn body(expressions: &[Expression], family: Family) -> Option<String> {
    let mut conditions = Vec::new();
    let mut unequal_ports: Vec<u16> = Vec::new();
    let mut rest = expressions;
    let target = loop {
        rest = match rest {
            [Expression::Meta(Meta::Family, _), Expression::Compare(Comparison::Equal, _, value), rest @ ..] => {
                if *value != [Protocol::from(family) as u8] {
                    return None;
                }
                rest
            }
            [Expression::Counter, rest @ ..] => rest,
            [load, Expression::Compare(Comparison::Unequal, _, port), rest @ ..] if is_destination_port(load) => {
                if unequal_ports.is_empty() {
                    conditions
                        .extend_from_slice(&[load.clone(), Expression::Compare(Comparison::Unequal, 1, port.clone())]);
                }
                unequal_ports.extend(port.as_slice().try_into().map(u16::from_be_bytes));
                rest
            }
            [
                Expression::Compare(Comparison::GreaterOrEqual, register, first),
                Expression::Compare(Comparison::LessOrEqual, _, last),
                rest @ ..,
            ] => {
                let (first, last) = (first.clone(), last.clone());
                conditions.push(Expression::Range { register: *register, is_inverted: false, first, last });
                rest
            }
            [] => break String::new(),
            [next, after @ ..] => match target(rest) {
                Some(target) => break format!(" {}", words(target, family)),
                None => {
                    conditions.push(next.clone());
                    after
                }
            },
        };
    };
    let conditions = xtables::body(&conditions, family);
    Some(format!("{}{target}", with_all_ports(conditions, &unequal_ports)).trim_start().to_owned())
}

/// What iptables says in one match takes nf_tables one for each port.
fn with_all_ports(conditions: String, ports: &[u16]) -> String {
    let [first, _, ..] = ports else { return conditions };
    let list = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let one = ["tcp", "udp"].map(|protocol| format!("-m {protocol} ! --dport {first}"));
    let all = format!("-m multiport ! --dports {list}");
    one.iter().fold(conditions, |text, one| text.replacen(one, &all, 1))
}

fn is_destination_port(load: &Expression) -> bool {
    matches!(load, Expression::Payload(Piece { base: Base::Transport, offset: 2, length: 2 }, _))
}

/// What the rest of a rule does, if it is something that we write.
fn target(rest: &[Expression]) -> Option<Target> {
    use Expression::{Ct as LoadCt, Data, Meta as LoadMeta, Redirect, SetCt, SetMeta, Tproxy};
    Some(match rest {
        [Data(_, port), Redirect(Some(_))] => Target::Redirect(port_in(port)?),
        [Data(_, mark), SetMeta(Meta::Mark, _)] => Target::SetMark(number(mark)?),
        [LoadMeta(Meta::Mark, _), SetCt(Ct::Mark, _)] => Target::SaveMark,
        [LoadCt(Ct::Mark, _), SetMeta(Meta::Mark, _)] => Target::RestoreMark,
        [Data(_, zone), SetCt(Ct::Zone, _)] => Target::Zone(u16::from_ne_bytes(zone.as_slice().try_into().ok()?)),
        [Data(_, port), Tproxy { .. }, Data(_, mark), SetMeta(Meta::Mark, _), Expression::Verdict(Verdict::Accept)] => {
            Target::Tproxy { port: port_in(port)?, mark: number(mark)? }
        }
        [Expression::Verdict(Verdict::Return)] => Target::Return,
        [Expression::Verdict(Verdict::Accept)] => Target::Accept,
        [Expression::Verdict(Verdict::Drop)] => Target::Drop,
        [Expression::Verdict(Verdict::Jump(name))] => Target::Jump(chain(name)?),
        _ => return None,
    })
}

fn words(target: Target, family: Family) -> String {
    let rule = Rule { setting: None, chain: Chain::Output, position: Position::Last, matches: vec![], target };
    canonical::body(&rule, family)
}

fn chain(native: &str) -> Option<Chain> {
    CHAINS.into_iter().find(|chain| chain_name(*chain) == native)
}

fn port_in(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
