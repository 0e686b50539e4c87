//! Injecting a stream of YAML documents, or taking that back: what `kube-inject` and `uninject` do between reading and
//! writing.

use std::borrow::Cow;

use serde_json::Value;
use yamledit::{Document, documents};

use crate::context::Injector;
use crate::injectors::Injectors;
use crate::yaml;

mod change;
mod document;
mod foreign;
mod items;
mod objects;
mod original;
mod patches;
mod pods;
mod reading;
mod report;
mod text;

use change::{Inject, Uninject};
use document::change_document;
pub use patches::ObjectPatch;
pub use pods::{PodOf, pods_in};
pub use reading::{read_namespaces, read_objects};
pub use report::{Action, ManifestError, ObjectReport};
pub use text::{Form, Separators};

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
    inject: Option<Inject<'i>>,
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
}

impl<'i> Task<'i> {
    /// Injects every object that [`crate::decide::decide`] is for: documents, and the items of a `List`.
    pub fn inject(injector: &'i Injector, form: Form) -> Self {
        Self { inject: Some(Inject::By(injector)), form }
    }

    /// The same by whichever injector the cluster would call for the object.
    pub fn follow(injectors: &'i Injectors, form: Form) -> Self {
        Self { inject: Some(Inject::Following(injectors)), form }
    }

    /// Takes the injection of every object back.
    pub fn uninject(form: Form) -> Self {
        Self { inject: None, form }
    }

    /// Takes note of the namespaces in these documents, whose labels hold for the objects in them, where labels decide.
    pub fn note_namespaces(&self, documents: &[Document<'_>]) {
        if let Some(selection) = self.inject.and_then(|inject| inject.own().cluster.selection.as_ref()) {
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
        match self.inject {
            Some(inject) => change_document(document, number, &inject, self.form),
            None => change_document(document, number, &Uninject, self.form),
        }
    }

    /// Does it to all documents of a stream.
    ///
    /// # Errors
    /// All mistakes in all documents. Nothing of the stream should be used then.
    pub fn stream(&self, text: &str) -> Result<Manifest, Vec<ManifestError>> {
        let mut manifest = Manifest { text: String::with_capacity(text.len()), report: Vec::new() };
        let (mut errors, mut count, mut separators) = (Vec::new(), 0, Separators::default());
        for (document, number) in documents(text).zip(1..) {
            count = number;
            match self.document(document, number) {
                Ok(changed) => {
                    let separator = separators.before(&document, &changed.text);
                    if !separator.is_empty() && !manifest.text.ends_with('\n') {
                        manifest.text.push('\n');
                    }
                    manifest.text.push_str(separator);
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
        matches!(self.text, Cow::Owned(_))
    }

    /// What it says now; none when it says nothing.
    pub fn object(&self) -> Option<Value> {
        yaml::read_manifest(&self.text).ok().filter(|object| !object.is_null())
    }

    /// How each changed pod in it differs from what it was.
    pub fn patches(&self) -> Vec<ObjectPatch> {
        match (self.is_changed(), yaml::read_manifest(self.source.text), self.object()) {
            (true, Ok(before), Some(after)) => patches::patches(&before, &after),
            _ => Vec::new(),
        }
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

#[cfg(test)]
mod tests;
