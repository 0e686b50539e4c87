//! iptables-legacy by its tools: one process reads a family, one writes it.
#![expect(clippy::disallowed_methods, reason = "reads from /proc which tables there are")]

use std::error::Error as _;
use std::io;
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
    /// What is there cannot be seen, and would be there twice.
    #[error(
        "{0}: only root and group 0 may read which tables of iptables-legacy there are; run as root, or with group 0"
    )]
    Hidden(Family),
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

/// What was read.
#[derive(Debug, Default)]
pub struct Sight {
    /// The tables that there are, as they are.
    pub dump: Dump,
    /// Why what there is of a family could not be seen.
    pub unseen: Vec<Error>,
}

/// Reads the tables of both families. Makes none, and runs nothing where there is none.
pub fn read() -> Sight {
    let mut sight = Sight::default();
    for family in [Family::V4, Family::V6] {
        match read_family(family) {
            Ok(tables) => sight.dump.tables.extend(tables),
            Err(error) => sight.unseen.push(error),
        }
    }
    sight
}

fn read_family(family: Family) -> Result<Vec<(Family, Table, Saved)>, Error> {
    let names = table_names(family)?;
    if names.is_empty() {
        return Ok(vec![]);
    }
    let program = program(family, "save");
    if !is_installed(family) {
        return Err(Error::Run { family, program, source: child::Error::Missing });
    }
    let output = run(family, &program, &[], "", &[])?;
    let tables = [Table::Raw, Table::Mangle, Table::Nat];
    let there = tables.into_iter().filter(|table| names.contains(&table.to_string()));
    there
        .map(|table| match Saved::read(&output, table) {
            Ok(saved) => Ok((family, table, saved)),
            Err(source) => Err(Error::Unreadable { family, program: program.clone(), source }),
        })
        .collect()
}

/// Writes `changes`: family by family, table by table, each at once or not at all.
///
/// # Errors
/// When a tool fails; what comes before that has been written. The error names the setting that asked for the rule.
pub fn write(changes: &[Change]) -> Result<(), Error> {
    if let Some(family) = changes.iter().map(Change::family).find(|family| !is_installed(*family)) {
        return Err(Error::Run { family, program: program(family, "restore"), source: child::Error::Missing });
    }
    for change in changes {
        table_names(change.family())?;
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

/// Names of the tables that this network namespace has. A kernel without iptables-legacy has no list; one with it shows
/// the list to some only, and to others does not say that there is nothing.
fn table_names(family: Family) -> Result<Vec<String>, Error> {
    match std::fs::read_to_string(list(family)) {
        Ok(names) => Ok(names.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Error::Hidden(family)),
        Err(_) => Ok(vec![]),
    }
}

fn list(family: Family) -> &'static str {
    match family {
        Family::V4 => "/proc/net/ip_tables_names",
        Family::V6 => "/proc/net/ip6_tables_names",
    }
}

/// Gives our part of every table back what it had. A table for which that fails is left as it is, in working order, for
/// the next run. Returns whether all of them have it back.
pub fn put_back(before: &Dump, now: &Dump) -> bool {
    let mut is_whole = true;
    for (family, table, now) in &now.tables {
        let (family, table, before) = (*family, *table, before.table(*family, *table));
        if Current::divide(&before).owned == Current::divide(now).owned {
            continue;
        }
        if let Err(error) = restore(family, &undo(table, &before, now), &[]) {
            tracing::warn!(%family, %table, "what was there before could not be put back, the next run completes it: {error}");
            is_whole = false;
        }
    }
    is_whole
}

impl Error {
    /// What failed and why, in one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// The family that it is about.
    pub fn family(&self) -> Family {
        match self {
            Self::Hidden(family) => *family,
            Self::Run { family, .. } | Self::Failed { family, .. } | Self::Unreadable { family, .. } => *family,
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
