//! `sidecar-init show`: prints the rules of this network namespace, those of every backend. It reads, and makes nothing.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;
use sidecar_process::log::LogArgs;

use crate::backend::Kind;
use crate::listing::{self, Listing, TableListing};
use crate::routes;
use crate::rtnetlink::Rtnetlink;
use crate::rule::{Family, Table};
use crate::saved::Saved;
use crate::store::{self, State};

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
    Store(#[from] store::Error),
    /// Addresses, rules and routes could not be read.
    #[error(transparent)]
    Routes(#[from] routes::Error),
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
    let state = State::read()?;
    for unseen in state.unseen() {
        tracing::warn!("rules may be left out: {}", unseen.with_causes());
    }
    let native = state.native_tables();
    let described = |(kind, family, table, saved): (Kind, Family, Table, &Saved)| {
        TableListing::new(kind.word(), family, table, saved)
    };
    let snapshot = routes::read(&Rtnetlink::open().map_err(routes::Error::Read)?)?;
    let routing = listing::routing(&snapshot, &state.marks());
    Ok(Listing { tables: tables(&state, &native).map(described).collect(), routing })
}

/// All rules of a family, each as a line of `iptables-save`, of whatever can be read.
pub(crate) fn live_rules() -> Vec<(Family, String)> {
    let Ok(state) = State::read() else { return vec![] };
    let native = state.native_tables();
    let mut rules = Vec::new();
    for (_, family, _, saved) in tables(&state, &native) {
        rules.extend(saved.others.iter().map(|rule| (family, format!("-A {rule}"))));
        for (chain, bodies) in &saved.chains {
            rules.extend(bodies.iter().map(|body| (family, format!("-A {chain} {body}"))));
        }
    }
    rules
}

fn tables<'a>(
    state: &'a State,
    native: &'a [(Family, Table, Saved)],
) -> impl Iterator<Item = (Kind, Family, Table, &'a Saved)> {
    let native = native.iter().map(|(family, table, saved)| (Kind::Native, *family, *table, saved));
    state.tables().chain(native)
}
