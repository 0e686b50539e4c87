//! What a failure to write rules means: which rule it is about, what asked for it, and what to try.

use std::error::Error;
use std::fmt;
use std::io;

use nix::errno::Errno;

use crate::change::Change;
use crate::kernel::Refused;
use crate::native::step::Step as NativeStep;
use crate::nftables::transaction::Step;
use crate::origin;
use crate::restore;
use crate::rule::{Family, Match, Rule, Target};

/// Characters of the tool's own words that are repeated.
const MAX_MESSAGE: usize = 512;

/// A failure, for people. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    message: String,
    line: Option<String>,
    setting: Option<&'static str>,
    advice: Option<String>,
    /// `None` where it is about neither in particular.
    family: Option<Family>,
    lacks_module: bool,
}

/// Explains `complaint`, the standard error of a tool that was given `input`, which writes `rules` among other things.
pub fn explain(complaint: &str, input: &str, rules: &[Rule], family: Family) -> Diagnosis {
    let line = failing_line(complaint).and_then(|number| input.lines().nth(number.checked_sub(1)?));
    Diagnosis {
        message: message(complaint),
        line: line.map(str::to_owned),
        setting: rules.iter().find(|rule| line == Some(&restore::line(rule))).and_then(|rule| rule.setting),
        advice: ADVICE.iter().find(|(sign, _)| complaint.contains(sign)).map(|(_, advice)| (*advice).to_owned()),
        family: Some(family),
        lacks_module: false,
    }
}

/// Explains what the kernel says to a transaction of `changes`.
pub fn of_refusal(refused: &Refused, changes: &[Change]) -> Diagnosis {
    let cause = refused.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let mut diagnosis = Diagnosis {
        message: format!("{refused}{cause}"),
        line: None,
        setting: None,
        advice: None,
        family: None,
        lacks_module: false,
    };
    if let Refused::Native { step, error, .. } = refused {
        if let NativeStep::AddRule(_, _, rule) = &**step {
            diagnosis.setting = rule.setting;
        }
        diagnosis.advice = match errno(error) {
            Errno::EPERM | Errno::EACCES => Some(NET_ADMIN.to_owned()),
            Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT => Some(NATIVE_MODULE.to_owned()),
            _ => None,
        };
        return diagnosis;
    }
    let Refused::Step { change, step, error, .. } = refused else { return diagnosis };
    let change = change.and_then(|at| changes.get(at));
    diagnosis.family = change.map(Change::family);
    let rule = match step {
        Some(Step::Rule(at)) => change.and_then(|change| change.rules.rules.get(*at)),
        _ => None,
    };
    diagnosis.setting = rule.and_then(|rule| rule.setting);
    diagnosis.advice = match errno(error) {
        Errno::EPERM | Errno::EACCES => Some(NET_ADMIN.to_owned()),
        Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT => {
            diagnosis.lacks_module = rule.is_some();
            Some(match rule {
                Some(rule) => format!("load {} on the node, or use --native-nftables", modules(rule).join(", ")),
                None => {
                    "load nf_tables and nft_chain_nat on the node, or use --force-iptables-binary legacy".to_owned()
                }
            })
        }
        Errno::EINVAL if rule.is_some_and(names_owner) => Some(
            "the user or group may have no number in the user namespace of this container; use one that it has"
                .to_owned(),
        ),
        _ => None,
    };
    diagnosis
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

/// The kernel's modules that a rule takes in the layout of iptables-nft.
fn modules(rule: &Rule) -> Vec<&'static str> {
    let mut modules = vec!["nft_compat"];
    for condition in &rule.matches {
        modules.extend(match condition {
            Match::Port(..) | Match::NotPort(..) | Match::SourcePort(..) => Some("xt_tcpudp"),
            Match::Ports(..) | Match::NotPorts(..) => Some("xt_multiport"),
            Match::Mark(_) | Match::NotMark(_) => Some("xt_mark"),
            Match::ConnectionMark(_) => Some("xt_connmark"),
            Match::Established | Match::Untrackable => Some("xt_conntrack"),
            Match::Owner(_) | Match::NotOwner(_) => Some("xt_owner"),
            _ => None,
        });
    }
    modules.extend(match rule.target {
        Target::Redirect(_) => Some("xt_REDIRECT"),
        Target::SetMark(_) => Some("xt_mark"),
        Target::SaveMark | Target::RestoreMark => Some("xt_connmark"),
        Target::Tproxy { .. } => Some("xt_TPROXY"),
        Target::Zone(_) => Some("xt_CT"),
        _ => None,
    });
    modules.dedup();
    modules
}

fn names_owner(rule: &Rule) -> bool {
    rule.matches.iter().any(|condition| matches!(condition, Match::Owner(_) | Match::NotOwner(_)))
}

/// How a failure for this family can be avoided altogether, to be added to any advice.
pub fn way_out(family: Family) -> &'static str {
    match family {
        Family::V4 => "",
        Family::V6 => "; for a pod that is to have no IPv6 rules use --ip-families v4",
    }
}

/// Words of a complaint, and what they call for; the first that is found counts.
const ADVICE: [(&str, &str); 12] = [
    ("xtables lock", "another program holds the lock of iptables for this network namespace; end it, or run again"),
    ("lock file", "the lock file cannot be opened; run as root, or use --force-iptables-binary nft"),
    ("Bad value for \"--gid-owner\"", "the group is not in /etc/group of this container; use its id"),
    ("unable to initialize table", LEGACY_TABLE),
    ("Permission denied", NET_ADMIN),
    ("Operation not permitted", NET_ADMIN),
    ("you must be root", NET_ADMIN),
    ("Table does not exist", NAT_MODULE),
    ("can't initialize", NAT_MODULE),
    ("No chain/target/match by that name", MATCH_MODULE),
    ("missing kernel module", MATCH_MODULE),
    ("No such file or directory", MATCH_MODULE),
];
const NET_ADMIN: &str = "give the container the capability NET_ADMIN (with iptables-legacy NET_RAW too)";
const NATIVE_MODULE: &str =
    "load nf_tables_inet, nft_chain_nat, nft_redir, nft_tproxy and nft_ct on the node, or leave --native-nftables out";
const NAT_MODULE: &str =
    "load iptable_nat, or for IPv6 ip6table_nat, on the node, or use another --force-iptables-binary";
const LEGACY_TABLE: &str = "give the container the capabilities NET_ADMIN and NET_RAW; if it has them, the kernel of the node lacks \
     iptables-legacy, and --force-iptables-binary nft may do";
const MATCH_MODULE: &str = "load xt_owner, xt_REDIRECT and nf_nat, or with nft also nft_compat, on the node, or use another \
     --force-iptables-binary";

impl Diagnosis {
    /// Whether it is for want of a module of x_tables.
    pub fn lacks_module(&self) -> bool {
        self.lacks_module
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(line) = &self.line {
            write!(f, "; at `{line}`")?;
        }
        if let Some(setting) = self.setting {
            write!(f, ", which {setting} asks for")?;
            if let Some(annotation) = origin::annotation(setting) {
                write!(f, " (annotation {annotation})")?;
            }
        }
        if let Some(advice) = &self.advice {
            write!(f, "; {advice}")?;
        }
        f.write_str(self.family.map_or("", way_out))
    }
}

/// The number in `Error occurred at line: 3` and in `line 3 failed`.
fn failing_line(complaint: &str) -> Option<usize> {
    let mut words = complaint.split_whitespace();
    while let Some(word) = words.next() {
        if matches!(word, "line" | "line:") {
            let number = words.next()?.trim_end_matches(':');
            return number.parse().ok();
        }
    }
    None
}

/// The complaint in one line, without what is only of use at a terminal.
fn message(complaint: &str) -> String {
    let lines = complaint
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("Error occurred at line") && !line.starts_with("Try `"));
    let message = lines.collect::<Vec<_>>().join("; ");
    if message.is_empty() {
        return "it gave no reason".to_owned();
    }
    message.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests;
