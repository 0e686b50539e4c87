//! What is in the kernel: one table of the output of `iptables-save`, read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ipnet::IpNet;

use crate::rule::{Chain, Table};

/// Targets after which the table asks no other rule.
const FINAL: [&str; 9] = ["ACCEPT", "DROP", "REJECT", "QUEUE", "NFQUEUE", "REDIRECT", "DNAT", "NETMAP", "TPROXY"];
/// Options whose value may look like another option.
const FREE_TEXT: [&str; 5] = ["--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string"];

/// One rule as `iptables-save` prints it.
#[derive(Clone, Debug, Eq)]
pub struct SavedRule {
    chain: String,
    body: String,
    /// By which nf_tables knows it. Two rules are equal whatever their handles.
    pub(crate) handle: Option<u64>,
    /// Whether we have left our mark on it, which only nf_tables can hold.
    pub(crate) is_marked: bool,
}

impl PartialEq for SavedRule {
    fn eq(&self, other: &Self) -> bool {
        (&self.chain, &self.body) == (&other.chain, &other.body)
    }
}

/// One table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Our chains, each with its rules in order, without the leading `-A CHAIN`.
    pub chains: BTreeMap<String, Vec<String>>,
    /// The rules of all other chains, chain by chain, in order.
    pub others: Vec<SavedRule>,
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

impl Saved {
    /// Reads `table` from the output of `iptables-save`.
    ///
    /// # Errors
    /// When the output does not show the whole table.
    pub fn read(output: &str, table: Table) -> Result<Self, Unreadable> {
        let mut saved = Self::default();
        let mut in_table = false;
        for (index, line) in output.lines().enumerate() {
            let line = line.trim_end();
            if line.starts_with("# Table ") && line.ends_with("is incompatible, use 'nft' tool.") {
                return Err(Unreadable::Incompatible(table));
            }
            if let Some(name) = line.strip_prefix('*') {
                in_table = name == table.to_string();
            }
            if !in_table || line.is_empty() || line == "COMMIT" || line.starts_with(['#', '*']) {
                continue;
            }
            if let Some((name, _)) = line.strip_prefix(':').and_then(|chain| chain.split_once(' ')) {
                if table.holds_own(name) {
                    saved.chains.entry(name.to_owned()).or_default();
                }
            } else if let Some(rule) = line.strip_prefix("-A ") {
                let (chain, body) = rule.split_once(' ').unwrap_or((rule, ""));
                match saved.chains.get_mut(chain) {
                    Some(rules) => rules.push(normal(body)),
                    None => saved.others.push(SavedRule::read(chain, body)),
                }
            } else {
                return Err(Unreadable::Line(index + 1));
            }
        }
        Ok(saved)
    }
}

impl SavedRule {
    /// A rule with a body in the form in which `iptables-save` prints it.
    pub(crate) fn new(chain: Chain, body: String) -> Self {
        Self { chain: chain.name().to_owned(), body, handle: None, is_marked: false }
    }

    /// A rule as it was read, with a body in any form of its addresses.
    pub(crate) fn read(chain: &str, body: &str) -> Self {
        Self { chain: chain.to_owned(), body: normal(body), handle: None, is_marked: false }
    }

    /// The same, known to be ours.
    pub(crate) fn marked(self) -> Self {
        Self { is_marked: true, ..self }
    }

    /// Whether we have left our mark on it, which only nf_tables can hold.
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// Whether it is in this chain.
    pub(crate) fn is_in(&self, chain: Chain) -> bool {
        self.chain == chain.name()
    }

    /// Name of the chain that it is in.
    pub(crate) fn chain(&self) -> &str {
        &self.chain
    }

    /// The rule without its chain, in the form in which `iptables-save` prints it.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    /// Whether a TCP connection that it matches may get no further in the table, where those are all rules of others.
    pub(crate) fn is_final_for_tcp(&self, others: &[Self]) -> bool {
        // Where a chain returns to that has been gone to is past all rules of this one.
        let leaves = self.target() == Some("RETURN") || self.option("-g").is_some();
        self.concerns_tcp() && (leaves || self.decides(others, &mut BTreeSet::new()))
    }

    /// Whether its target, or a rule of the chain that it leads to, decides what becomes of a connection.
    fn decides<'a>(&'a self, others: &'a [Self], visited: &mut BTreeSet<&'a str>) -> bool {
        let Some(target) = self.target() else { return false };
        if FINAL.contains(&target) {
            return true;
        }
        let returns_all = |rule: &&Self| matches!(&*rule.body, "-j RETURN" | "-p tcp -j RETURN");
        let mut rules = others.iter().filter(|rule| rule.chain == target).take_while(|rule| !returns_all(rule));
        visited.insert(target) && rules.any(|rule| rule.concerns_tcp() && rule.decides(others, visited))
    }

    fn concerns_tcp(&self) -> bool {
        match self.option("-p") {
            None | Some((false, "tcp" | "all")) => true,
            Some((is_not, protocol)) => is_not && protocol != "tcp",
        }
    }

    /// Where it sends a packet: a chain, or a target such as `ACCEPT`.
    pub(crate) fn target(&self) -> Option<&str> {
        self.value_of("-j").or_else(|| self.value_of("-g"))
    }

    /// Whether it sends a packet to one of these chains.
    pub(crate) fn jumps_to(&self, chains: &BTreeMap<String, Vec<String>>) -> bool {
        self.target().is_some_and(|target| chains.contains_key(target))
    }

    /// The interface that it is limited to: the one through which a packet arrives.
    pub(crate) fn in_interface(&self) -> Option<&str> {
        self.value_of("-i")
    }

    /// The interface, if the rule does nothing but return what arrives through it in PREROUTING, or leaves through it
    /// in OUTPUT.
    pub(crate) fn returned_interface(&self) -> Option<&str> {
        match (&*self.chain, &words(&self.body)[..]) {
            ("PREROUTING", ["-i", interface, "-j", "RETURN"]) | ("OUTPUT", ["-o", interface, "-j", "RETURN"]) => {
                Some(interface)
            }
            _ => None,
        }
    }

    /// What an option is, if it is given and not inverted.
    fn value_of(&self, flag: &str) -> Option<&str> {
        self.option(flag).and_then(|(is_not, value)| (!is_not).then_some(value))
    }

    /// Whether an option is inverted, and what it is.
    fn option(&self, flag: &str) -> Option<(bool, &str)> {
        let mut words = words(&self.body).into_iter();
        let mut is_not = false;
        while let Some(word) = words.next() {
            if word == flag {
                return Some((is_not, words.next()?));
            }
            if FREE_TEXT.contains(&word) {
                words.next();
            }
            is_not = word == "!";
        }
        None
    }
}

/// As after `-A` or `-D`.
impl fmt::Display for SavedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.chain, self.body)
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
pub(crate) fn words(body: &str) -> Vec<&str> {
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
