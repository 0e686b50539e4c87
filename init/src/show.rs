//! `sidecar-init show`: prints the rules of this network namespace, those of every backend. It reads, and makes nothing.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;
use sidecar_process::log::LogArgs;

use crate::iptables::{self, Iptables};
use crate::listing::{Listing, TableListing};
use crate::rule::{Family, Table};
use crate::saved::Saved;
use crate::settings::Backend;

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
    /// A backend could not be read.
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
    let mut listing = Listing::default();
    for (backend, name) in [(Backend::Nft, "nft"), (Backend::Legacy, "legacy")] {
        for family in [Family::V4, Family::V6] {
            let output = Iptables { family, backend }.save_all()?;
            for table in [Table::Raw, Table::Mangle, Table::Nat] {
                let Ok(saved) = Saved::read(&output, table) else { continue };
                if !saved.chains.is_empty() || !saved.others.is_empty() {
                    listing.tables.push(TableListing::new(name, family, table, &saved));
                }
            }
        }
    }
    Ok(listing)
}
