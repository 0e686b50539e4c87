//! What goes wrong while a template is executed.

use std::fmt;
use std::io;

use crate::format::quote;
use crate::syntax::Place;
use crate::template::Tree;
use crate::text::Str;

/// A template could not be executed to its end.
///
/// It prints as Go's: `template: page:3:7: executing "page" at <.user.name>: nil pointer evaluating interface {}.name`.
#[derive(Debug)]
pub struct ExecError {
    template: Str,
    location: Option<Location>,
    message: String,
    kind: Kind,
}

#[derive(Debug)]
struct Location {
    /// Name under which the text was parsed.
    text: Str,
    line: usize,
    column: usize,
    action: Str,
}

#[derive(Debug)]
enum Kind {
    Evaluation,
    Limit,
    Write(io::Error),
}

impl ExecError {
    pub(crate) fn at(tree: &Tree, place: Place<'_>, message: &str, is_limit: bool) -> Self {
        let location = place.position().map(|position| {
            let (line, column) = tree.syntax.location(position);
            Location { text: tree.syntax.name.clone(), line, column, action: tree.syntax.describe(place) }
        });
        let kind = if is_limit { Kind::Limit } else { Kind::Evaluation };
        Self { template: tree.name.clone(), location, message: message.to_owned(), kind }
    }

    pub(crate) fn write(template: Str, error: io::Error) -> Self {
        Self { template, location: None, message: error.to_string(), kind: Kind::Write(error) }
    }

    pub(crate) fn no_template(wanted: &Str, set: &Str) -> Self {
        let (quoted_wanted, quoted_set) = (quote(wanted.as_bytes()), quote(set.as_bytes()));
        let message = format!("no template {quoted_wanted} associated with template {quoted_set}");
        Self { template: wanted.clone(), location: None, message, kind: Kind::Evaluation }
    }

    /// Name of the template that was being executed.
    pub fn template(&self) -> &Str {
        &self.template
    }

    /// Line in the text, from 1.
    pub fn line(&self) -> Option<usize> {
        self.location.as_ref().map(|location| location.line)
    }

    /// Column in the line, in bytes from 0, as Go counts.
    pub fn column(&self) -> Option<usize> {
        self.location.as_ref().map(|location| location.column)
    }

    /// What was being executed, as it prints: `.user.name`.
    pub fn action(&self) -> Option<&Str> {
        self.location.as_ref().map(|location| &location.action)
    }

    /// What went wrong there.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the template used more than it was allowed.
    pub fn is_limit(&self) -> bool {
        matches!(self.kind, Kind::Limit)
    }

    /// What the writer reported, if it was that which failed.
    pub fn writer_error(&self) -> Option<&io::Error> {
        match &self.kind {
            Kind::Write(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { template, location, message, kind } = self;
        match (location, kind) {
            (_, Kind::Write(error)) => write!(f, "{error}"),
            (Some(Location { text, line, column, action }), _) => {
                let template = quote(template.as_bytes());
                write!(f, "template: {text}:{line}:{column}: executing {template} at <{action}>: {message}")
            }
            (None, _) => write!(f, "template: {message}"),
        }
    }
}

impl std::error::Error for ExecError {}
