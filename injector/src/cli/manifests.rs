//! What `kube-inject` and `uninject` share: manifests in, changed manifests and a report out.

mod difference;
mod documents;
mod output;
mod patch_name;
mod reporting;
mod run;
mod spool;
mod writing;

use std::fs;
use std::io::{self, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sidecar_process::exit;

use crate::cli::Failure;
use crate::files;
use crate::files::inputs::{Input, inputs};
use crate::manifest::{Form, ManifestError, ObjectReport, Task};
use crate::mode::Mode;

use output::{Content, Output, Target};
use run::Run;

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed (nothing was written; with --keep-going, only what is in order), 2 wrong usage,
3 --check: something would change, 4 --strict: something has no sidecar that was to have one (goes before 3).
With 3 nothing is written either, nor with 4, unless --keep-going is given: then what is in order is.";

pub(super) const UNINJECT_EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed (nothing was written; with --keep-going, only what is in order), 2 wrong usage,
3 --check: something would change, 4 --strict: something may not be what it was (goes before 3).
With 3 nothing is written either, nor with 4, unless --keep-going is given: then what is in order is.";

/// With `--check`: something would change.
const WOULD_CHANGE: u8 = 3;
/// With `--strict`: something is not as it was to be.
const NOT_AS_IT_SHOULD_BE: u8 = 4;

/// Which manifests, and what becomes of them.
#[derive(Clone, Debug, Args)]
pub struct ManifestArgs {
    /// Manifests, YAML or JSON: files, directories (their *.yaml, *.yml and *.json; hidden ones are passed over),
    /// https:// addresses (through no proxy), or - for standard input.
    #[arg(short, long, value_name = "FILE", required = true, num_args = 1..)]
    pub filename: Vec<PathBuf>,
    /// Look into the directories within directories too.
    #[arg(short = 'R', long)]
    pub recursive: bool,
    /// File to write, replaced as a whole; or what to print: yaml, json, or patch, a JSONPatch for each changed object,
    /// one a line. A file of such a name is written as ./json.
    #[arg(short, long, value_name = "FILE|yaml|json|patch")]
    pub output: Option<PathBuf>,
    /// How changed documents are written: only what changed, or anew as Istio does. Default: kept; with --compat
    /// canonical.
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Replace the files that change: all, or none. Each keeps its mode and, as far as you may set it, its owner; access
    /// control lists and extended attributes are not copied, and other names of a file (hard links) keep the old text.
    #[arg(long = "in-place", conflicts_with = "output")]
    pub in_place: bool,
    /// Print what would change, as a patch, and write nothing.
    #[arg(long, conflicts_with = "output")]
    pub diff: bool,
    /// Only report; write nothing.
    #[arg(long = "dry-run")]
    pub dry_run: bool,
    /// Write nothing, and exit with 3 if something would change.
    #[arg(long)]
    pub check: bool,
    /// Leave documents that are no Kubernetes objects, as values files are, instead of refusing them: those with neither
    /// apiVersion nor kind.
    #[arg(long = "objects-only")]
    pub objects_only: bool,
    /// Write what is in order although something else is not: of a stream its other documents, with --in-place the other
    /// files. The exit code says so. What --strict would hold back is written too.
    #[arg(long = "keep-going")]
    pub keep_going: bool,
    /// What to say on standard error of each object: text, changes (text, but only of what changes, with all warnings),
    /// json (an object a line), or none.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub report: ReportForm,
    /// Whether --diff is coloured.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
}

/// How changed documents are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Only what changed, in the style around it.
    Kept,
    /// Anew, as Istio does.
    Canonical,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// A line an object, for people.
    Text,
    /// The same, but only of what changes or is warned of.
    Changes,
    /// A JSON object a line.
    Json,
    /// Mistakes only.
    None,
}

/// When something is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What `--strict` does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strict {
    /// It is not given.
    Off,
    /// Objects without a sidecar that were to have one.
    Sidecars,
    /// Objects that may not be what they were.
    Exact,
}

impl Strict {
    fn complaint(self, report: &ObjectReport) -> Option<&'static str> {
        match self {
            Self::Sidecars if report.is_wrongly_skipped() => Some("was to have a sidecar, and gets none"),
            Self::Exact if report.is_guessed() => Some("may not be what it was before Istio injected it"),
            Self::Exact if report.is_partly_restored() => Some("is not all as it was before it was injected"),
            _ => None,
        }
    }
}

impl ManifestArgs {
    /// The form of changed documents, for results of this mode.
    pub fn form(&self, mode: Mode) -> Form {
        match self.format {
            Some(Format::Kept) => Form::Kept,
            Some(Format::Canonical) => Form::Canonical,
            None => Form::of(mode),
        }
    }

    /// Does the task to all documents, writes the result, and reports on standard error; the exit code.
    pub fn run(&self, task: Task<'_>, strict: Strict) -> u8 {
        let output = self.output();
        let (inputs, missing) = inputs(&self.filename, self.recursive);
        if let Some(message) = self.refusal(&inputs, &output) {
            reporting::usage(&message);
            return exit::USAGE;
        }
        Run::new(self, task, strict, output).carry_out(&inputs, &missing)
    }

    /// What does not go together.
    fn refusal(&self, inputs: &[Input], output: &Output) -> Option<String> {
        if self.in_place && inputs.iter().any(|input| !is_replaceable(input)) {
            let what = "--in-place is for files: there is nothing to replace for standard input, a pipe or an address";
            return Some(what.to_owned());
        }
        let Target::File(path) = &output.target else { return None };
        let file = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        let written = file(path).filter(|_| self.keep_going)?;
        let is_read = inputs.iter().any(|input| match input {
            Input::StandardInput => file(Path::new("/dev/stdin")) == Some(written),
            Input::File(path) => file(path) == Some(written),
            Input::Address(_) => false,
        });
        is_read.then(|| {
            let path = path.display();
            format!("--keep-going with -o {path} would lose what is wrong in {path}, which is read too; use --in-place")
        })
    }

    fn output(&self) -> Output {
        let standard = |content| Output { content, target: Target::StandardOutput };
        if self.diff {
            return standard(Content::Difference);
        }
        if self.check || self.dry_run {
            return standard(Content::Nothing);
        }
        match self.output.as_deref() {
            _ if self.in_place => Output { content: Content::Text, target: Target::InPlace },
            None => standard(Content::Text),
            Some(name) => match name.to_str() {
                Some("-") => standard(Content::Text),
                Some("yaml") => standard(Content::Yaml),
                Some("json") => standard(Content::Json),
                Some("patch") => standard(Content::Patch),
                _ => Output { content: Content::Text, target: Target::File(name.to_owned()) },
            },
        }
    }

    /// The exit code, when all is in order.
    fn verdict(&self, is_changed: bool, is_wrong: bool) -> u8 {
        if is_wrong {
            NOT_AS_IT_SHOULD_BE
        } else if self.check && is_changed {
            WOULD_CHANGE
        } else {
            exit::DONE
        }
    }
}

/// Whether there is a file to replace; what is not there is told of later, with all that is not.
fn is_replaceable(input: &Input) -> bool {
    match input {
        Input::File(path) => fs::metadata(path).is_ok_and(|metadata| metadata.is_file()),
        _ => false,
    }
}

fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}

/// Mistakes in a file, each with its place.
pub(super) fn mistakes(filename: &Path, errors: &[ManifestError]) -> Failure {
    Failure { messages: errors.iter().map(|error| format!("{}:{error}", files::display(filename))).collect() }
}
