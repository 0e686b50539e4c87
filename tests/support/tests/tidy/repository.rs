//! The repository's text files, read once or made up by a test.
#![expect(clippy::disallowed_methods, reason = "reads the files that the rules are about")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Hidden folders that hold files of ours; all others belong to tools.
const HIDDEN_BUT_OURS: [&str; 3] = [".cargo", ".ci", ".github"];

/// Text files by their path from the root, with `/` between folders.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    files: BTreeMap<String, File>,
}

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) executable: bool,
}

/// A broken rule, printed as `file:line: what, and why that matters`.
#[derive(Debug, PartialEq)]
pub(crate) struct Violation {
    path: String,
    line: usize,
    what: String,
}

impl Repository {
    /// Reads every text file below `root`, without build results and version control.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut repository = Self::default();
        repository.add_folder(root, "")?;
        Ok(repository)
    }

    /// A made-up repository; none of its files is executable.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |text: &str| File { text: text.to_owned(), executable: false };
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The Rust files, as path and text.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs")).map(|(path, file)| (path, file.text.as_str()))
    }

    /// The text of a file; `None` when there is no such file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|file| file.text.as_str())
    }

    /// The crates, as folder and text of `Cargo.toml`. The root is a workspace only.
    pub(crate) fn crates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter_map(|(path, file)| Some((path.strip_suffix("/Cargo.toml")?, file.text.as_str())))
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let foreign = name == "target" || (name.starts_with('.') && !HIDDEN_BUT_OURS.contains(&name.as_str()));
                if !foreign {
                    self.add_folder(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() {
                // What is not UTF-8 is no text.
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                    let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
                    self.files.insert(path, File { text, executable });
                }
            }
        }
        Ok(())
    }
}

impl Violation {
    /// `line` counts from 1; `what` says what is wrong and why that matters.
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// What the tests of the rules compare: the violations as `file:line: …`, cut before the sentence.
#[cfg(test)]
pub(crate) fn places(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(|violation| format!("{}:{}", violation.path, violation.line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_text_with_its_mode_and_leaves_out_what_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in [
            ("a/lib.rs", b"//! A.\n".as_slice()),
            (".ci/run", b"#!/bin/sh\n"),
            ("target/x", b"built"),
            (".git/x", b"kept"),
            ("image", b"\xff\xfe"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
        }
        fs::set_permissions(folder.path().join(".ci/run"), fs::Permissions::from_mode(0o755)).unwrap();
        let repository = Repository::read(folder.path()).unwrap();
        let found: Vec<_> = repository.files().map(|(path, file)| (path, file.executable)).collect();
        assert_eq!(found, [(".ci/run", true), ("a/lib.rs", false)]);
    }

    #[test]
    fn a_violation_can_be_clicked_on() {
        assert_eq!(Violation::new("a.rs", 3, "too long").to_string(), "a.rs:3: too long");
    }
}
