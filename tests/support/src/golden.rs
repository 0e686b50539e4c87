//! Golden files: what a test expects, as a file that people can read, apply and review.
#![expect(clippy::disallowed_methods, reason = "reads and rewrites the files of the repository")]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The environment variable that makes [`check`] rewrite files instead of comparing.
const UPDATE: &str = "UPDATE_GOLDEN";

/// Why a text is not what its golden file says.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// The text differs; `line` is the first line, from 1, that does.
    #[error(
        "{path}:{line}: differs from what was produced\n  golden:   {golden}\n  produced: {produced}\n\
         if the new text is right, run the test with {UPDATE}=1"
    )]
    Differs {
        /// The golden file.
        path: PathBuf,
        /// First differing line, from 1.
        line: usize,
        /// That line in the file.
        golden: String,
        /// That line in the text.
        produced: String,
    },
    /// The file is missing or cannot be read or written.
    #[error("{path}: no golden file to compare with; run the test with {UPDATE}=1 to write it")]
    Unreadable {
        /// The golden file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Compares `produced` with the file at `path`; with `UPDATE_GOLDEN=1` writes it there.
///
/// # Errors
/// [`Mismatch`], with the first line that differs.
pub fn check(path: &Path, produced: &str) -> Result<(), Mismatch> {
    check_or_update(path, produced, env::var(UPDATE).is_ok_and(|value| value == "1"))
}

/// Files below `folder` that are not in `used`: goldens that no test looks at any more. Sorted.
///
/// # Errors
/// When a folder cannot be listed.
pub fn stale(folder: &Path, used: &BTreeSet<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            stale.extend(self::stale(&path, used)?);
        } else if !used.contains(&path) {
            stale.push(path);
        }
    }
    stale.sort();
    Ok(stale)
}

fn check_or_update(path: &Path, produced: &str, update: bool) -> Result<(), Mismatch> {
    let unreadable = |source| Mismatch::Unreadable { path: path.to_owned(), source };
    if update {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(unreadable)?;
        }
        return fs::write(path, produced).map_err(unreadable);
    }
    let golden = fs::read_to_string(path).map_err(unreadable)?;
    if golden == produced { Ok(()) } else { Err(first_difference(path, &golden, produced)) }
}

fn first_difference(path: &Path, golden: &str, produced: &str) -> Mismatch {
    // `split` and not `lines`: a missing newline at the end is a difference too.
    let (mut golden, mut produced) = (golden.split('\n'), produced.split('\n'));
    let mut line = 1;
    loop {
        let pair = (golden.next(), produced.next());
        if pair.0 != pair.1 || pair == (None, None) {
            let text = |side: Option<&str>| side.map_or("(end of text)".to_owned(), |found| format!("{found:?}"));
            return Mismatch::Differs { path: path.to_owned(), line, golden: text(pair.0), produced: text(pair.1) };
        }
        line += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_text_passes_and_other_text_names_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.golden");
        check_or_update(&path, "one\ntwo\n", true).unwrap();
        check_or_update(&path, "one\ntwo\n", false).unwrap();
        let error = check_or_update(&path, "one\n2\n", false).unwrap_err().to_string();
        assert!(error.contains("rules.golden:2:") && error.contains("\"2\""), "{error}");
        let error = check_or_update(&path, "one\ntwo", false).unwrap_err().to_string();
        assert!(error.contains("rules.golden:3:") && error.contains("(end of text)"), "{error}");
    }

    #[test]
    fn a_missing_golden_fails_and_says_how_to_write_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_or_update(&folder.path().join("new/case.golden"), "x", false).unwrap_err();
        assert!(matches!(error, Mismatch::Unreadable { .. }));
        assert!(error.to_string().contains("UPDATE_GOLDEN=1"), "{error}");
    }

    #[test]
    fn updating_makes_the_folder_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/case.golden");
        check_or_update(&path, "x\n", true).unwrap();
        check_or_update(&path, "x\n", false).unwrap();
    }

    #[test]
    fn goldens_that_nobody_uses_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let (used, unused) = (folder.path().join("a/used.golden"), folder.path().join("b/unused.golden"));
        for path in [&used, &unused] {
            check_or_update(path, "", true).unwrap();
        }
        assert_eq!(stale(folder.path(), &BTreeSet::from([used])).unwrap(), [unused]);
    }
}
