//! `sidecar-init show`: prints the rules of this network namespace, those of every backend. It reads, and makes nothing.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;
use sidecar_process::log::LogArgs;

use crate::child;
use crate::iptables::{self, Iptables};
use crate::kernel::{Kernel, Unreadable};
use crate::listing::{Listing, TableListing};
use crate::rule::{Family, Table};
use crate::saved::Saved;
use crate::settings::Backend;

/// The tables that rules of ours can be in.
const TABLES: [(Family, Table); 6] = [
    (Family::V4, Table::Raw),
    (Family::V4, Table::Mangle),
    (Family::V4, Table::Nat),
    (Family::V6, Table::Raw),
    (Family::V6, Table::Mangle),
    (Family::V6, Table::Nat),
];

/// Shows the rules that redirect the traffic of this network namespace, each with its reason.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "sidecar-init show", version)]
pub struct Show {
    /// How to print them
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    output: Output,
    #[command(flatten)]
    log: LogArgs,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// The rules could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// nf_tables could not be read.
    #[error(transparent)]
    NfTables(#[from] Unreadable),
    /// iptables-legacy could not be read.
    #[error(transparent)]
    Iptables(#[from] iptables::Error),
    /// Standard output is gone.
    #[error("cannot print the rules on standard output")]
    Print(#[source] io::Error),
}

impl Show {
    /// Reads the arguments that follow `show`, after the name of the process.
    ///
    /// # Errors
    /// When they are wrong, or ask for help or the version.
    pub fn from_arguments(arguments: Vec<OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }

    /// How to log.
    pub fn log(&self) -> &LogArgs {
        &self.log
    }

    /// Prints what there is.
    ///
    /// # Errors
    /// When that cannot be read or printed.
    pub fn run(&self) -> Result<(), Error> {
        let listing = read()?;
        let text = match self.output {
            Output::Text => listing.to_string(),
            Output::Json => format!("{}\n", listing.json()),
        };
        io::stdout().write_all(text.as_bytes()).map_err(Error::Print)
    }
}

fn read() -> Result<Listing, Error> {
    let described = |(backend, family, table, saved): &(&str, Family, Table, Saved)| {
        TableListing::new(backend, *family, *table, saved)
    };
    Ok(Listing { tables: tables()?.iter().map(described).collect(), routing: vec![] })
}

/// All rules of a family, each as a line of `iptables-save`, of whatever can be read.
pub(crate) fn live_rules() -> Vec<(Family, String)> {
    let mut rules = Vec::new();
    for (_, family, _, saved) in tables().unwrap_or_default() {
        rules.extend(saved.others.iter().map(|rule| (family, format!("-A {rule}"))));
        for (chain, bodies) in &saved.chains {
            rules.extend(bodies.iter().map(|body| (family, format!("-A {chain} {body}"))));
        }
    }
    rules
}

/// Every table with rules, after the name of the backend that holds it.
fn tables() -> Result<Vec<(&'static str, Family, Table, Saved)>, Error> {
    let mut tables = Vec::new();
    match Kernel::connect().and_then(|mut kernel| kernel.read(&TABLES)) {
        Ok(snapshot) => {
            tables.extend(snapshot.tables.into_iter().map(|(family, table, saved)| ("nft", family, table, saved)));
        }
        Err(Unreadable::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    for family in [Family::V4, Family::V6] {
        let output = match (Iptables { family, backend: Backend::Legacy }).save_all() {
            Err(iptables::Error::Run { source: child::Error::Missing, .. }) => continue,
            output => output?,
        };
        for table in [Table::Raw, Table::Mangle, Table::Nat] {
            tables.extend(Saved::read(&output, table).ok().map(|saved| ("legacy", family, table, saved)));
        }
    }
    tables.retain(|(_, _, _, saved)| !saved.chains.is_empty() || !saved.others.is_empty());
    Ok(tables)
}
