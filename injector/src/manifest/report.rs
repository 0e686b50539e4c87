//! What is said of each object of a stream.

use std::fmt;

use crate::decide::Reason;
use crate::inject::Outcome;
use crate::warnings::Warning;

/// What was done to one object, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectReport {
    /// The object, as `Deployment demo/httpbin`.
    pub object: String,
    /// What was done.
    pub action: Action,
    /// Things its owner should know.
    pub warnings: Vec<Warning>,
}

/// What was done to one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Its pod got a sidecar.
    Injected(Reason, Box<Outcome>),
    /// Its pod has this very sidecar already.
    UpToDate,
    /// Its pod gets none.
    Skipped(Reason),
    /// Objects of its kind are not injected.
    NotAWorkload,
    /// Its pod lost its sidecar; whether it is now what was injected.
    Uninjected(bool),
    /// Its pod has no sidecar that an injection added.
    NotInjected,
}

/// A mistake in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Line in the stream, from 1: of the mistake where it is known, else of the document's start.
    pub line: usize,
    /// The object, as `Deployment demo/httpbin`; empty when it could not be told.
    pub object: String,
    /// What is wrong.
    pub message: String,
}

impl std::error::Error for ManifestError {}

impl fmt::Display for ManifestError {
    /// As `14: Deployment demo/httpbin: spec.template: is missing`: put a file's name and a colon in front.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, object, message } = self;
        if object.is_empty() { write!(f, "{line}: {message}") } else { write!(f, "{line}: {object}: {message}") }
    }
}

impl fmt::Display for ObjectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = &self.object;
        match &self.action {
            Action::Injected(reason, outcome) => {
                let templates = outcome.templates.join(", ");
                write!(f, "injected {object}: {reason}; added {} from template {templates}", added(outcome))?;
            }
            Action::UpToDate => write!(f, "unchanged {object}: it has this very sidecar already")?,
            Action::Skipped(reason) => write!(f, "skipped {object}: {reason}")?,
            Action::NotAWorkload => write!(f, "unchanged {object}: objects of this kind are not injected")?,
            Action::Uninjected(true) => write!(f, "uninjected {object}: it is what it was")?,
            Action::Uninjected(false) => {
                write!(f, "uninjected {object}: Istio injected it, and did not write down all")?;
            }
            Action::NotInjected => write!(f, "unchanged {object}: it was not injected")?,
        }
        self.warnings.iter().try_for_each(|warning| write!(f, "\nwarning {object}: {warning}"))
    }
}

fn added(outcome: &Outcome) -> String {
    let status = &outcome.status;
    let lists = [
        ("init container", &status.init_containers),
        ("container", &status.containers),
        ("volume", &status.volumes),
        ("image pull secret", &status.image_pull_secrets),
    ];
    let added: Vec<String> = lists
        .iter()
        .flat_map(|(what, names)| names.iter().flatten().map(move |name| format!("{what} {name}")))
        .collect();
    if added.is_empty() { "no container".to_owned() } else { added.join(", ") }
}
