//! What is made of documents, and where it goes.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::difference;
use super::spool::Spool;
use crate::manifest::{ChangedDocument, Separators};
use crate::yaml;

/// What is made of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Their text.
    Text,
    /// Their text, where that is YAML to people too; of JSON the YAML.
    Yaml,
    /// One object, or a List of all.
    Json,
    /// A patch for each object that changes.
    Patch,
    /// What changes in the text.
    Difference,
    Nothing,
}

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    StandardOutput,
    File(PathBuf),
    /// Into the files that the documents came from.
    InPlace,
}

/// What is made of the documents, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) content: Content,
    pub(super) target: Target,
}

/// Puts what is made of documents one behind the other.
pub(super) struct Writer {
    content: Content,
    coloured: bool,
    /// The one JSON object there is so far: another makes it an item of a List.
    first: Option<Value>,
    is_list: bool,
    /// Whether the next document is the first of an input that is put behind another.
    starts_input: bool,
    separators: Separators,
    /// Whether the differences of this input have their header.
    has_header: bool,
    /// Lines that the new file has more than the old one.
    shift: isize,
}

impl Writer {
    pub(super) fn new(content: Content, coloured: bool) -> Self {
        Self {
            content,
            coloured,
            first: None,
            is_list: false,
            starts_input: false,
            separators: Separators::default(),
            has_header: false,
            shift: 0,
        }
    }

    /// What comes belongs to another input, and goes into a file of its own, or behind what is there.
    pub(super) fn next_input(&mut self, own_file: bool) {
        (self.starts_input, self.has_header, self.shift) = (!own_file, false, 0);
    }

    /// Writes what is made of `document`, of the input `name`.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn document(&mut self, spool: &mut Spool, name: &str, document: &ChangedDocument<'_>) -> io::Result<()> {
        match self.content {
            Content::Text => self.text(spool, document, &document.text),
            Content::Yaml => match json_of(document) {
                Some(text) => self.text(spool, document, &text),
                None => self.text(spool, document, &document.text),
            },
            Content::Json => document.object().map_or(Ok(()), |object| self.object(spool, &object)),
            Content::Patch => document.patches().iter().try_for_each(|patch| {
                spool.push(&serde_json::to_string(patch)?)?;
                spool.push("\n")
            }),
            Content::Difference => self.difference(spool, name, document),
            Content::Nothing => Ok(()),
        }
    }

    /// Ends what was begun.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn end(&mut self, spool: &mut Spool) -> io::Result<()> {
        match self.first.take() {
            Some(object) => spool.push(&(serde_json::to_string_pretty(&object)? + "\n")),
            None if self.is_list => spool.push("\n    ]\n}\n"),
            None => Ok(()),
        }
    }

    /// The first document of an input is kept apart from the last one of the input before.
    fn text(&mut self, spool: &mut Spool, document: &ChangedDocument<'_>, text: &str) -> io::Result<()> {
        let mut text = text;
        let separator = self.separators.before(&document.source, text);
        if !separator.is_empty() {
            spool.end_line()?;
            spool.push(separator)?;
        }
        if std::mem::take(&mut self.starts_input) && spool.length() > 0 && !text.is_empty() {
            text = text.trim_start_matches('\u{feff}');
            spool.end_line()?;
            if text.starts_with('%') {
                spool.push("...\n")?;
            } else if !text.starts_with("---") {
                spool.push("---\n")?;
            }
        }
        spool.push(text)
    }

    fn object(&mut self, spool: &mut Spool, object: &Value) -> io::Result<()> {
        if !self.is_list {
            let Some(first) = self.first.take() else {
                self.first = Some(object.clone());
                return Ok(());
            };
            self.is_list = true;
            spool.push("{\n    \"apiVersion\": \"v1\",\n    \"kind\": \"List\",\n    \"items\": [")?;
            self.items(spool, &first, "\n")?;
        }
        self.items(spool, object, ",\n")
    }

    /// A List in a List is nothing that others read: its items take its place.
    fn items(&self, spool: &mut Spool, object: &Value, mut separator: &'static str) -> io::Result<()> {
        let is_list = object["kind"] == "List" && object["apiVersion"] == "v1";
        let items = object["items"].as_array().filter(|_| is_list);
        for item in items.map_or(std::slice::from_ref(object), Vec::as_slice) {
            spool.push(separator)?;
            let text = serde_json::to_string_pretty(item)?;
            // Within a text of JSON there are no line ends.
            spool.push(&format!("        {}", text.replace('\n', "\n        ")))?;
            separator = ",\n";
        }
        Ok(())
    }

    fn difference(&mut self, spool: &mut Spool, name: &str, document: &ChangedDocument<'_>) -> io::Result<()> {
        if !document.is_changed() {
            return Ok(());
        }
        let (old, new) = (document.source.text, &*document.text);
        let new_line = document.source.line.saturating_add_signed(self.shift);
        let hunks = difference::hunks(old, new, document.source.line, new_line, self.coloured);
        let lines = |text: &str| isize::try_from(text.matches('\n').count()).unwrap_or(isize::MAX);
        self.shift += lines(new) - lines(old);
        if !hunks.is_empty() && !std::mem::replace(&mut self.has_header, true) {
            spool.push(&difference::header(name, self.coloured))?;
        }
        spool.push(&hunks)
    }
}

/// A document in JSON, as YAML.
fn json_of(document: &ChangedDocument<'_>) -> Option<String> {
    let text = document.source.text.trim_start_matches('\u{feff}').trim_start();
    let text = text.strip_prefix("---").unwrap_or(text).trim_start();
    let is_json = text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let written = yaml::write(&document.object().filter(|_| is_json)?).ok()?;
    let marker = if document.source.text.trim_start().starts_with("---") { "---\n" } else { "" };
    Some(format!("{marker}{written}"))
}
