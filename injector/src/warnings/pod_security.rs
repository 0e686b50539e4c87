//! Kubernetes' Pod Security levels, as far as what injection adds comes up against them.

mod standards;

use serde_json::{Map, Value};

use super::{POD_SECURITY_LEVEL, Warning, name_of};
use crate::containers::{self, LISTS};
use crate::status::Status;

/// On a namespace: the level that its pods must keep to.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// A level that forbids something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// No ways around the node's own security.
    Baseline,
    /// Nothing that an application does not need.
    Restricted,
}

/// The level that a namespace with these labels enforces; none where everything is allowed.
pub(super) fn enforced(labels: &Map<String, Value>) -> Option<Level> {
    match labels.get(ENFORCE)?.as_str()? {
        "baseline" => Some(Level::Baseline),
        "restricted" => Some(Level::Restricted),
        _ => None,
    }
}

/// Why the level does not admit what the injection has made of `original`; none when it does. What the pod has itself is
/// its owner's business, and the API server says it without us.
pub(super) fn forbids(level: Level, original: &Value, injected: &Value, status: &Status) -> Option<Warning> {
    let (what, why, can_do_without) = of_containers(level, injected, status)
        .or_else(|| of_volumes(level, injected, status))
        .or_else(|| of_pod(level, original, injected))?;
    let remedy = if can_do_without { "let a CNI plugin redirect the traffic" } else { "change the template" };
    let text = format!(
        "the namespace enforces the Pod Security level {}, which does not admit {what}: {why}; {remedy}, or enforce \
         another level",
        level.name(),
    );
    Some(Warning::new(POD_SECURITY_LEVEL, text))
}

/// What is not admitted, why, and whether it is there for the redirection alone.
type Objection = (String, String, bool);

fn of_containers(level: Level, injected: &Value, status: &Status) -> Option<Objection> {
    let added = [LISTS[1], LISTS[0]].into_iter().flat_map(|list| {
        let names = status.names_in(list);
        names.filter_map(move |name| Some((name, containers::find(injected, list, name)?)))
    });
    added.into_iter().find_map(|(name, element)| {
        let why = standards::of_container(level, element, injected)?;
        Some((format!("container '{}'", name.escape_default()), why, standards::redirects(element)))
    })
}

fn of_volumes(level: Level, injected: &Value, status: &Status) -> Option<Objection> {
    let all = injected.pointer("/spec/volumes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let added = status.names_in("volumes");
    let mut added = added.filter_map(|name| Some((name, all.iter().find(|volume| name_of(volume) == name)?)));
    added.find_map(|(name, volume)| {
        let why = standards::of_volume(level, volume)?;
        Some((format!("volume '{}'", name.escape_default()), why.to_owned(), false))
    })
}

fn of_pod(level: Level, original: &Value, injected: &Value) -> Option<Objection> {
    let before = standards::of_pod(level, original);
    let added = standards::of_pod(level, injected).into_iter().find(|objection| !before.contains(objection))?;
    Some(("the pod".to_owned(), added.to_owned(), false))
}

impl Level {
    /// As the label has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}
