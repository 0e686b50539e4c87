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
/// When either fails. The file has all of the rules then, or is as it was.
pub fn print(rule_sets: &[RuleSet], is_native: bool, file: Option<&Path>) -> Result<(), Error> {
    let text: String = if is_native {
        native::step::script(&native::ruleset::tables(rule_sets))
    } else {
        rule_sets.iter().map(restore::fresh).collect()
    };
    if let Some(file) = file {
        replace(file, &text).map_err(|error| Error::Write(file.to_owned(), error))?;
    }
    io::stdout().write_all(text.as_bytes()).map_err(Error::Print)
}

/// Writes a file at once, so that nobody reads half of it. What is no ordinary file, as a pipe, is written to.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let is_ordinary = std::fs::metadata(file).map_or(true, |found| found.is_file());
    let (Some(name), true) = (file.file_name(), is_ordinary) else { return std::fs::write(file, text) };
    let mut beside = name.to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = file.with_file_name(beside);
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, file));
    if written.is_err() {
        // It may not be there at all.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules");
        for text in ["longer rules", "rules"] {
            replace(&file, text).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(replace(&folder.path().join("no/rules"), "rules").is_err());
        assert!(replace(folder.path(), "rules").is_err());
        replace(Path::new("/dev/null"), "rules").unwrap();
    }
}
