//! What is said on standard error while manifests are changed, and afterwards.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use super::ReportForm;
use crate::cli::printable;
use crate::manifest::{Action, ManifestError, ObjectReport};

/// As often as a person can read it.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What there is to say, kept until it is known whether all went well.
pub(super) struct Reporting {
    form: ReportForm,
    objects: Vec<Said>,
    mistakes: Vec<String>,
    progress: Option<Instant>,
}

/// In which words it is said what is done to objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wording {
    /// It is written.
    Done,
    /// It would be.
    Would,
    /// Not at all.
    Silent,
}

/// A line, in which what was done may be what would be done.
struct Said {
    before: String,
    action: &'static str,
    behind: String,
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
    pub(super) fn new(form: ReportForm) -> Self {
        let shows_progress = matches!(form, ReportForm::Text | ReportForm::Changes) && io::stderr().is_terminal();
        Self { form, objects: Vec::new(), mistakes: Vec::new(), progress: shows_progress.then(Instant::now) }
    }

    /// An object of this document; none of its `file` when that is standard input and nothing else is read.
    pub(super) fn object(&mut self, file: &str, names_file: bool, document: usize, report: &ObjectReport) {
        let ObjectReport { object, line, action, warnings } = report;
        match self.form {
            ReportForm::None => {}
            ReportForm::Json => {
                let line =
                    serde_json::to_string(&Line { file, line: *line, document, said: report }).unwrap_or_default();
                self.objects.push(Said { before: line, action: "", behind: String::new() });
            }
            ReportForm::Text | ReportForm::Changes => {
                let before = if names_file { format!("{file}: ") } else { String::new() };
                let is_change = matches!(action, Action::Injected(..) | Action::Uninjected(_));
                let is_shown = is_change || self.form == ReportForm::Text;
                // A warning says itself what is not shown.
                let shown = if is_shown { action.sentence() } else { String::new() };
                if is_shown {
                    let behind = format!(" {object}: {shown}");
                    self.objects.push(Said { before: before.clone(), action: action.name(), behind });
                }
                self.objects.extend(warnings.iter().map(|warning| Said {
                    before: before.clone(),
                    action: "warning",
                    behind: format!(" {object}: {}", warning.beside(&shown)),
                }));
            }
        }
    }

    /// A mistake in a document.
    pub(super) fn mistake(&mut self, file: &str, error: &ManifestError) {
        self.mistakes.push(match self.form {
            ReportForm::Json => {
                let ManifestError { line, document, object, message } = error;
                let (document, action) = (document.unwrap_or(1), "failed");
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
        if matches!(self.form, ReportForm::Text | ReportForm::Changes) {
            self.objects.push(Said { before: message, action: "", behind: String::new() });
        }
    }

    /// Something to know about a file that was written.
    pub(super) fn warning(&mut self, message: &str) {
        let before = match self.form {
            ReportForm::Text | ReportForm::Changes => format!("warning {message}"),
            ReportForm::Json => json!({"action": "warning", "message": message}).to_string(),
            ReportForm::None => return,
        };
        self.objects.push(Said { before, action: "", behind: String::new() });
    }

    pub(super) fn has_mistakes(&self) -> bool {
        !self.mistakes.is_empty()
    }

    /// How far things are, now and then, where somebody looks on.
    pub(super) fn progress(&mut self, done: usize, of: usize, documents: usize) {
        if self.progress.is_some_and(|last| last.elapsed() > PROGRESS_EVERY) {
            self.progress = Some(Instant::now());
            let files = if of > 1 { format!("{done} of {of} files, ") } else { String::new() };
            let mistakes = match self.mistakes.len() {
                0 => String::new(),
                count => format!(", {}", counted(count, "mistake")),
            };
            let _ = write!(io::stderr(), "\r\x1b[K{files}{}{mistakes}", counted(documents, "document"));
        }
    }

    /// Says all. A report that nobody can read is no reason to fail what is done.
    pub(super) fn say(&mut self, wording: Wording) {
        let mut stderr = BufWriter::new(io::stderr().lock());
        if self.progress.take().is_some() {
            let _ = write!(stderr, "\r\x1b[K");
        }
        let objects = std::mem::take(&mut self.objects);
        let objects =
            objects.iter().filter(|_| wording != Wording::Silent).map(
                |Said { before, action, behind }| match *action {
                    "injected" if wording == Wording::Would => {
                        format!("{before}would inject{}", behind.replacen("; added ", "; adding ", 1))
                    }
                    "uninjected" if wording == Wording::Would => format!("{before}would uninject{behind}"),
                    action => format!("{before}{action}{behind}"),
                },
            );
        for line in objects.chain(std::mem::take(&mut self.mistakes)) {
            let _ = writeln!(stderr, "{}", printable(&line));
        }
        let _ = stderr.flush();
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A mistake in the call.
pub(super) fn usage(message: &str) {
    let _ = writeln!(io::stderr(), "error: {message}");
}
