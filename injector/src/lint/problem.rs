//! A problem, for people and for machines.

use std::fmt;

use serde::Serialize;

/// Something that is wrong in a configuration, or looks so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The file, as it was named.
    pub file: String,
    /// Line in the file, from 1, where it is known.
    pub line: Option<usize>,
    /// Column in that line, from 1, in characters.
    pub column: Option<usize>,
    /// The template that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What is on that line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The line that the template rendered, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered: Option<Rendered>,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// An injector does not take the configuration, or injects nothing with it.
    Error,
    /// Some pods are refused, or something has no effect.
    Warning,
}

/// A line that a template rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rendered {
    /// Which, from 1.
    pub line: usize,
    /// What is on it.
    pub text: String,
}

/// Of longer lines an excerpt has a part.
const WIDTH: usize = 160;

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl Problem {
    /// As it prints, but without saying how bad it is.
    pub(super) fn without_severity(&self) -> String {
        self.shown("")
    }

    fn shown(&self, severity: &str) -> String {
        let Self { severity: _, file, line, column, template: _, message, excerpt, rendered } = self;
        let numbers: String = [line, column].into_iter().flatten().map(|number| format!(":{number}")).collect();
        let mut shown = format!("{file}{numbers}: {severity}{message}");
        if let (Some(line), Some(text)) = (line, excerpt) {
            shown.push_str(&shown_line(&line.to_string(), text, *column));
        }
        if let Some(Rendered { line, text }) = rendered {
            shown.push_str(&shown_line(&format!("rendered {line}"), text, None));
        }
        shown
    }
}

impl fmt::Display for Problem {
    /// As `config.yaml:14:21: error: …`, with the line below, and a mark below its column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(&format!("{}: ", self.severity)))
    }
}

fn shown_line(label: &str, text: &str, column: Option<usize>) -> String {
    // Of a line that is too long, what is around the place.
    let first = column.filter(|column| *column > WIDTH).map_or(0, |column| column - WIDTH / 2);
    let shown: String = text.trim_end().chars().skip(first).take(WIDTH).collect();
    let line = format!("\n{label:>5} | {shown}");
    match column {
        Some(column) => format!("{line}\n{} | {}^", " ".repeat(label.len().max(5)), " ".repeat(column - 1 - first)),
        None => line,
    }
}
