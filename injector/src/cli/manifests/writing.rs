//! Writing what was made: all of it or, as far as the kernel lets us, nothing.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::output::Target;
use super::reporting::Reporting;
use super::spool::Spool;
use crate::cli::Failure;
use crate::files::interrupts::Interrupts;
use crate::files::replace::{Access, Pending, replace};
use crate::files::{FileError, display};

/// A file, what it is to be, and by what to tell that it is still what was read.
pub(super) struct Replacement {
    pub(super) path: PathBuf,
    pub(super) text: Range<u64>,
    pub(super) was: Option<Stamp>,
}

/// Length, device, number, and time of the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64, u64, u64, i64, i64);

/// By what to tell whether a file changes; none where there is no file.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(Stamp(metadata.len(), metadata.dev(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

/// What waits to be written.
pub(super) struct Waiting<'a> {
    pub(super) target: &'a Target,
    pub(super) spool: &'a mut Spool,
    /// The parts of it that go into files.
    pub(super) replacements: Vec<Replacement>,
    /// Whether some may be written where others cannot be.
    pub(super) keep_going: bool,
    /// Where to warn of what did not keep its owner.
    pub(super) reporting: &'a mut Reporting,
}

impl Waiting<'_> {
    /// Writes it to where it goes.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn write(mut self) -> Result<(), Failure> {
        let all = 0..self.spool.length();
        match self.target {
            Target::StandardOutput => {
                let mut part = self.spool.part(all).map_err(|error| unwritable(&error))?;
                let mut stdout = io::stdout().lock();
                let written = io::copy(&mut part, &mut stdout).and_then(|_| stdout.flush());
                ignore_broken_pipe(written)
                    .map_err(|error| Failure { messages: vec![format!("standard output: {error}")] })
            }
            Target::File(path) => {
                let mut part = self.spool.part(all).map_err(|error| unwritable(&error))?;
                let warnings = replace(path, &mut part, Access::Shared).map_err(|error| Failure::of(&error))?;
                warnings.iter().for_each(|warning| self.reporting.warning(warning));
                Ok(())
            }
            Target::InPlace => self.replace_all(),
        }
    }

    /// Writes all files beside those that they replace, looks whether these are what was read, and only then replaces the
    /// first.
    fn replace_all(&mut self) -> Result<(), Failure> {
        // Without a descriptor for it, a signal ends this at once, and may leave a file behind.
        let interrupts = Interrupts::hold().ok();
        let stopped = || interrupts.as_ref().is_some_and(Interrupts::is_any);
        let (mut ready, mut messages) = (Vec::new(), Vec::new());
        for Replacement { path, text, was } in std::mem::take(&mut self.replacements) {
            if stopped() {
                return Err(Failure { messages: vec!["stopped by a signal; nothing was written".to_owned()] });
            }
            let mut part = self.spool.part(text).map_err(|error| unwritable(&error))?;
            match Pending::new(&path, &mut part, Access::Shared) {
                Ok(pending) => ready.push((path, was, pending)),
                Err(error) => messages.extend(Failure::of(&error).messages),
            }
        }
        for (path, was, _) in &ready {
            messages.extend(unchanged(path, *was).err());
        }
        if !messages.is_empty() && !self.keep_going {
            return Err(Failure { messages });
        }
        let mut written = Vec::new();
        for (path, was, pending) in ready {
            // Somebody may have saved it while the others were written.
            match unchanged(&path, was).and_then(|()| pending.put().map_err(|error| message(&error))) {
                Ok(warnings) => {
                    warnings.iter().for_each(|warning| self.reporting.warning(warning));
                    written.push(display(&path));
                }
                Err(message) if self.keep_going => messages.push(message),
                Err(message) => {
                    messages.push(message);
                    break;
                }
            }
        }
        if messages.is_empty() {
            return Ok(());
        }
        messages.sort();
        messages.dedup();
        if !written.is_empty() {
            messages.push(format!("only these were written: {}; run it again for the others", written.join(", ")));
        }
        Err(Failure { messages })
    }
}

fn unchanged(path: &Path, was: Option<Stamp>) -> Result<(), String> {
    if was.is_some() && stamp(path) == was {
        return Ok(());
    }
    Err(format!("{}: has changed since it was read; run it again", display(path)))
}

fn message(error: &FileError) -> String {
    Failure::of(error).messages.concat()
}

fn unwritable(error: &io::Error) -> Failure {
    Failure { messages: vec![error.to_string()] }
}

/// Whoever reads the output may have seen enough, as `head` does.
fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test of files makes and reads files")]
mod tests {
    use super::*;
    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::signal::{SigSet, Signal};
    use tempfile::TempDir;

    use crate::cli::manifests::ReportForm;

    /// Replaces `old` by `new` in the files of these names, which were what `was` says; the mistakes.
    fn replaced(keep_going: bool, files: &[(PathBuf, Option<Stamp>)]) -> Vec<String> {
        let (mut spool, mut reporting) = (Spool::new(), Reporting::new(ReportForm::None));
        spool.push("new").unwrap();
        let replacement = |(path, was): &(PathBuf, _)| Replacement { path: path.clone(), text: 0..3, was: *was };
        let replacements = files.iter().map(replacement).collect();
        let (target, spool, reporting) = (&Target::InPlace, &mut spool, &mut reporting);
        let written = Waiting { target, spool, replacements, keep_going, reporting }.write();
        written.err().map(|failure| failure.messages).unwrap_or_default()
    }

    fn folder() -> (TempDir, impl Fn(&str) -> PathBuf, impl Fn() -> Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let path = move |name: &str| root.join(name);
        for name in ["a", "b", "c"] {
            fs::write(path(name), "old").unwrap();
        }
        let root = folder.path().to_owned();
        let texts = move || {
            let mut names: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            names.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
        };
        (folder, path, texts)
    }

    #[test]
    fn when_one_file_cannot_be_written_or_has_changed_none_is() {
        let (_folder, path, texts) = folder();
        let is = |name: &str| (path(name), stamp(&path(name)));
        let changed = (path("b"), Some(Stamp(0, 0, 0, 0, 0)));
        for (bad, expected) in [
            ((path("none/d"), None), "d: cannot be written"),
            (changed.clone(), "b: has changed"),
            ((path("b"), None), "b"),
        ] {
            let messages = replaced(false, &[is("a"), bad.clone(), is("c")]);
            assert!(messages.iter().any(|message| message.contains(expected)), "{messages:?}");
            assert_eq!(texts(), ["old", "old", "old"], "{expected}");
        }
        let messages = replaced(true, &[is("a"), changed, is("c")]);
        assert!(messages.len() == 2 && messages[1].starts_with("only these were written: "), "{messages:?}");
        assert_eq!(texts(), ["new", "old", "new"]);
        assert_eq!(replaced(false, &[is("a"), is("b"), is("c")]), [""; 0]);
        assert_eq!(texts(), ["new", "new", "new"]);
    }

    #[test]
    fn a_signal_leaves_the_files_as_they_were() {
        let (_folder, path, texts) = folder();
        let mut hangup = SigSet::empty();
        hangup.add(Signal::SIGHUP);
        hangup.thread_block().unwrap();
        pthread_kill(pthread_self(), Signal::SIGHUP).unwrap();
        let messages = replaced(false, &[(path("a"), stamp(&path("a")))]);
        assert_eq!(hangup.wait(), Ok(Signal::SIGHUP));
        assert_eq!(
            (messages, texts()),
            (vec!["stopped by a signal; nothing was written".to_owned()], vec!["old".to_owned(); 3])
        );
    }
}
