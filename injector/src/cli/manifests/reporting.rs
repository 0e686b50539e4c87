//! What is said on standard error while manifests are changed, and afterwards.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::ReportForm;
use crate::cli::printable;
use crate::manifest::{ManifestError, ObjectReport};

/// As often as a person can read it.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What there is to say, kept until it is known whether all went well.
pub(super) struct Reporting {
    form: ReportForm,
    /// Whether each line names its input.
    names: bool,
    objects: Vec<String>,
    mistakes: Vec<String>,
    progress: Option<Instant>,
}

/// A line of the report in JSON.
#[derive(Serialize)]
struct Line<'a, T: Serialize> {
    file: &'a str,
    line: usize,
    document: usize,
    #[serde(flatten)]
    said: &'a T,
}

impl Reporting {
    /// For this many inputs.
    pub(super) fn new(form: ReportForm, inputs: usize) -> Self {
        let shows_progress = form == ReportForm::Text && inputs > 1 && io::stderr().is_terminal();
        let progress = shows_progress.then(Instant::now);
        Self { form, names: inputs > 1, objects: Vec::new(), mistakes: Vec::new(), progress }
    }

    /// An object of the document at `line`.
    pub(super) fn object(&mut self, file: &str, line: usize, document: usize, report: &ObjectReport) {
        let said = match self.form {
            ReportForm::None => return,
            ReportForm::Json => serde_json::to_string(&Line { file, line, document, said: report }).unwrap_or_default(),
            ReportForm::Text if self.names => {
                let text = report.to_string();
                text.lines().map(|line| format!("{file}: {line}")).collect::<Vec<_>>().join("\n")
            }
            ReportForm::Text => report.to_string(),
        };
        self.objects.push(said);
    }

    /// A mistake in a document.
    pub(super) fn mistake(&mut self, file: &str, error: &ManifestError) {
        self.mistakes.push(match self.form {
            ReportForm::Json => {
                let ManifestError { line, document, object, message } = error;
                let document = document.unwrap_or(1);
                let action = "failed";
                json!({"file": file, "line": line, "document": document, "object": object, "action": action,
                    "message": message})
                .to_string()
            }
            _ => format!("error: {file}:{error}"),
        });
    }

    /// Something else that went wrong, or may not be.
    pub(super) fn problem(&mut self, message: &str) {
        self.mistakes.push(match self.form {
            ReportForm::Json => json!({"action": "failed", "message": message}).to_string(),
            _ => format!("error: {message}"),
        });
    }

    /// Something to know about the whole.
    pub(super) fn note(&mut self, message: String) {
        if self.form == ReportForm::Text {
            self.objects.push(message);
        }
    }

    pub(super) fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// How far things are, now and then, where somebody looks on.
    pub(super) fn progress(&mut self, done: usize, of: usize) {
        if self.progress.is_some_and(|last| last.elapsed() > PROGRESS_EVERY) {
            self.progress = Some(Instant::now());
            let mistakes = match self.mistakes.len() {
                0 => String::new(),
                count => format!(", {count} mistakes"),
            };
            let _ = write!(io::stderr(), "\r\x1b[K{done} of {of} files{mistakes}");
        }
    }

    /// Says all. A report that nobody can read is no reason to fail what is done.
    pub(super) fn say(&mut self, with_objects: bool) {
        let mut stderr = io::stderr().lock();
        if self.progress.take().is_some() {
            let _ = write!(stderr, "\r\x1b[K");
        }
        let objects = std::mem::take(&mut self.objects);
        let mistakes = std::mem::take(&mut self.mistakes);
        for line in objects.iter().filter(|_| with_objects).chain(&mistakes) {
            let _ = writeln!(stderr, "{}", printable(line));
        }
    }
}

/// A mistake in the call.
pub(super) fn usage(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}
