//! What `kube-inject` and `uninject` share: manifests in, changed manifests and a report out.

mod difference;
mod output;
mod reporting;
mod run;
mod spool;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sidecar_process::exit;

use crate::cli::Failure;
use crate::files;
use crate::manifest::{Form, ManifestError, Task};
use crate::mode::Mode;

use output::{Content, Output, Target};
use run::Run;

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed (nothing was written; with --keep-going, only what is in order), 2 wrong usage,
3 --check: something would change, 4 --strict: something has no sidecar that was to have one (goes before 3).";

/// With `--check`: something would change.
const WOULD_CHANGE: u8 = 3;
/// With `--strict`: something has no sidecar that was to have one.
const WRONGLY_SKIPPED: u8 = 4;

/// Which manifests, and what becomes of them.
#[derive(Clone, Debug, Args)]
pub struct ManifestArgs {
    /// Manifests, YAML or JSON: files, directories (their *.yaml, *.yml and *.json; hidden ones are passed over),
    /// https:// addresses, or - for standard input.
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
    /// Replace the files that change; each keeps its mode and owner.
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
    /// Write nothing, and exit with 4, if an object that was to have a sidecar gets none: it asks for one, counts on one,
    /// or is of a kind that only looks like a workload.
    #[arg(long)]
    pub strict: bool,
    /// Write what is in order although something else is not: of a stream its other documents, with --in-place the other
    /// files. The exit code says so.
    #[arg(long = "keep-going")]
    pub keep_going: bool,
    /// What to say on standard error of each object: text, json (an object a line), or none.
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

impl ManifestArgs {
    /// The form of changed documents, for results of this mode.
    pub fn form(&self, mode: Mode) -> Form {
        match self.format {
            Some(Format::Kept) => Form::Kept,
            Some(Format::Canonical) => Form::Canonical,
            None => Form::of(mode),
        }
    }

    /// Does the task to all documents, writes the result, and reports on standard error.
    ///
    /// # Errors
    /// When the result cannot be written. All other mistakes are reported, and are in the exit code.
    pub fn run(&self, task: Task<'_>) -> Result<u8, Failure> {
        if self.in_place && self.filename.iter().any(|name| is_no_file(name)) {
            reporting::usage("--in-place is for files: there is nothing to replace for standard input or an address");
            return Ok(exit::USAGE);
        }
        let mut run = Run::new(self, task, self.output());
        run.read()?;
        run.finish()
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
    fn verdict(&self, is_changed: bool, is_wrongly_skipped: bool) -> u8 {
        if self.strict && is_wrongly_skipped {
            WRONGLY_SKIPPED
        } else if self.check && is_changed {
            WOULD_CHANGE
        } else {
            exit::DONE
        }
    }
}

fn is_no_file(name: &Path) -> bool {
    name == Path::new("-") || name.to_str().is_some_and(|name| name.contains("://"))
}

/// Mistakes in a file, each with its place.
pub(super) fn mistakes(filename: &Path, errors: &[ManifestError]) -> Failure {
    Failure { messages: errors.iter().map(|error| format!("{}:{error}", files::display(filename))).collect() }
}
