//! One run over all inputs: everything is read and made first, and written when all went well.

use std::io;

use sidecar_process::exit;

use super::documents::{Done, Mistakes, Work};
use super::output::{Content, Output, Target, Writer};
use super::reporting::{Reporting, Wording};
use super::spool::Spool;
use super::writing::{Replacement, Waiting, stamp};
use super::{ManifestArgs, Strict, is_coloured};
use crate::cli::Failure;
use crate::files::FileError;
use crate::files::inputs::Input;
use crate::files::stream::read_documents;
use crate::manifest::{ManifestError, Task};

pub(super) struct Run<'a> {
    args: &'a ManifestArgs,
    output: Output,
    reporting: Reporting,
    spool: Spool,
    replacements: Vec<Replacement>,
    work: Work<'a>,
    strict: Strict,
    writer: Writer,
    /// Whether each line of the report names its input.
    names_inputs: bool,
    /// Documents that were read.
    documents: usize,
    /// Inputs in which something changes.
    changed: Vec<String>,
    /// What --strict does not let pass.
    wrong: Vec<String>,
}

/// What became of an input.
struct Read {
    name: String,
    is_changed: bool,
    is_text: bool,
    errors: Vec<ManifestError>,
}

impl<'a> Run<'a> {
    pub(super) fn new(args: &'a ManifestArgs, task: Task<'a>, strict: Strict, output: Output) -> Self {
        let writer = Writer::new(output.content, is_coloured(args.color));
        Self {
            args,
            output,
            reporting: Reporting::new(args.report),
            spool: Spool::new(),
            replacements: Vec::new(),
            work: Work { task, objects_only: args.objects_only },
            strict,
            writer,
            names_inputs: true,
            documents: 0,
            changed: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Reads all inputs, writes what is made of them if all went well, and says what was done; the exit code. `missing`
    /// are the inputs that are not there.
    pub(super) fn carry_out(mut self, inputs: &[Input], missing: &[FileError]) -> u8 {
        self.problems(&Failure::of_all(missing));
        self.names_inputs = inputs != [Input::StandardInput];
        if let Err(error) = self.read(inputs) {
            self.reporting.problem(&error.to_string());
            return self.failed(Wording::Silent);
        }
        let has_failed = self.reporting.has_mistakes();
        if has_failed && !self.args.keep_going {
            return self.failed(Wording::Silent);
        }
        let verdict = self.args.verdict(!self.changed.is_empty(), !self.wrong.is_empty());
        for wrong in std::mem::take(&mut self.wrong) {
            self.reporting.problem(&wrong);
        }
        let is_printed_only = matches!(self.output.content, Content::Difference | Content::Nothing);
        let is_held_back = verdict != exit::DONE && !is_printed_only && !self.args.keep_going;
        if !is_held_back && let Err(failure) = self.waiting().write() {
            self.problems(&failure);
            let is_partly_written = self.args.keep_going && self.output.target == Target::InPlace;
            return self.failed(if is_partly_written { Wording::Done } else { Wording::Would });
        }
        if self.args.dry_run || self.args.check {
            for name in std::mem::take(&mut self.changed) {
                self.reporting.note(format!("would change {name}"));
            }
        }
        self.reporting.say(if is_held_back || is_printed_only { Wording::Would } else { Wording::Done });
        if has_failed { exit::FAILED } else { verdict }
    }

    fn failed(mut self, wording: Wording) -> u8 {
        self.reporting.say(wording);
        exit::FAILED
    }

    fn waiting(&mut self) -> Waiting<'_> {
        let Self { args, output, reporting, spool, replacements, .. } = self;
        let replacements = std::mem::take(replacements);
        Waiting { target: &output.target, spool, replacements, keep_going: args.keep_going, reporting }
    }

    fn problems(&mut self, failure: &Failure) {
        failure.messages.iter().for_each(|message| self.reporting.problem(message));
    }

    fn read(&mut self, inputs: &[Input]) -> io::Result<()> {
        for (done, input) in inputs.iter().enumerate() {
            self.input(input, (done, inputs.len()))?;
        }
        self.writer.end(&mut self.spool)
    }

    /// Reads the input of this number, of so many.
    fn input(&mut self, input: &Input, (done, of): (usize, usize)) -> io::Result<()> {
        let path = match input {
            Input::File(path) => Some(path),
            _ => None,
        };
        let was = path.and_then(|path| stamp(path));
        let mut source = match input.open() {
            Ok(source) => source,
            Err(error) => {
                self.problems(&Failure::of(&error));
                return Ok(());
            }
        };
        let (start, is_in_place) = (self.spool.length(), self.output.target == Target::InPlace);
        self.writer.next_input(input, is_in_place, &self.spool);
        let mut read = Read { name: input.name(), is_changed: false, is_text: true, errors: Vec::new() };
        let mut written = Ok(());
        let count = read_documents(&mut source, |piece| {
            self.reporting.progress(done, of, self.documents);
            self.documents += piece.documents.len();
            read.is_text &= piece.not_text.is_empty();
            for document in self.work.done(piece) {
                if written.is_ok() {
                    written = self.document(document, &mut read);
                }
            }
        });
        written?;
        self.writer.end_input(&mut self.spool)?;
        let Read { name, is_changed, is_text, mut errors } = read;
        let count = count.unwrap_or_else(|error| {
            errors.push(error);
            usize::MAX
        });
        if is_changed && errors.is_empty() {
            if let Some(path) = path {
                self.replacements.push(Replacement { path: path.clone(), text: start..self.spool.length(), was });
            }
            self.changed.push(name.clone());
        } else if is_in_place || self.output.content == Content::Difference && !is_text {
            // It stays as it is; and what is no text is in no patch that fits.
            self.spool.truncate(start)?;
        }
        let errors = ManifestError::of_stream(errors, count);
        errors.iter().for_each(|error| self.reporting.mistake(&name, error));
        Ok(())
    }

    fn document(&mut self, Done { number, result }: Done<'_>, read: &mut Read) -> io::Result<()> {
        let changed = match result {
            Ok(changed) => changed,
            Err(Mistakes { source, errors }) => {
                read.errors.extend(errors);
                return self.writer.dropped(&mut self.spool, source.text);
            }
        };
        read.is_changed |= changed.is_changed();
        for report in &changed.report {
            let (name, line) = (&read.name, report.line);
            self.reporting.object(name, self.names_inputs, number, report);
            if let Some(complaint) = self.strict.complaint(report) {
                self.wrong.push(format!("{name}:{line}: {}: {complaint} (--strict)", report.object));
            }
        }
        self.writer.document(&mut self.spool, &changed)
    }
}
