//! Injecting a stream of YAML documents, or taking that back: what `kube-inject` and `uninject` do between reading and
//! writing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::context::{Injector, NO_VARIABLES};
use crate::decide::{Decision, Reason};
use crate::inject::inject;
use crate::mode::Mode;
use crate::owner::{Owner, owner_of_pod};
use crate::template;
use crate::uninject::{Uninjected, uninject};
use crate::warnings::{self, DUPLICATE_KEY, INJECTED_BY_ISTIO_INEXACT, ISTIO_SKIPS, UNKNOWN_KIND, Warning};
use crate::workload::{FieldError, WorkloadKind, metadata_map, metadata_text};
use crate::yaml;

mod documents;
mod pods;
mod report;

use documents::Document;
pub(crate) use documents::documents;
pub use pods::{PodOf, pods_in};
pub use report::{Action, ManifestError, ObjectReport};

/// An injected stream, and what was done to each object in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The stream. Documents in which nothing was injected are byte for byte what they were.
    pub text: String,
    /// One entry an object, in the order of the stream.
    pub report: Vec<ObjectReport>,
}

/// Annotations of the Namespace objects in `text`, by name: documents, and the items of a `List`. Other objects are passed
/// over.
///
/// # Errors
/// When a document is not YAML.
pub fn read_namespaces(text: &str) -> Result<BTreeMap<String, Map<String, Value>>, String> {
    let mut namespaces = BTreeMap::new();
    for document in documents(text) {
        let object = yaml::read_manifest(document.text).map_err(|error| format!("not YAML: {error}"))?;
        let items = object.get("items").and_then(Value::as_array).map_or(std::slice::from_ref(&object), Vec::as_slice);
        for namespace in items.iter().filter(|item| item["kind"] == "Namespace") {
            let name = metadata_text(namespace, "name").to_owned();
            namespaces.insert(name, metadata_map(namespace, "annotations").clone());
        }
    }
    Ok(namespaces)
}

/// The objects in `text`, and the items of each `List` in their place.
///
/// # Errors
/// When a document is not YAML, or not a Kubernetes object: all of them.
pub fn read_objects(text: &str) -> Result<Vec<Value>, Vec<ManifestError>> {
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    for document in documents(text).into_iter().filter(|document| !document.is_empty()) {
        match yaml::read_manifest(document.text) {
            Ok(mut list) if is_list(&list) => {
                if let Value::Array(items) = list["items"].take() {
                    objects.extend(items);
                }
            }
            Ok(object) if check_object(&object).is_ok() => objects.push(object),
            Ok(_) => errors.push(ManifestError {
                line: document.first_line(),
                object: String::new(),
                message: "not a Kubernetes object: apiVersion or kind is missing".to_owned(),
            }),
            Err(error) => errors.push(ManifestError {
                line: document.line + error.line.map_or(0, |line| line - 1),
                object: String::new(),
                message: format!("not YAML: {error}"),
            }),
        }
    }
    if errors.is_empty() { Ok(objects) } else { Err(errors) }
}

/// What to do with each pod of a stream.
trait Change {
    /// Which kinds of object have a pod, and where.
    fn mode(&self) -> Mode;

    /// What is done with `pod`, and the pod that takes its place, if another does.
    ///
    /// # Errors
    /// All mistakes in the pod.
    fn change(&self, object: &Value, workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>>;
}

/// What was done to one pod.
struct Changed {
    action: Action,
    pod: Option<Value>,
    warnings: Vec<Warning>,
}

impl Change for Injector {
    fn mode(&self) -> Mode {
        self.settings.mode
    }

    fn change(&self, object: &Value, workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>> {
        let read = self.settings.mode.is_istio().then(|| as_go_reads(pod));
        let pod = read.as_ref().unwrap_or(pod);
        let namespace = match metadata_text(object, "namespace") {
            "" => &self.settings.namespace,
            namespace => namespace,
        };
        let Decision { reason, mut warnings } = match self.subject(pod, namespace).decide(&self.configuration.config) {
            decision if decision.inject() => decision,
            Decision { reason, mut warnings } => {
                if self.settings.mode.is_istio() {
                    warnings.push(Warning::new(ISTIO_SKIPS, as_istio_says(object, &reason)));
                } else {
                    warnings.extend(warnings::of_a_skip(&reason, pod, &self.configuration));
                }
                return Ok(Changed { action: Action::Skipped(reason), pod: None, warnings });
            }
        };
        let owner = if workload.is_pod() { owner_of_pod(object) } else { Owner::of(object) };
        let context = self.context(owner, self.namespace(namespace), &NO_VARIABLES);
        let mut outcome = inject(pod, &context).map_err(|error| error.messages_under(&workload.pod_path()))?;
        warnings.append(&mut outcome.warnings);
        if self.settings.mode.is_istio() {
            as_go_writes(&mut outcome.pod);
        }
        if *pod == outcome.pod {
            return Ok(Changed { action: Action::UpToDate, pod: None, warnings });
        }
        let pod = Some(outcome.pod.clone());
        Ok(Changed { action: Action::Injected(reason, Box::new(outcome)), pod, warnings })
    }
}

/// Taking injections back.
struct Uninject;

impl Change for Uninject {
    fn mode(&self) -> Mode {
        Mode::Corrected
    }

    fn change(&self, _object: &Value, _workload: &WorkloadKind, pod: &Value) -> Result<Changed, Vec<String>> {
        Ok(match uninject(pod).map_err(|error| vec![error.to_string()])? {
            Some(Uninjected { pod, is_exact, doubts }) => Changed {
                action: Action::Uninjected(is_exact),
                pod: Some(pod),
                warnings: doubts.into_iter().map(|doubt| Warning::new(INJECTED_BY_ISTIO_INEXACT, doubt)).collect(),
            },
            None => Changed { action: Action::NotInjected, pod: None, warnings: Vec::new() },
        })
    }
}

/// Injects every object in `text` that [`decide`] is for: documents, and the items of a `List`.
///
/// # Errors
/// All mistakes in all documents. Nothing of the stream should be used then.
pub fn inject_manifest(text: &str, injector: &Injector) -> Result<Manifest, Vec<ManifestError>> {
    change_manifest(text, injector)
}

/// Takes the injection of every object in `text` back.
///
/// # Errors
/// All mistakes in all documents. Nothing of the stream should be used then.
pub fn uninject_manifest(text: &str) -> Result<Manifest, Vec<ManifestError>> {
    change_manifest(text, &Uninject)
}

fn change_manifest(text: &str, change: &impl Change) -> Result<Manifest, Vec<ManifestError>> {
    let mut manifest = Manifest { text: String::with_capacity(text.len()), report: Vec::new() };
    let mut errors = Vec::new();
    for document in documents(text) {
        match change_document(&document, change) {
            Ok((text, report)) => {
                manifest.text.push_str(&text);
                manifest.report.extend(report);
            }
            Err(mistakes) => errors.extend(mistakes),
        }
    }
    if errors.is_empty() { Ok(manifest) } else { Err(errors) }
}

type ChangedDocument<'a> = (Cow<'a, str>, Vec<ObjectReport>);

fn change_document<'a>(
    document: &Document<'a>,
    change: &impl Change,
) -> Result<ChangedDocument<'a>, Vec<ManifestError>> {
    if document.is_empty() {
        return Ok((document.text.into(), Vec::new()));
    }
    let at = |line: usize, object: &str, message: String| ManifestError { line, object: object.to_owned(), message };
    let mut object = yaml::read_manifest(document.text).map_err(|error| {
        // The parser counts from the document's own first line.
        let line = document.line + error.line.map_or(0, |line| line - 1);
        let hint = if document.text.contains("{{") { "; is it a template that is yet to be rendered?" } else { "" };
        vec![at(line, "", format!("not YAML: {error}{hint}"))]
    })?;
    let mut report = Vec::new();
    change_object(&mut object, change, &mut report).map_err(|mistakes| {
        mistakes.into_iter().map(|(object, message)| at(document.first_line(), &object, message)).collect::<Vec<_>>()
    })?;
    if !report.iter().any(|object| matches!(object.action, Action::Injected(..) | Action::Uninjected(_))) {
        return Ok((document.text.into(), report));
    }
    if let (Some(duplicate), Some(first)) = (yaml::duplicate_key(document.text), report.first_mut()) {
        let line = document.line + duplicate.line.map_or(0, |line| line - 1);
        let text = format!("line {line}: {duplicate}; the last one counts, what the other says is lost");
        first.warnings.push(Warning::new(DUPLICATE_KEY, text));
    }
    let written = yaml::write(&object).map_err(|error| vec![at(document.line, "", error.to_string())])?;
    Ok((format!("{}{written}", document.head()).into(), report))
}

type Mistakes = Vec<(String, String)>;

fn change_object(object: &mut Value, change: &impl Change, report: &mut Vec<ObjectReport>) -> Result<(), Mistakes> {
    check_object(object).map_err(|error| vec![(String::new(), format!("not a Kubernetes object: {error}"))])?;
    if is_list(object) {
        return change_list(object, change, report);
    }
    let name = describe(object);
    let Some(workload) = WorkloadKind::of(object, change.mode()) else {
        let warnings = looks_like_a_workload(object).into_iter().collect();
        report.push(ObjectReport { object: name, action: Action::NotAWorkload, warnings });
        return Ok(());
    };
    let pod = workload.pod(object, change.mode()).map_err(|error| vec![(name.clone(), error.to_string())])?;
    let Changed { action, pod, warnings } = change
        .change(object, workload, &pod)
        .map_err(|messages| messages.into_iter().map(|message| (name.clone(), message)).collect::<Mistakes>())?;
    if let Some(pod) = pod {
        workload.replace_pod(object, pod, change.mode());
    }
    report.push(ObjectReport { object: name, action, warnings });
    Ok(())
}

/// What istioctl's YAML parser makes of texts that are not quoted.
fn as_go_reads(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        if let Some(part) = pod.get_mut(part) {
            template::make_texts(type_name, part);
        }
    }
    pod
}

/// istioctl writes what Kubernetes' Go types hold; what they do not hold stays here.
fn as_go_writes(pod: &mut Value) {
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        if let Some(part) = pod.get_mut(part)
            && let Some(typed) = template::typed(type_name, part)
        {
            *part = typed;
        }
    }
}

/// The words in which istioctl says that it skips an object; scripts look for them.
fn as_istio_says(object: &Value, reason: &Reason) -> String {
    let why = match reason {
        Reason::HostNetwork => "has host networking enabled",
        _ => "has sidecar injection disabled",
    };
    let (namespace, name) = (metadata_text(object, "namespace"), metadata_text(object, "name"));
    let kind = object["kind"].as_str().unwrap_or_default();
    let separator = if namespace.is_empty() { "" } else { "/" };
    format!("===> Skipping injection because {kind} \"{namespace}{separator}{name}\" {why}")
}

fn change_list(list: &mut Value, change: &impl Change, report: &mut Vec<ObjectReport>) -> Result<(), Mistakes> {
    let items = match list.get_mut("items") {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => return Ok(()),
        Some(_) => return Err(vec![("List".to_owned(), "items: is not a list".to_owned())]),
    };
    let mut mistakes = Vec::new();
    for (index, item) in items.iter_mut().enumerate() {
        let place = format!("List items[{index}]");
        if is_list(item) {
            mistakes.push((place, "is a List again; a List holds objects".to_owned()));
        } else if let Err(found) = change_object(item, change, report) {
            let placed = |object: String| if object.is_empty() { place.clone() } else { format!("{place} {object}") };
            mistakes.extend(found.into_iter().map(|(object, message)| (placed(object), message)));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

fn is_list(object: &Value) -> bool {
    object["kind"] == "List" && object["apiVersion"] == "v1"
}

fn looks_like_a_workload(object: &Value) -> Option<Warning> {
    object.pointer("/spec/template/spec/containers")?;
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let text = format!("it has a pod template, but its kind is not known for apiVersion {api_version}");
    Some(Warning::new(UNKNOWN_KIND, text))
}

fn check_object(object: &Value) -> Result<(), FieldError> {
    let Some(entries) = object.as_object() else {
        return Err(FieldError::new("the document", "is not a mapping"));
    };
    for field in ["apiVersion", "kind"] {
        match entries.get(field) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(_) => return Err(FieldError::new(field, "is not a string")),
            None => return Err(FieldError::new(field, "is missing")),
        }
    }
    Ok(())
}

/// As `Deployment demo/httpbin`; a generated name shows as its prefix and a star.
fn describe(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or_default();
    let (namespace, name) = (metadata_text(object, "namespace"), metadata_text(object, "name"));
    let name = match (name, metadata_text(object, "generateName")) {
        ("", "") => "(no name)".to_owned(),
        ("", prefix) => format!("{prefix}*"),
        (name, _) => name.to_owned(),
    };
    let object = if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") };
    // A line end in a name would begin another line of the report.
    object.replace(char::is_control, "?")
}

#[cfg(test)]
mod tests;
