//! The iptables tools: one process reads a table, one writes it.

use std::process::Command;
use std::time::Duration;

use crate::child::{self, Limits};
use crate::diagnosis::{self, Diagnosis};
use crate::rule::{Family, Rule, Table};
use crate::saved::{Saved, Unreadable};
use crate::settings::Backend;

/// Reading takes milliseconds; loading kernel modules, or a busy node, may take seconds.
const LIMITS: Limits = Limits { time: Duration::from_secs(30), output: 16 << 20 };

/// Seconds that iptables-legacy waits for another program to release the lock. Well below the limit, so that it is the
/// tool that gives up and says why. The nft tools need no lock, and take the option without effect.
const LOCK_WAIT: &str = "10";

/// The tools of one address family.
#[derive(Clone, Copy, Debug)]
pub struct Iptables {
    /// The family.
    pub family: Family,
    /// Which of the installed tools.
    pub backend: Backend,
}

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

impl Iptables {
    /// Reads a table.
    ///
    /// # Errors
    /// When the tool fails, or prints what cannot be read.
    pub fn save(self, table: Table) -> Result<Saved, Error> {
        let program = self.program("save");
        let output = self.run(&program, &["--table", &table.to_string()], "", &[])?;
        Saved::read(&output, table).map_err(|source| Error::Unreadable { family: self.family, program, source })
    }

    /// Shows every table that there is.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn save_all(self) -> Result<String, Error> {
        self.run(&self.program("save"), &[], "", &[])
    }

    /// Whether the tool is the one over nf_tables.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn is_nft(self) -> Result<bool, Error> {
        Ok(self.run(&self.program("save"), &["--version"], "", &[])?.contains("nf_tables"))
    }

    /// Gives `input` to `iptables-restore --noflush`: all of it takes effect at once, or none. A failure names the
    /// setting that asked for the rule that failed, if it is one of `rules`.
    ///
    /// # Errors
    /// When the tool fails.
    pub fn restore(self, input: &str, rules: &[Rule]) -> Result<(), Error> {
        self.run(&self.program("restore"), &["--noflush", "--wait", LOCK_WAIT], input, rules).map(drop)
    }

    /// Name of one of the tools: that which ends with `save`, or with `restore`.
    pub fn program(self, verb: &str) -> String {
        let tool = match self.family {
            Family::V4 => "iptables",
            Family::V6 => "ip6tables",
        };
        match self.backend {
            Backend::Default => format!("{tool}-{verb}"),
            Backend::Legacy => format!("{tool}-legacy-{verb}"),
            Backend::Nft => format!("{tool}-nft-{verb}"),
        }
    }

    fn run(self, program: &str, arguments: &[&str], input: &str, rules: &[Rule]) -> Result<String, Error> {
        let family = self.family;
        let mut command = Command::new(program);
        // The lock that iptables-legacy takes keeps programs in one network namespace apart, so the namespace's own file
        // serves; the usual one needs a writable /run, and would be shared with nobody.
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
}
