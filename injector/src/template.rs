//! Rendering Go templates with Istio's functions and with data of Go's types.

mod data;
mod duration;
mod fragment;
mod functions;
mod proto;
mod proto_json;
mod proto_names;
pub(crate) mod safety;
mod schema;
mod settings;
mod typed;

use std::fmt;

use gotemplate::{Limits, Value};

pub(crate) use data::{read, structure};
pub(crate) use proto_names::{Canonical, canonical};
pub use settings::Settings;
pub(crate) use typed::{make_texts, typed};

/// What one rendering may use.
const LIMITS: Limits = Limits {
    // No sidecar comes near this; a template that does is running away.
    output: 1 << 20,
    memory: 64 << 20,
    iterations: 100_000,
    steps: 10_000_000,
    depth: 100,
};

/// What Go prints for a value that is not there.
const MISSING: [&str; 2] = ["<no value>", "<nil>"];

/// Functions that change a map which they are given.
const CHANGING: [&str; 6] = ["merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite", "set", "unset"];

/// A parsed template, rendered any number of times, from any thread.
pub struct Template {
    name: String,
    parsed: gotemplate::Template,
    /// What Go prints for a value that is not there, as far as the template's own text does not contain it.
    missing: Vec<&'static str>,
    /// Whether the template may change the data: then each rendering has a copy of its own.
    may_change_data: bool,
}

/// A template that does not parse, or cannot be rendered with the data of a pod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template '{template}': {problem}")]
pub struct TemplateError {
    /// Name of the template.
    pub template: String,
    /// What the engine says, with line and column where it knows them.
    pub problem: String,
    /// Where that is.
    pub place: Option<Place>,
}

/// Where a mistake of a template shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In its text: line from 1, and column in bytes from 1.
    Template(usize, usize),
    /// In what it rendered: line from 1, and what is in it.
    Rendered(usize, String),
}

impl TemplateError {
    /// The problem for whoever is told its place in the template apart.
    pub fn without_place(&self) -> &str {
        let is_place = |part: &str| part.split(':').all(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        match (&self.place, self.problem.split_once(": ")) {
            (Some(Place::Template(..)), Some((place, rest))) if is_place(place) => rest,
            _ => &self.problem,
        }
    }
}

impl Template {
    /// Parses `text`.
    ///
    /// # Errors
    /// When it is not a template, or calls a function that does not exist.
    pub fn parse(name: &str, text: &str) -> Result<Self, TemplateError> {
        gotemplate::Template::parse(name, text, &functions::FUNCTIONS)
            .map(|parsed| {
                let missing = MISSING.into_iter().filter(|marker| !text.contains(marker)).collect();
                let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
                let may_change_data = words.any(|word| CHANGING.contains(&word));
                Self { name: name.to_owned(), parsed, missing, may_change_data }
            })
            .map_err(|error| TemplateError {
                place: Some(Place::Template(error.line() as usize, error.column() as usize)),
                ..error_in(name, &error.to_string())
            })
    }

    /// The name it was parsed under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Renders with `data` as the dot. The template can change maps in it (sprig's `set` does), but for itself only.
    ///
    /// # Errors
    /// When a function fails, when something is read that the type of the data does not have, when something is printed
    /// that the data lacks, or when the output would pass 1 MiB.
    pub fn render(&self, data: &Value) -> Result<String, TemplateError> {
        let mut output = Vec::new();
        let copy = self.may_change_data.then(|| data.deep_clone());
        self.parsed.execute(copy.as_ref().unwrap_or(data), &mut output, &LIMITS).map_err(|error| TemplateError {
            place: error.line().zip(error.column()).map(|(line, column)| Place::Template(line, column + 1)),
            ..error_in(&self.name, &error.to_string())
        })?;
        let text = String::from_utf8(output).map_err(|_| error_in(&self.name, "rendered text is not UTF-8"))?;
        match self.missing_value(&text, data) {
            Some(line) => {
                let problem = format!("line {line} of the rendered text has no value: values or mesh config lack it");
                Err(TemplateError { place: rendered_place(&text, line), ..error_in(&self.name, &problem) })
            }
            None => Ok(text),
        }
    }

    /// Reads what it rendered as a part of a pod.
    ///
    /// # Errors
    /// When the text is not YAML, or holds something else than `metadata` and `spec` of a pod.
    pub(crate) fn read(&self, rendered: &str) -> Result<serde_json::Value, TemplateError> {
        fragment::read(&self.name, rendered)
    }

    /// Line of the first place where something was printed that is not there. Go prints a word for it and goes on; the
    /// result would be a pod with `<nil>` for an image. What a template compares or drops does not matter here, nor does
    /// a comment of YAML.
    fn missing_value(&self, rendered: &str, data: &Value) -> Option<usize> {
        let prints = |line: &str, marker| line.contains(marker) && !line.trim_start().starts_with('#');
        self.missing
            .iter()
            .filter_map(|marker| rendered.lines().position(|line| prints(line, *marker)).map(|line| (marker, line + 1)))
            // Whoever writes these words into an annotation may have them.
            .find(|(marker, _)| !contains_text(data, marker))
            .map(|(_, line)| line)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("name", &self.name).finish_non_exhaustive()
    }
}

fn rendered_place(rendered: &str, line: usize) -> Option<Place> {
    rendered.lines().nth(line - 1).map(|text| Place::Rendered(line, text.to_owned()))
}

fn error_in(template: &str, problem: &str) -> TemplateError {
    // The engine repeats the template's name.
    let problem = problem.strip_prefix(&format!("template: {template}:")).unwrap_or(problem);
    TemplateError { template: template.to_owned(), problem: problem.to_owned(), place: None }
}

fn contains_text(value: &Value, text: &str) -> bool {
    match value.underlying() {
        Value::String(string) => string.to_text().contains(text),
        Value::List(values) => values.iter().any(|value| contains_text(value, text)),
        Value::Map(map) => map
            .entries()
            .into_iter()
            .any(|(key, value)| contains_text(&key.into_value(), text) || contains_text(&value, text)),
        Value::Struct(structure) => structure.fields().iter().any(|value| contains_text(value, text)),
        Value::Pointer(pointer) => pointer.target().is_some_and(|target| contains_text(target, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
