//! Everything that is wrong in a configuration, or looks so, with its place in the file as a person sees it.

mod checks;
mod config_maps;
mod problem;
mod trial;
mod written;

use crate::config::read::Texts;
use crate::config::{Config, NOT_FOR_PODS};
use crate::context::InjectorSettings;
use crate::inject::InjectError;
use crate::mesh::MeshConfig;
use crate::places::{Outline, Position, Shift};
use crate::template::{Place, TemplateError};
use crate::yaml::YamlError;

pub use config_maps::{ConfigMap, NotConfigMaps, Revision, in_config_maps, revisions};
pub use problem::{Problem, Rendered, Severity};
pub use written::{Files, Key, Written};

/// Parses all texts and templates, and injects into the samples with every template that parses. Problems are in the order
/// of the files and of their lines.
pub fn lint(files: &Files, settings: &InjectorSettings) -> Vec<Problem> {
    let sources = files.sources();
    let read = Texts::read(&sources);
    let mut lint = Lint { files, config: Outline::read(&files.config.text), problems: Vec::new() };
    lint.texts(&read);
    lint.mesh();
    if let Ok(config) = &read.config {
        for error in &read.unparsed {
            let is_for_pods = !NOT_FOR_PODS.contains(&error.template.as_str());
            let severity = if is_for_pods { Severity::Error } else { Severity::Warning };
            lint.template(config, error, severity, &format!("template '{}'", error.template));
        }
        lint.checks(config);
    }
    let config = read.config.as_ref().ok().cloned();
    if let (Some(config), Some(configuration)) = (config, read.into_configuration(&sources)) {
        let injector = settings.injector(configuration.into(), std::sync::Arc::default());
        lint.trial(&config, &injector);
    }
    lint.in_order()
}

/// Each mistake of an injection on its own; those of a template with their place in `files`, and what is there.
pub fn explained(files: &Files, config: &Config, error: &InjectError) -> Vec<String> {
    let InjectError::Template(error) = error else { return error.messages() };
    let mut lint = Lint { files, config: Outline::read(&files.config.text), problems: Vec::new() };
    lint.template(config, error, Severity::Error, &format!("template '{}'", error.template));
    lint.problems.iter().map(Problem::without_severity).collect()
}

struct Lint<'a> {
    files: &'a Files,
    /// Of the text of the config.
    config: Option<Outline>,
    problems: Vec<Problem>,
}

impl<'a> Lint<'a> {
    fn texts(&mut self, read: &Texts) {
        let files = self.files;
        let settings = read.settings.as_ref().and_then(|settings| settings.as_ref().err());
        for (written, error) in [
            (&files.config, read.config.as_ref().err()),
            (&files.values, read.values.as_ref().err()),
            (&files.mesh, read.mesh.as_ref().err()),
            (&files.mesh, settings),
        ] {
            let Some(YamlError { line, column, message, fields }) = error else { continue };
            if fields.is_empty() {
                let position = line.map(|line| Position { line, column: column.unwrap_or(1) });
                self.add(Severity::Error, written, position, message);
            }
            let outline = Outline::read(&written.text);
            for field in fields {
                let position = outline.as_ref().and_then(|outline| outline.locate(&field.field));
                self.add(Severity::Error, written, position, &field.to_string());
            }
        }
    }

    fn mesh(&mut self) {
        let files = self.files;
        let outline = Outline::read(&files.mesh.text);
        for field in MeshConfig::unknown_fields(&files.mesh.text) {
            let position = outline.as_ref().and_then(|outline| outline.locate(&field.field));
            self.add(Severity::Warning, &files.mesh, position, &format!("{field}, and has no effect"));
        }
    }

    /// A problem of the config, at what `path` names in it.
    fn at(&mut self, severity: Severity, path: &str, message: &str) {
        let position = self.config.as_ref().and_then(|outline| outline.locate(path));
        self.add(severity, &self.files.config, position, message);
    }

    /// A problem of a template; `what` begins the message.
    fn template(&mut self, config: &Config, error: &TemplateError, severity: Severity, what: &str) {
        let name = error.template.as_str();
        let path = format!("templates[{name}]");
        let (text, is_bare) = match config.templates.get(name) {
            Some(text) => (text.as_str(), *text == self.files.config.text),
            None => ("", false),
        };
        match &error.place {
            Some(Place::Template(line, column)) => {
                let position = within(text, *line, *column);
                let shift = if is_bare { Some(Shift::default()) } else { self.shift(&path) };
                match shift {
                    Some(shift) if is_bare || self.files.config.has_places() => {
                        let message = format!("{what}: {}", error.without_place());
                        self.add(severity, &self.files.config, Some(shift.of(position)), &message);
                    }
                    _ => {
                        let Position { line, column } = position;
                        let message = format!("{what}, line {line}, column {column}: {}", error.without_place());
                        self.at(severity, &path, &message);
                    }
                }
            }
            place => {
                self.at(severity, &path, &format!("{what}: {}", error.problem));
                if let (Some(Place::Rendered(line, text)), Some(problem)) = (place, self.problems.last_mut()) {
                    problem.rendered = Some(Rendered { line: *line, text: text.clone() });
                }
            }
        }
        if let Some(problem) = self.problems.last_mut() {
            problem.template = Some(name.to_owned());
        }
    }

    fn shift(&self, path: &str) -> Option<Shift> {
        self.config.as_ref()?.shift(path, &self.files.config.text)
    }

    fn add(&mut self, severity: Severity, written: &'a Written, position: Option<Position>, message: &str) {
        self.problems.push(written.problem(severity, position, message));
    }

    fn in_order(self) -> Vec<Problem> {
        let Self { files, mut problems, .. } = self;
        let rank = |problem: &Problem| {
            let files = [&files.config, &files.values, &files.mesh];
            files.iter().position(|written| written.file == problem.file)
        };
        problems.sort_by_key(|problem| (rank(problem), problem.line, problem.column, problem.severity));
        problems.dedup();
        problems
    }
}

/// The place of what the engine found, which counts bytes. What is missing at the end is missing on the last line that
/// says something: what comes after it is of something else.
fn within(text: &str, line: usize, column: usize) -> Position {
    let text = text.trim_end();
    let last = text.lines().count().max(1);
    let (line, column) = if line > last { (last, usize::MAX) } else { (line, column) };
    let of_line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let before = of_line.char_indices().take_while(|(index, _)| index + 1 < column);
    Position { line, column: before.count() + 1 }
}

#[cfg(test)]
mod tests;
