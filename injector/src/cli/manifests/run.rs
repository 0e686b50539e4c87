//! One run over all inputs: everything is read and made first, and written when all went well.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use sidecar_process::exit;
use yamledit::Document;

use super::output::{Content, Output, Target, Writer};
use super::reporting::Reporting;
use super::spool::Spool;
use super::{Color, ManifestArgs};
use crate::cli::Failure;
use crate::files::inputs::{Input, inputs};
use crate::files::stream::read_documents;
use crate::files::{self, Access};
use crate::manifest::{ChangedDocument, ManifestError, Task};

/// More than so many wait for the one that writes.
const MOST_THREADS: usize = 8;
/// Fewer are done before a thread has started.
const FEWEST_DOCUMENTS: usize = 8;

pub(super) struct Run<'a> {
    args: &'a ManifestArgs,
    task: Task<'a>,
    output: Output,
    inputs: Vec<Input>,
    reporting: Reporting,
    writer: Writer,
    spool: Spool,
    replacements: Vec<Replacement>,
    /// Inputs in which something changes.
    changed: Vec<String>,
    /// Objects without a sidecar that were to have one.
    wrongly_skipped: Vec<String>,
}

/// A file, what it is to be, and by what to tell that it is still what was read.
struct Replacement {
    path: PathBuf,
    text: Range<u64>,
    was: Option<Stamp>,
}

type Stamp = (u64, u64, i64, i64);

impl<'a> Run<'a> {
    pub(super) fn new(args: &'a ManifestArgs, task: Task<'a>, output: Output) -> Self {
        let (inputs, errors) = inputs(&args.filename, args.recursive);
        let mut reporting = Reporting::new(args.report, inputs.len());
        let failures = Failure::of_all(&errors);
        failures.messages.iter().for_each(|message| reporting.problem(message));
        let writer = Writer::new(output.content, is_coloured(args.color));
        Self {
            args,
            task,
            output,
            inputs,
            reporting,
            writer,
            spool: Spool::new(),
            replacements: Vec::new(),
            changed: Vec::new(),
            wrongly_skipped: Vec::new(),
        }
    }

    /// Reads all inputs, and makes of them what is to be written.
    ///
    /// # Errors
    /// When that cannot be kept.
    pub(super) fn read(&mut self) -> Result<(), Failure> {
        let inputs = std::mem::take(&mut self.inputs);
        for (done, input) in inputs.iter().enumerate() {
            self.reporting.progress(done, inputs.len());
            self.input(input).map_err(|error| unwritable("temporary file", &error))?;
        }
        self.writer.end(&mut self.spool).map_err(|error| unwritable("temporary file", &error))
    }

    fn input(&mut self, input: &Input) -> io::Result<()> {
        let name = input.name();
        let was = match input {
            Input::File(path) => stamp(path),
            _ => None,
        };
        let mut source = match input.open() {
            Ok(source) => source,
            Err(error) => {
                Failure::of(&error).messages.iter().for_each(|message| self.reporting.problem(message));
                return Ok(());
            }
        };
        let start = self.spool.length();
        let (mut is_changed, mut errors, mut written) = (false, Vec::new(), Ok(()));
        self.writer.next_input(self.output.target == Target::InPlace);
        let Self { task, reporting, writer, spool, wrongly_skipped, .. } = self;
        let count = read_documents(&mut source, |documents, first| {
            task.note_namespaces(documents);
            for (number, changed) in (first..).zip(changed(*task, documents, first)) {
                match changed {
                    Ok(changed) => {
                        is_changed |= changed.is_changed();
                        for report in &changed.report {
                            let line = report.line;
                            reporting.object(&name, line, number, report);
                            if report.is_wrongly_skipped() {
                                wrongly_skipped.push(format!("{name}:{line}: {}", report.object));
                            }
                        }
                        if written.is_ok() {
                            written = writer.document(spool, &name, &changed);
                        }
                    }
                    Err(mistakes) => errors.extend(mistakes),
                }
            }
        });
        written?;
        let errors = ManifestError::of_stream(errors, *count.as_ref().unwrap_or(&usize::MAX));
        errors.iter().for_each(|error| self.reporting.mistake(&name, error));
        if let Err(error) = &count {
            self.reporting.problem(&format!("{name}: cannot be read as text: {error}"));
        }
        if is_changed && errors.is_empty() && count.is_ok() {
            if let Input::File(path) = input {
                let text = start..self.spool.length();
                self.replacements.push(Replacement { path: path.clone(), text, was });
            }
            self.changed.push(name);
        }
        Ok(())
    }

    /// Writes what is to be written, if all went well, and says what was done.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn finish(mut self) -> Result<u8, Failure> {
        let has_failed = self.reporting.has_mistakes();
        if has_failed && !self.args.keep_going {
            self.reporting.say(false);
            return Ok(exit::FAILED);
        }
        let verdict = self.args.verdict(!self.changed.is_empty(), !self.wrongly_skipped.is_empty());
        if self.args.strict {
            for object in std::mem::take(&mut self.wrongly_skipped) {
                self.reporting.problem(&format!("{object}: was to have a sidecar, and gets none (--strict)"));
            }
        }
        let is_held_back = verdict != exit::DONE && self.output.content != Content::Difference;
        if !is_held_back || self.args.keep_going {
            self.write()?;
        }
        if self.args.dry_run {
            for name in std::mem::take(&mut self.changed) {
                self.reporting.note(format!("would change {name}"));
            }
        }
        self.reporting.say(true);
        Ok(if has_failed { exit::FAILED } else { verdict })
    }

    fn write(&mut self) -> Result<(), Failure> {
        let all = 0..self.spool.length();
        match &self.output.target {
            Target::StandardOutput => {
                let mut part = self.spool.part(all).map_err(|error| unwritable("temporary file", &error))?;
                let mut stdout = io::stdout().lock();
                let written = io::copy(&mut part, &mut stdout).and_then(|_| stdout.flush());
                ignore_broken_pipe(written).map_err(|error| unwritable("standard output", &error))
            }
            Target::File(path) => {
                let mut part = self.spool.part(all).map_err(|error| unwritable("temporary file", &error))?;
                files::replace(path, &mut part, Access::Shared).map_err(|error| Failure::of(&error))
            }
            Target::InPlace => self.replace_all(),
        }
    }

    fn replace_all(&mut self) -> Result<(), Failure> {
        let changed = self.replacements.iter().filter(|file| file.was.is_none() || stamp(&file.path) != file.was);
        let changed: Vec<String> =
            changed.map(|file| format!("{}: has changed since it was read; try again", file.path.display())).collect();
        if !changed.is_empty() {
            return Err(Failure { messages: changed });
        }
        let mut messages = Vec::new();
        for Replacement { path, text, .. } in std::mem::take(&mut self.replacements) {
            let mut part = self.spool.part(text).map_err(|error| unwritable("temporary file", &error))?;
            if let Err(error) = files::replace(&path, &mut part, Access::Shared) {
                messages.extend(Failure::of(&error).messages);
            }
        }
        if messages.is_empty() { Ok(()) } else { Err(Failure { messages }) }
    }
}

type Results<'a> = Vec<Result<ChangedDocument<'a>, Vec<ManifestError>>>;

/// Does the task to documents, on as many threads as there are cores; `first` is the number of the first.
fn changed<'a>(task: Task<'_>, documents: &[Document<'a>], first: usize) -> Results<'a> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let share = documents.len().div_ceil(threads).max(FEWEST_DOCUMENTS);
    let one = move |part: &[Document<'a>], first: usize| -> Results<'a> {
        (first..).zip(part).map(|(number, document)| task.document(*document, number)).collect()
    };
    if documents.len() <= share {
        return one(documents, first);
    }
    thread::scope(|scope| {
        let parts = documents.chunks(share).zip((first..).step_by(share));
        let running: Vec<_> = parts.map(|(part, first)| scope.spawn(move || one(part, first))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Length, number and time of the last change.
fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.len(), metadata.ino(), metadata.mtime(), metadata.mtime_nsec()))
}

fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

fn unwritable(what: &str, error: &io::Error) -> Failure {
    Failure { messages: vec![format!("{what}: {error}")] }
}

/// Whoever reads the output may have seen enough, as `head` does.
fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
