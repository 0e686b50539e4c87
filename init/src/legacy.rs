//! iptables-legacy by its tools: one process reads a family, one writes it.
#![expect(clippy::disallowed_methods, reason = "reads from /proc which tables there are")]

use std::process::Command;
use std::time::Duration;

use crate::change::Change;
use crate::child::{self, Limits};
use crate::diagnosis::{self, Diagnosis};
use crate::owned::Current;
use crate::plan::Dump;
use crate::restore;
use crate::rule::{Family, Rule, Table};
use crate::saved::{Saved, Unreadable};
use crate::undo::undo;

/// Reading takes milliseconds; loading kernel modules, or a busy node, may take seconds.
const LIMITS: Limits = Limits { time: Duration::from_secs(30), output: 16 << 20 };

/// Seconds that the tools wait for another program to release the lock. Well below the limit, so that it is the tool that
/// gives up and says why.
const LOCK_WAIT: &str = "10";

/// A tool that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not start, or did not end.
    #[error("{family}: cannot run {program}{}", diagnosis::way_out(*.family))]
    Run {
        /// The family.
        family: Family,
        /// Name of the tool.
        program: String,
        /// Why not.
        #[source]
        source: child::Error,
    },
    /// It refused.
    #[error("{family}: {program} failed: {diagnosis}")]
    Failed {
        /// The family.
        family: Family,
        /// Name of the tool.
        program: String,
        /// Its reason.
        diagnosis: Box<Diagnosis>,
    },
    /// Its output makes no sense.
    #[error("{family}: cannot read the output of {program}")]
    Unreadable {
        /// The family.
        family: Family,
        /// Name of the tool.
        program: String,
        /// Why not.
        #[source]
        source: Unreadable,
    },
}

/// The tables of both families that there are, as they are. Makes none, and runs nothing where there is none.
///
/// # Errors
/// When a tool is missing or fails, or prints what cannot be read.
pub fn read() -> Result<Dump, Error> {
    let mut tables = Vec::new();
    for family in [Family::V4, Family::V6] {
        let names = table_names(family);
        if names.is_empty() || !is_installed(family) {
            continue;
        }
        let program = program(family, "save");
        let output = run(family, &program, &[], "", &[])?;
        for table in
            [Table::Raw, Table::Mangle, Table::Nat].into_iter().filter(|table| names.contains(&table.to_string()))
        {
            let saved = Saved::read(&output, table);
            let saved = saved.map_err(|source| Error::Unreadable { family, program: program.clone(), source })?;
            tables.push((family, table, saved));
        }
    }
    Ok(Dump { tables })
}

/// Writes `changes`: family by family, table by table, each at once or not at all.
///
/// # Errors
/// When a tool fails; what comes before that has been written. The error names the setting that asked for the rule.
pub fn write(changes: &[Change]) -> Result<(), Error> {
    if let Some(family) = changes.iter().map(Change::family).find(|family| !is_installed(*family)) {
        return Err(Error::Run { family, program: program(family, "restore"), source: child::Error::Missing });
    }
    for family in [Family::V4, Family::V6] {
        let of_family = || changes.iter().filter(|change| change.family() == family);
        if of_family().next().is_none() {
            continue;
        }
        let input: String = of_family().map(restore::swap).collect();
        let rules: Vec<Rule> = of_family().flat_map(|change| &change.rules.rules).cloned().collect();
        restore(family, &input, &rules)?;
    }
    Ok(())
}

/// Whether the tools of a family are there. Some that are there and do not work say so when they are used.
pub fn is_installed(family: Family) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |verb| std::env::split_paths(&path).any(|folder| folder.join(program(family, verb)).exists());
    is_there("save") && is_there("restore")
}

/// The families that have tables which cannot be looked at, as the tools are missing.
pub fn unseen() -> Vec<Family> {
    let is_unseen = |family: &Family| !table_names(*family).is_empty() && !is_installed(*family);
    [Family::V4, Family::V6].into_iter().filter(is_unseen).collect()
}

/// Names of the tables that this network namespace has. Where the list cannot be read there are none for us: it takes the
/// same rights as reading a table.
fn table_names(family: Family) -> Vec<String> {
    let list = match family {
        Family::V4 => "/proc/net/ip_tables_names",
        Family::V6 => "/proc/net/ip6_tables_names",
    };
    std::fs::read_to_string(list).map(|names| names.lines().map(str::to_owned).collect()).unwrap_or_default()
}

/// Gives our part of every table back what it had. A table for which that fails is left as it is, in working order, for
/// the next run.
pub fn put_back(before: &Dump, now: &Dump) {
    for (family, table, now) in &now.tables {
        let (family, table, before) = (*family, *table, before.table(*family, *table));
        if Current::divide(&before).owned == Current::divide(now).owned {
            continue;
        }
        if let Err(error) = restore(family, &undo(table, &before, now), &[]) {
            tracing::warn!(%family, %table, "what was there before could not be put back, the next run completes it: {error}");
        }
    }
}

fn restore(family: Family, input: &str, rules: &[Rule]) -> Result<(), Error> {
    run(family, &program(family, "restore"), &["--noflush", "--wait", LOCK_WAIT], input, rules).map(drop)
}

/// Name of the tool that ends with `save`, or with `restore`.
fn program(family: Family, verb: &str) -> String {
    match family {
        Family::V4 => format!("iptables-legacy-{verb}"),
        Family::V6 => format!("ip6tables-legacy-{verb}"),
    }
}

fn run(family: Family, program: &str, arguments: &[&str], input: &str, rules: &[Rule]) -> Result<String, Error> {
    let mut command = Command::new(program);
    // The lock keeps programs in one network namespace apart, so the namespace's own file serves; the usual one needs a
    // writable /run, and would be shared with nobody.
    command.args(arguments).env("XTABLES_LOCKFILE", "/proc/self/ns/net");
    let ended = child::run(&mut command, input.to_owned(), LIMITS).map_err(|source| Error::Run {
        family,
        program: program.to_owned(),
        source,
    })?;
    if ended.status.success() {
        return Ok(ended.output);
    }
    let diagnosis = Box::new(diagnosis::explain(&ended.complaint, input, rules, family));
    Err(Error::Failed { family, program: program.to_owned(), diagnosis })
}
