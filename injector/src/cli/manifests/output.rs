//! What is made of documents, and where it goes.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use super::difference::Difference;
use super::patch_name;
use super::spool::Spool;
use crate::files::inputs::Input;
use crate::manifest::{Action, ChangedDocument, Separators};
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
    /// Whether what stands before the next document need not be what stood there in its stream.
    is_apart: bool,
    separators: Separators,
    /// Where this input begins in the spool.
    start: u64,
    difference: Difference,
    /// What begins the differences of this input, until there is one.
    header: String,
}

impl Writer {
    pub(super) fn new(content: Content, coloured: bool) -> Self {
        Self {
            content,
            coloured,
            first: None,
            is_list: false,
            is_apart: false,
            separators: Separators::default(),
            start: 0,
            difference: Difference::new(coloured),
            header: String::new(),
        }
    }

    /// What comes belongs to another input, and goes into a file of its own, or behind what is there.
    pub(super) fn next_input(&mut self, input: &Input, own_file: bool, spool: &Spool) {
        (self.is_apart, self.start) = (!own_file, if own_file { spool.length() } else { 0 });
        if self.content == Content::Difference {
            self.header = patch_name::header(input, self.coloured);
        }
    }

    /// Writes what is made of a document.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn document(&mut self, spool: &mut Spool, document: &ChangedDocument<'_>) -> io::Result<()> {
        let is_no_object = document.report.iter().any(|report| report.action == Action::NotAnObject);
        match self.content {
            Content::Text => self.text(spool, document, &document.text),
            Content::Yaml if is_no_object => self.text(spool, document, &document.text),
            Content::Json if is_no_object => Ok(()),
            Content::Yaml => match json_of(document) {
                Some(text) => {
                    self.text(spool, document, &text)?;
                    // What ended the text in JSON is not there any more.
                    self.is_apart = true;
                    Ok(())
                }
                None => self.text(spool, document, &document.text),
            },
            Content::Json => document.object().map_or(Ok(()), |object| self.object(spool, &object)),
            Content::Patch => document.patches().iter().try_for_each(|patch| {
                spool.push(&serde_json::to_string(patch)?)?;
                spool.push("\n")
            }),
            Content::Difference => self.differences(spool, document.source.text, &document.text),
            Content::Nothing => Ok(()),
        }
    }

    /// Leaves a document out, which stood here in the stream.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn dropped(&mut self, spool: &mut Spool, document: &str) -> io::Result<()> {
        self.is_apart = true;
        // It stays in the file that a patch is for.
        if self.content == Content::Difference { self.differences(spool, document, document) } else { Ok(()) }
    }

    /// Ends what is made of an input.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn end_input(&mut self, spool: &mut Spool) -> io::Result<()> {
        let difference = std::mem::replace(&mut self.difference, Difference::new(self.coloured));
        self.hunks(spool, &difference.end())
    }

    /// Ends what was begun.
    ///
    /// # Errors
    /// When the spool cannot be written.
    pub(super) fn end(&mut self, spool: &mut Spool) -> io::Result<()> {
        match self.first.take() {
            Some(object) => spool.push(&(serde_json::to_string_pretty(&object)? + "\n")),
            None if self.is_list => spool.push("\n  ]\n}\n"),
            None => Ok(()),
        }
    }

    /// What does not follow its neighbour of the stream is kept apart from what is there.
    fn text(&mut self, spool: &mut Spool, document: &ChangedDocument<'_>, text: &str) -> io::Result<()> {
        let mut text = text;
        self.is_apart |= !self.separators.before(&document.source, text).is_empty();
        if !text.is_empty() && std::mem::take(&mut self.is_apart) && spool.length() > self.start {
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
            spool.push("{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": [")?;
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
            spool.push(&format!("    {}", text.replace('\n', "\n    ")))?;
            separator = ",\n";
        }
        Ok(())
    }

    fn differences(&mut self, spool: &mut Spool, old: &str, new: &str) -> io::Result<()> {
        self.difference.document(old, new);
        let known = self.difference.take();
        self.hunks(spool, &known)
    }

    fn hunks(&mut self, spool: &mut Spool, hunks: &str) -> io::Result<()> {
        if !hunks.is_empty() {
            spool.push(&std::mem::take(&mut self.header))?;
        }
        spool.push(hunks)
    }
}

/// A document in JSON, as YAML.
fn json_of(document: &ChangedDocument<'_>) -> Option<String> {
    let text = document.source.text.trim_start_matches('\u{feff}').trim_start();
    let text = text.strip_prefix("---").unwrap_or(text).trim();
    let text = text.strip_suffix("\n...").unwrap_or(text);
    let is_json = text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let written = yaml::write(&document.object().filter(|_| is_json)?).ok()?;
    let marker = if document.source.text.trim_start().starts_with("---") { "---\n" } else { "" };
    Some(format!("{marker}{written}"))
}
