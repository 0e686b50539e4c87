//! Tells our rules in chains of others from theirs, by how they look and where they stand.

use std::collections::{BTreeMap, BTreeSet};

use crate::rule::Chain;
use crate::saved::{Saved, SavedRule, words};

/// Which of `saved.others` are ours, by index.
pub(super) struct Ours {
    /// All of them.
    pub(super) all: BTreeSet<usize>,
    /// Those of them of which only their place tells that.
    pub(super) guessed: BTreeSet<usize>,
}

/// Tells which are ours.
///
/// Two kinds of rules bear no chain of ours in them. Those that handle the mark of TPROXY are told by that mark, where
/// our chains use it; where somebody has emptied the chains that do, any mark may be it. Those that do nothing but return an interface's traffic are told by others:
///
/// - in OUTPUT they are directly above the first other rule of ours, and end at a jump to [`Chain::Note`];
/// - for each of those there is one in PREROUTING, and one for each interface that a jump to our chains names there.
///
/// What somebody else inserts of that kind directly above ours, after we have run, cannot be told from ours. It is taken
/// for ours, since traffic that is left alone by mistake goes past the proxy. Where any rule bears our mark, all of ours
/// do, and nothing has to be guessed.
pub(super) fn ours(saved: &Saved) -> Ours {
    let rules = &saved.others;
    let marks = marks(&saved.chains);
    let bears_ours = rules.iter().any(|rule| rule.is_marked);
    let may_be_any_mark = !bears_ours && has_lost_its_marks(&saved.chains);
    let handles_mark = |rule: &SavedRule| {
        let mark = handled_mark(rule);
        // The proxy's own calls to its pod have the mark after the one that the other rules are about.
        let is_known =
            |mark: u32| marks.contains(&mark) || mark.checked_sub(1).is_some_and(|mark| marks.contains(&mark));
        mark.is_some_and(|mark| may_be_any_mark || is_known(mark))
    };
    let is_certain = |rule: &SavedRule| rule.is_marked || is_jump_of_ours(rule, saved) || handles_mark(rule);
    let mut ours: BTreeSet<usize> = (0..rules.len()).filter(|at| is_certain(&rules[*at])).collect();
    if bears_ours {
        return Ours { all: ours, guessed: BTreeSet::new() };
    }
    let certain = ours.clone();
    for interface in named_by_jumps(saved) {
        claim(&mut ours, rules.iter().enumerate(), interface);
    }
    for (at, interface) in directly_above_ours(rules, &ours) {
        ours.insert(at);
        claim(&mut ours, rules.iter().enumerate().rev(), interface);
    }
    Ours { guessed: ours.difference(&certain).copied().collect(), all: ours }
}

/// The marks that these rules of our chains set, or look for.
pub(super) fn marks(chains: &BTreeMap<String, Vec<String>>) -> BTreeSet<u32> {
    chains.values().flatten().filter_map(|body| mark_in(&words(body))).collect()
}

/// Whether these are chains of TPROXY in the mangle table, of which each that uses the mark has been emptied.
fn has_lost_its_marks(chains: &BTreeMap<String, Vec<String>>) -> bool {
    let named = |chain: &Chain| chains.get(chain.name());
    // Those of the same name in the other tables never come alone.
    let is_elsewhere = [Chain::Outbound, Chain::Redirect, Chain::InRedirect, Chain::OutboundDns]
        .iter()
        .any(|chain| named(chain).is_some());
    let mut with_mark = [Chain::Inbound, Chain::Divert, Chain::Tproxy].iter().filter_map(named).peekable();
    !is_elsewhere && with_mark.peek().is_some() && with_mark.all(Vec::is_empty)
}

fn mark_in(words: &[&str]) -> Option<u32> {
    let mark = words.windows(2).find(|pair| matches!(pair[0], "--mark" | "--set-xmark" | "--tproxy-mark"))?[1];
    number(mark.split_once('/').map_or(mark, |(mark, _)| mark))
}

fn number(text: &str) -> Option<u32> {
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok())
}

/// The mark, if the rule is one of those with which TPROXY carries a mark from packet to connection and back.
fn handled_mark(rule: &SavedRule) -> Option<u32> {
    const WHOLE: [&str; 4] = ["--nfmask", "0xffffffff", "--ctmask", "0xffffffff"];
    let words = words(rule.body());
    let mark = match (rule.chain(), &words[..]) {
        (
            "PREROUTING",
            ["-i", "lo", "-p", "tcp", "-m", "mark", "--mark", mark, "-j", "CONNMARK", "--save-mark", rest @ ..],
        )
        | ("PREROUTING", ["-p", "tcp", "-m", "mark", "--mark", mark, "-j", "CONNMARK", "--save-mark", rest @ ..])
        | ("OUTPUT", ["-p", "tcp", "-m", "connmark", "--mark", mark, "-j", "CONNMARK", "--restore-mark", rest @ ..])
            if rest == WHOLE =>
        {
            mark
        }
        ("OUTPUT", ["-o", "lo", "-p", "tcp", "-m", "mark", "--mark", mark, "-j", "RETURN"]) => mark,
        (
            "OUTPUT",
            ["!", "-d", _, "-o", "lo", "-p", "tcp", "-m", "owner", owner, _, "-j", "MARK", "--set-xmark", mark],
        ) if matches!(*owner, "--uid-owner" | "--gid-owner") => mark.strip_suffix("/0xffffffff")?,
        _ => return None,
    };
    number(mark)
}

/// In chains of others it is they who make use of ours.
fn is_jump_of_ours(rule: &SavedRule, saved: &Saved) -> bool {
    (rule.is_in(Chain::Prerouting) || rule.is_in(Chain::Output)) && rule.jumps_to(&saved.chains)
}

fn named_by_jumps(saved: &Saved) -> BTreeSet<&str> {
    let jumps = saved.others.iter().filter(|rule| rule.is_in(Chain::Prerouting) && rule.jumps_to(&saved.chains));
    jumps.filter_map(SavedRule::in_interface).collect()
}

/// The rules that return an interface in OUTPUT, and the interface, upwards from ours to the first rule of another kind.
fn directly_above_ours<'a>(rules: &'a [SavedRule], ours: &BTreeSet<usize>) -> Vec<(usize, &'a str)> {
    let is_note = |at: &usize| rules[*at].target() == Some(Chain::Note.name());
    let mut in_output = ours.iter().copied().filter(|at| rules[*at].is_in(Chain::Output));
    let Some(first) = in_output.clone().find(|at| !is_note(at)).or_else(|| in_output.rfind(is_note)) else {
        return vec![];
    };
    let above = rules[..first].iter().enumerate().rev().filter(|(_, rule)| rule.is_in(Chain::Output));
    above.map_while(|(at, rule)| Some((at, rule.returned_interface()?))).collect()
}

/// Takes the first rule in PREROUTING that returns `interface` and has not been taken yet, if there is one.
fn claim<'a>(ours: &mut BTreeSet<usize>, rules: impl Iterator<Item = (usize, &'a SavedRule)>, interface: &str) {
    let mut returning =
        rules.filter(|(_, rule)| rule.is_in(Chain::Prerouting) && rule.returned_interface() == Some(interface));
    if let Some((at, _)) = returning.find(|(at, _)| !ours.contains(at)) {
        ours.insert(at);
    }
}
