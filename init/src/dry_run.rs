//! Prints rules instead of writing them.
#![expect(clippy::disallowed_methods, reason = "writes the file that DRY_RUN_FILE_PATH names")]

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::rule::RuleSet;
use crate::{native, restore};

/// The rules could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody reads standard output, or it is full.
    #[error("cannot print the rules on standard output")]
    Print(#[source] io::Error),
    /// The file cannot be written.
    #[error("cannot write the rules to {0}, which DRY_RUN_FILE_PATH names; name a file in a writable folder")]
    Write(PathBuf, #[source] io::Error),
}

/// Prints the rules on standard output, as input of `iptables-restore` or, if they are to be native, of `nft -f`; and
/// writes the same to `file`.
///
/// # Errors
/// When either fails. A file that was begun is left.
pub fn print(rule_sets: &[RuleSet], is_native: bool, file: Option<&Path>) -> Result<(), Error> {
    let text: String = if is_native {
        native::text::script(&native::ruleset::tables(rule_sets))
    } else {
        rule_sets.iter().map(restore::fresh).collect()
    };
    if let Some(file) = file {
        std::fs::write(file, &text).map_err(|error| Error::Write(file.to_owned(), error))?;
    }
    io::stdout().write_all(text.as_bytes()).map_err(Error::Print)
}
