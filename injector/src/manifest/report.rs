//! What is said of each object of a stream.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::decide::Reason;
use crate::inject::Outcome;
use crate::status::Status;
use crate::warnings::{PROBE_LEFT_REWRITTEN, TEXT_NOT_RESTORED, Warning};

/// What was done to one object, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectReport {
    /// The object, as `Deployment demo/httpbin`.
    pub object: String,
    /// Line in the stream, from 1, on which it begins; of an item of a List in flow style, or with aliases, that of the
    /// List.
    pub line: usize,
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
    /// It is no Kubernetes object.
    NotAnObject,
    /// Its pod lost its sidecar; whether it is now what was injected.
    Uninjected(bool),
    /// Its pod has no sidecar that an injection added.
    NotInjected,
}

/// A mistake in the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestError {
    /// Line in the stream, from 1: of the mistake where it is known, else of the document's start.
    pub line: usize,
    /// Number of the document in the stream, from 1; none where there is no other.
    pub document: Option<usize>,
    /// The object, as `Deployment demo/httpbin`; empty when it could not be told.
    pub object: String,
    /// What is wrong.
    pub message: String,
}

impl std::error::Error for ManifestError {}

impl ManifestError {
    /// Mistakes of a stream with `count` documents: of a single one the number says nothing.
    pub fn of_stream(mut errors: Vec<Self>, count: usize) -> Vec<Self> {
        if count < 2 {
            errors.iter_mut().for_each(|error| error.document = None);
        }
        errors
    }
}

impl fmt::Display for ManifestError {
    /// As `14: document 2: Deployment demo/httpbin: spec.template: is missing`: put a file's name and a colon in front.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, document, object, message } = self;
        write!(f, "{line}: ")?;
        if let Some(document) = document {
            write!(f, "document {document}: ")?;
        }
        if object.is_empty() { f.write_str(message) } else { write!(f, "{object}: {message}") }
    }
}

impl Action {
    /// What was done, in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Injected(..) => "injected",
            Self::Skipped(_) => "skipped",
            Self::Uninjected(_) => "uninjected",
            Self::UpToDate | Self::NotAWorkload | Self::NotAnObject | Self::NotInjected => "unchanged",
        }
    }

    /// Why: a stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Injected(reason, _) | Self::Skipped(reason) => reason.code(),
            Self::UpToDate => "up_to_date",
            Self::NotAWorkload => "not_a_workload",
            Self::NotAnObject => "not_an_object",
            Self::Uninjected(true) => "exact",
            Self::Uninjected(false) => "inexact",
            Self::NotInjected => "not_injected",
        }
    }

    /// Why, and what came of it, in a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Injected(reason, outcome) => {
                format!("{reason}; added {} from template {}", added(outcome), outcome.templates.join(", "))
            }
            Self::UpToDate => "it has this very sidecar already".to_owned(),
            Self::Skipped(reason) => reason.to_string(),
            Self::NotAWorkload => "objects of this kind are not injected".to_owned(),
            Self::NotAnObject => "it is no Kubernetes object".to_owned(),
            Self::Uninjected(true) => "it is what it was".to_owned(),
            Self::Uninjected(false) => "Istio injected it, and did not write down all".to_owned(),
            Self::NotInjected => "it was not injected".to_owned(),
        }
    }
}

impl ObjectReport {
    /// Whether its owner had to expect a sidecar, and it has none.
    pub fn is_wrongly_skipped(&self) -> bool {
        match self.action {
            Action::Skipped(_) | Action::NotAWorkload => self.warnings.iter().any(Warning::is_of_a_wrong_skip),
            _ => false,
        }
    }

    /// Whether it may not be what it was before it was injected.
    pub fn is_guessed(&self) -> bool {
        self.action == Action::Uninjected(false)
    }

    /// Whether something in it could not be put back, because it has changed since it was injected.
    pub fn is_partly_restored(&self) -> bool {
        self.warnings.iter().any(|warning| [PROBE_LEFT_REWRITTEN, TEXT_NOT_RESTORED].contains(&warning.code))
    }
}

impl fmt::Display for ObjectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, action, warnings, .. } = self;
        let sentence = action.sentence();
        write!(f, "{} {object}: {sentence}", action.name())?;
        warnings.iter().try_for_each(|warning| write!(f, "\nwarning {object}: {}", warning.beside(&sentence)))
    }
}

impl Serialize for ObjectReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("object", &self.object)?;
        fields.serialize_entry("action", self.action.name())?;
        fields.serialize_entry("reason", self.action.code())?;
        fields.serialize_entry("message", &self.action.sentence())?;
        if let Action::Injected(_, outcome) = &self.action {
            fields.serialize_entry("templates", &outcome.templates)?;
            let Status { init_containers, containers, volumes, image_pull_secrets, .. } = &outcome.status;
            fields.serialize_entry("initContainers", &init_containers.as_deref().unwrap_or_default())?;
            fields.serialize_entry("containers", &containers.as_deref().unwrap_or_default())?;
            fields.serialize_entry("volumes", &volumes.as_deref().unwrap_or_default())?;
            fields.serialize_entry("imagePullSecrets", &image_pull_secrets.as_deref().unwrap_or_default())?;
        }
        fields.serialize_entry("warnings", &self.warnings)?;
        fields.end()
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
