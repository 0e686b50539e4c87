//! Injecting a stream of YAML documents, or taking that back: what `kube-inject` and `uninject` do between reading and
//! writing.

use std::borrow::Cow;

use serde_json::Value;
use yamledit::{Document, documents};

use crate::context::Injector;
use crate::warnings::{DUPLICATE_KEY, Warning};
use crate::yaml;

mod change;
mod objects;
mod patches;
mod pods;
mod reading;
mod report;
mod text;

use change::{Change, Uninject};
use objects::change_object;
pub use patches::ObjectPatch;
pub use pods::{PodOf, pods_in};
pub use reading::{read_namespaces, read_objects};
pub use report::{Action, ManifestError, ObjectReport};
pub use text::Form;
use text::Written;

/// How often what is written may change the order of what is to be written; once is rare.
const MOST_ATTEMPTS_AT_ORDER: usize = 3;

/// A changed stream, and what was done to each object in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The stream. Documents in which nothing was injected are byte for byte what they were.
    pub text: String,
    /// One entry an object, in the order of the stream.
    pub report: Vec<ObjectReport>,
}

/// What is done to the documents of a stream, and how those are written that change.
#[derive(Clone, Copy, Debug)]
pub struct Task<'i> {
    /// None takes injections back.
    injector: Option<&'i Injector>,
    form: Form,
}

/// A document, and what became of it.
#[derive(Clone, Debug)]
pub struct ChangedDocument<'a> {
    /// As it was.
    pub source: Document<'a>,
    /// Its text now: the same where nothing changed.
    pub text: Cow<'a, str>,
    /// One entry an object.
    pub report: Vec<ObjectReport>,
    before: Value,
    after: Option<Value>,
}

impl<'i> Task<'i> {
    /// Injects every object that [`crate::decide::decide`] is for: documents, and the items of a `List`.
    pub fn inject(injector: &'i Injector, form: Form) -> Self {
        Self { injector: Some(injector), form }
    }

    /// Takes the injection of every object back.
    pub fn uninject(form: Form) -> Self {
        Self { injector: None, form }
    }

    /// Takes note of the namespaces in these documents, whose labels hold for the objects in them, where labels decide.
    pub fn note_namespaces(&self, documents: &[Document<'_>]) {
        if let Some(selection) = self.injector.and_then(|injector| injector.cluster.selection.as_ref()) {
            selection.given.note(&reading::namespaces_in(documents));
        }
    }

    /// Does it to one document, the `number`th of its stream, from 1.
    ///
    /// # Errors
    /// All mistakes in it.
    pub fn document<'a>(
        &self,
        document: Document<'a>,
        number: usize,
    ) -> Result<ChangedDocument<'a>, Vec<ManifestError>> {
        match self.injector {
            Some(injector) => change_document(document, number, injector, self.form),
            None => change_document(document, number, &Uninject, self.form),
        }
    }

    /// Does it to all documents of a stream.
    ///
    /// # Errors
    /// All mistakes in all documents. Nothing of the stream should be used then.
    pub fn stream(&self, text: &str) -> Result<Manifest, Vec<ManifestError>> {
        let mut manifest = Manifest { text: String::with_capacity(text.len()), report: Vec::new() };
        let (mut errors, mut count) = (Vec::new(), 0);
        for (document, number) in documents(text).zip(1..) {
            count = number;
            match self.document(document, number) {
                Ok(changed) => {
                    manifest.text.push_str(&changed.text);
                    manifest.report.extend(changed.report);
                }
                Err(mistakes) => errors.extend(mistakes),
            }
        }
        if errors.is_empty() { Ok(manifest) } else { Err(ManifestError::of_stream(errors, count)) }
    }
}

impl ChangedDocument<'_> {
    /// Whether there is anything else in it now.
    pub fn is_changed(&self) -> bool {
        self.after.is_some()
    }

    /// What it says now; none when it says nothing.
    pub fn object(&self) -> Option<&Value> {
        self.after.as_ref().or((!self.before.is_null()).then_some(&self.before))
    }

    /// How each changed pod in it differs from what it was.
    pub fn patches(&self) -> Vec<ObjectPatch> {
        self.after.as_ref().map(|after| patches::patches(&self.before, after)).unwrap_or_default()
    }
}

/// Injects every object in `text` that [`crate::decide::decide`] is for: documents, and the items of a `List`. In Istio's
/// mode changed documents are written as Istio writes them; otherwise their text stays where it can.
///
/// # Errors
/// All mistakes in all documents. Nothing of the stream should be used then.
pub fn inject_manifest(text: &str, injector: &Injector) -> Result<Manifest, Vec<ManifestError>> {
    Task::inject(injector, Form::of(injector.settings.mode)).stream(text)
}

/// Takes the injection of every object in `text` back.
///
/// # Errors
/// All mistakes in all documents. Nothing of the stream should be used then.
pub fn uninject_manifest(text: &str) -> Result<Manifest, Vec<ManifestError>> {
    Task::uninject(Form::Kept).stream(text)
}

fn change_document<'a>(
    document: Document<'a>,
    number: usize,
    change: &impl Change,
    form: Form,
) -> Result<ChangedDocument<'a>, Vec<ManifestError>> {
    let text = Cow::Borrowed(document.text);
    let unchanged = ChangedDocument { source: document, text, report: Vec::new(), before: Value::Null, after: None };
    if document.is_empty() {
        return Ok(unchanged);
    }
    let at = |line: usize, object: &str, message: String| {
        let (document, object) = (Some(number), object.to_owned());
        ManifestError { line, document, object, message }
    };
    let (before, duplicate) = yaml::read_manifest_noting_duplicates(document.text)
        .map_err(|error| vec![reading::not_yaml(&document, number, &error)])?;
    let (mut after, mut report) = (before.clone(), Vec::new());
    change_object(&mut after, change, &mut report).map_err(|mistakes| {
        mistakes.into_iter().map(|(object, message)| at(document.first_line(), &object, message)).collect::<Vec<_>>()
    })?;
    if !report.iter().any(|object| matches!(object.action, Action::Injected(..) | Action::Uninjected(_))) {
        return Ok(ChangedDocument { report, before, ..unchanged });
    }
    if let (Some(duplicate), Some(first)) = (duplicate, report.first_mut()) {
        let line = document.line + duplicate.line.map_or(0, |line| line - 1);
        first.warnings.push(Warning::new(DUPLICATE_KEY, format!("line {line}: {duplicate}; only the last one counts")));
    }
    let written = settled(document.text, &before, after, change, form);
    let Written { text, value } = written.map_err(|problem| vec![at(document.first_line(), "", problem)])?;
    Ok(ChangedDocument { source: document, text: text.into(), report, before, after: Some(value) })
}

/// Writes what a document is to say. In a text that is kept, keys keep their order whatever it is in the value, and what
/// an injection writes down of the order has to be that of the text.
fn settled(document: &str, before: &Value, after: Value, change: &impl Change, form: Form) -> Result<Written, String> {
    let mut written = text::write(document, before, &after, form)?;
    let mut wanted = after;
    for _ in 0..MOST_ATTEMPTS_AT_ORDER {
        if text::have_same_order(&written.value, &wanted) {
            break;
        }
        wanted = written.value.clone();
        if change_object(&mut wanted, change, &mut Vec::new()).is_err() || wanted == written.value {
            break;
        }
        written = text::write(&written.text, &written.value, &wanted, form)?;
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
