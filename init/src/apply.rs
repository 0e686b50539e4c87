//! Brings the rules into the kernel, or on standard output.
#![expect(clippy::disallowed_methods, reason = "reads from /proc whether there is IPv6")]

use std::io;
use std::path::Path;

use sidecar_contract::address::INBOUND_SOURCE_V6;

use crate::iptables::{self, Iptables};
use crate::owned::Current;
use crate::plan::{self, Plan, plan};
use crate::rule::{Family, RuleSet};
use crate::settings::Settings;
use crate::{dry_run, leftovers, loopback, redirect};

/// Lists the IPv6 addresses of the network namespace. Missing where the kernel has no IPv6.
const IPV6_ADDRESSES: &str = "/proc/net/if_inet6";

/// How often a table is written that others change at the same time.
const ATTEMPTS: usize = 3;

/// Of rules that come before ours, how many are named.
const MAX_WARNINGS: usize = 10;

/// Why rules could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be found out whether there is IPv6.
    #[error(
        "cannot read {IPV6_ADDRESSES} to find out whether there is IPv6; mount /proc, or say so with --ip-families"
    )]
    Detect(#[source] io::Error),
    /// The rules could not be printed.
    #[error(transparent)]
    Print(#[from] dry_run::Error),
    /// The proxy's IPv6 source address could not be added; no rule was written.
    #[error(transparent)]
    Loopback(#[from] loopback::Error),
    /// A tool failed before any rule was written.
    #[error(transparent)]
    Iptables(#[from] iptables::Error),
    /// A tool failed when the rules of another family were in place.
    #[error("the IPv4 rules are in place, the IPv6 rules are not; the next run completes them")]
    Halfway(#[source] iptables::Error),
}

/// Prints the rules, or writes them.
///
/// # Errors
/// When that fails. A second run brings about what the first did not.
pub fn run(settings: &Settings) -> Result<(), Error> {
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let families = families(settings)?;
    let rule_sets: Vec<RuleSet> =
        families.iter().flat_map(|family| redirect::rule_sets(&settings.capture, *family)).collect();
    if settings.dry_run {
        return Ok(dry_run::print(&rule_sets, settings.native_nftables, settings.dry_run_file.as_deref())?);
    }
    write(settings, &rule_sets)
}

/// The families for which rules are wanted in this network namespace.
///
/// # Errors
/// When it cannot be found out.
pub fn families(settings: &Settings) -> Result<&'static [Family], Error> {
    settings.families.resolve(|| has_ipv6(Path::new(IPV6_ADDRESSES)).map_err(Error::Detect))
}

/// Reads everything before it writes anything, so that a missing tool or right leaves the pod as it was.
fn write(settings: &Settings, rule_sets: &[RuleSet]) -> Result<(), Error> {
    let mut tables = Vec::with_capacity(rule_sets.len());
    for rules in rule_sets {
        let tool = Iptables { family: rules.family, backend: settings.backend };
        tables.push((tool, rules, Current::divide(&tool.save(rules.table)?)));
    }
    if rule_sets.iter().any(|rules| rules.family == Family::V6) {
        loopback::add_address(INBOUND_SOURCE_V6)?;
    }
    for (index, (tool, rules, current)) in tables.into_iter().enumerate() {
        let written = write_table(tool, rules, current, settings.force_apply);
        written.map_err(if index == 0 { Error::Iptables } else { Error::Halfway })?;
        leftovers::warn(tool, rules.table);
    }
    Ok(())
}

/// Writes one table. Where another program changed it since it was read, so that it cannot be written as planned, it is
/// read again, and planned again.
fn write_table(tool: Iptables, rules: &RuleSet, mut current: Current, force: bool) -> Result<(), iptables::Error> {
    for attempt in 1.. {
        let plan = plan(rules, &current, force);
        let written = match &plan {
            Plan::Keep => Ok(()),
            Plan::Write { input, .. } => tool.restore(input, &rules.rules),
        };
        let Err(error) = written else {
            report(tool, rules, &current, &plan);
            break;
        };
        let now = tool.save(rules.table).map(|saved| Current::divide(&saved));
        match now {
            Ok(now) if attempt < ATTEMPTS && now != current => current = now,
            _ => return Err(error),
        }
        tracing::info!(family = %tool.family, table = %rules.table, "the rules of others have changed meanwhile; trying again");
    }
    Ok(())
}

fn report(tool: Iptables, rules: &RuleSet, current: &Current, plan: &Plan) {
    let outcome = match plan {
        Plan::Keep => "unchanged",
        Plan::Write { replaces: true, .. } => "replaced",
        Plan::Write { replaces: false, .. } => "fresh",
    };
    tracing::info!(
        family = %tool.family,
        table = %rules.table,
        chains = rules.own_chains().len(),
        rules = rules.rules.len(),
        outcome,
        "redirection is in place"
    );
    for rule in plan::ahead_of_ours(rules, current, plan).take(MAX_WARNINGS) {
        tracing::warn!(
            family = %tool.family,
            table = %rules.table,
            rule = %rule,
            "a rule of somebody else comes first: what it matches is not redirected"
        );
    }
}

fn has_ipv6(addresses: &Path) -> io::Result<bool> {
    match std::fs::read(addresses) {
        Ok(lines) => Ok(!lines.is_empty()),
        // Without /proc there is no telling, and IPv6 must not go unproxied for that.
        Err(error) if error.kind() == io::ErrorKind::NotFound && addresses.parent().is_some_and(Path::exists) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_list_means_no_ipv6_only_where_proc_is_there() {
        let proc_net = tempfile::tempdir().unwrap();
        let list = proc_net.path().join("if_inet6");
        assert!(!has_ipv6(&list).unwrap());
        std::fs::write(&list, "").unwrap();
        assert!(!has_ipv6(&list).unwrap());
        std::fs::write(&list, "00000000000000000000000000000001 01 80 10 80 lo\n").unwrap();
        assert!(has_ipv6(&list).unwrap());
        assert!(has_ipv6(&proc_net.path().join("no/proc/if_inet6")).is_err());
    }
}
