//! Taking an injection back.

mod istio;

use std::fmt;

use serde_json::Value;
use sidecar_contract::annotation;

use crate::containers;
use crate::mode::Mode;
use crate::status::Status;
use crate::undo::UndoError;
use crate::workload::{FieldError, check_pod, metadata_map};

/// A pod without its injection.
#[derive(Clone, Debug, PartialEq)]
pub struct Uninjected {
    /// The whole pod.
    pub pod: Value,
    /// Whether it is what was injected, but for what others have changed since: so where the injection was ours.
    pub is_exact: bool,
    /// Otherwise what could not be told for sure, a sentence each.
    pub doubts: Vec<String>,
}

/// Why an injection cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UninjectError {
    /// The annotation `sidecar.istio.io/status` is not what an injection writes.
    Status(String),
    /// It does not fit the pod.
    Undo(UndoError),
    /// Nothing would be left of the pod.
    NoPod(Vec<String>),
}

impl std::error::Error for UninjectError {}

impl fmt::Display for UninjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "annotation '{}': ", annotation::STATUS)?;
        match self {
            Self::Status(problem) => write!(f, "is not what an injection writes: {problem}")?,
            Self::Undo(error) => write!(f, "does not fit the pod: {error}")?,
            Self::NoPod(problems) => write!(f, "without what it lists this is no pod: {}", problems.join("; "))?,
        }
        f.write_str("; if the pod was never injected, remove the annotation")
    }
}

/// Takes the injection of `pod` back; `None` when it has none.
///
/// What our injector adds it also writes down, so that its injections are undone exactly: keys keep their order, nulls
/// and empty lists stay what they were, and what others have added since stays too. Of an injection by Istio's injector
/// the annotations tell most, and the rest is inferred.
///
/// # Errors
/// When the annotation that tells of the injection cannot be read, or does not fit the pod. Nothing is changed then.
pub fn uninject(pod: &Value) -> Result<Option<Uninjected>, UninjectError> {
    let Some(status) = Status::read(pod) else { return Ok(None) };
    let status = status.map_err(UninjectError::Status)?;
    let mut original = pod.clone();
    if let Some(annotations) = containers::metadata_mut(&mut original, "annotations") {
        annotations.shift_remove(annotation::STATUS);
    }
    let uninjected = match &status.undo {
        Some(undo) => {
            undo.apply(&mut original).map_err(UninjectError::Undo)?;
            if metadata_map(&original, "annotations").contains_key(annotation::STATUS) {
                return Err(UninjectError::Status("it brings itself back".to_owned()));
            }
            Uninjected { pod: original, is_exact: true, doubts: Vec::new() }
        }
        None => {
            let doubts = istio::remove(&mut original, &status);
            Uninjected { pod: original, is_exact: false, doubts }
        }
    };
    let mut problems = check_pod(&uninjected.pod, Mode::Istio).err().unwrap_or_default();
    if problems.is_empty() && containers::list(&uninjected.pod, containers::REGULAR).is_empty() {
        problems.push(FieldError::new("spec.containers", "is empty; a pod needs at least one container"));
    }
    if problems.is_empty() {
        Ok(Some(uninjected))
    } else {
        Err(UninjectError::NoPod(problems.iter().map(ToString::to_string).collect()))
    }
}
