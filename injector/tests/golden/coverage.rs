//! What the cases have to be about: every annotation, every reason, every kind of mistake, and every kind of workload.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use sidecar_injector::decide::{Reason, decide};
use sidecar_injector::inject::{InjectError, inject};
use sidecar_injector::mode::Mode;
use sidecar_injector::owner::owner_of_pod;
use sidecar_injector::uninject::UninjectError;
use sidecar_injector::webhooks::NoMatch;
use sidecar_injector::workload::WorkloadKind;

use crate::case::Case;
use crate::pods::{objects, pods_of};

/// Every annotation that injection reads or writes: the constants of this file.
const ANNOTATIONS: &str = include_str!("../../../contract/src/annotation.rs");
/// Annotations that only templates and their functions know.
const OF_TEMPLATES: [&str; 4] = [
    "readiness.status.sidecar.istio.io/applicationPorts",
    "resource.opentelemetry.io/service.instance.id",
    "resource.opentelemetry.io/service.namespace",
    "resource.opentelemetry.io/service.version",
];
const WORKLOADS: [&str; 9] = [
    "Pod",
    "Deployment",
    "DaemonSet",
    "ReplicaSet",
    "StatefulSet",
    "ReplicationController",
    "DeploymentConfig",
    "Job",
    "CronJob",
];
/// The kinds of [`InjectError`], with those of [`UninjectError`] in place of `Former`.
const MISTAKES: [&str; 11] = [
    "Pod",
    "Owner",
    "Annotations",
    "UnknownTemplate",
    "Former: Status",
    "Former: Undo",
    "Former: NoPod",
    "Template",
    "Merge",
    "Unsafe",
    "Result",
];

/// Everything that no case is about. `codes`: those of the answers to all reviews.
pub(crate) fn missing(cases: &[Case], codes: &BTreeSet<&str>) -> Vec<String> {
    let inputs: Vec<Value> = cases.iter().flat_map(|case| parsed(&case.input)).collect();
    let injected = cases.iter().filter_map(|case| fs::read_to_string(case.folder.join("expected.yaml")).ok());
    let namespaces = cases.iter().filter_map(|case| fs::read_to_string(case.folder.join("namespaces.yaml")).ok());
    let outputs: Vec<Value> = injected.chain(namespaces).flat_map(|text| objects(&text)).collect();
    let mut annotations = BTreeSet::new();
    inputs.iter().chain(&outputs).for_each(|object| collect_annotations(object, &mut annotations));
    let workloads = inputs.iter().filter_map(|object| Some(WorkloadKind::of(object, Mode::Corrected)?.kind)).collect();
    let mistakes = cases.iter().flat_map(mistakes).collect();
    let reasons = Reason::all_codes().filter(|code| !NoMatch::CODES.contains(code)).chain(["up_to_date"]);
    let known = annotation_names().chain(OF_TEMPLATES);
    [
        lacking("the annotation", known, &annotations.iter().map(String::as_str).collect()),
        lacking("the reason", reasons, codes),
        lacking("the mistake", MISTAKES.into_iter(), &mistakes),
        lacking("the workload", WORKLOADS.into_iter(), &workloads),
    ]
    .concat()
}

fn lacking<'a>(what: &str, wanted: impl Iterator<Item = &'a str>, found: &BTreeSet<&str>) -> Vec<String> {
    wanted.filter(|name| !found.contains(name)).map(|name| format!("no case is about {what} {name}")).collect()
}

fn annotation_names() -> impl Iterator<Item = &'static str> {
    let constants = ANNOTATIONS.lines().filter(|line| line.starts_with("pub const "));
    constants.map(|line| line.split('"').nth(1).unwrap())
}

/// The documents of an input, of which some cannot be read.
fn parsed(text: &str) -> Vec<Value> {
    let documents = text.split("\n---\n").filter_map(|document| sidecar_injector::yaml::read_manifest(document).ok());
    documents.collect()
}

fn collect_annotations(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            if let Some(Value::Object(annotations)) = entries.get("annotations") {
                found.extend(annotations.keys().cloned());
            }
            entries.values().for_each(|value| collect_annotations(value, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect_annotations(element, found)),
        _ => {}
    }
}

/// The kinds of mistake for which pods of `case` are refused.
fn mistakes(case: &Case) -> Vec<&'static str> {
    if !case.folder.join("error.txt").is_file() {
        return Vec::new();
    }
    let injector = case.injector();
    let (variables, mut found) = (BTreeMap::new(), Vec::new());
    for (namespace, pod) in parsed(&case.input).iter().flat_map(|object| pods_of(object, Mode::Corrected)) {
        if decide(&pod, &namespace, &injector.configuration.config).inject() {
            let context = injector.context(owner_of_pod(&pod), injector.namespace(&namespace), &variables);
            found.extend(inject(&pod, &context).err().as_ref().map(kind_of));
        }
    }
    found
}

fn kind_of(error: &InjectError) -> &'static str {
    match error {
        InjectError::Pod(_) => "Pod",
        InjectError::Owner(_) => "Owner",
        InjectError::Annotations(_) => "Annotations",
        InjectError::UnknownTemplate(_) => "UnknownTemplate",
        InjectError::Former(UninjectError::Status(_)) => "Former: Status",
        InjectError::Former(UninjectError::Undo(_)) => "Former: Undo",
        InjectError::Former(UninjectError::NoPod(_)) => "Former: NoPod",
        InjectError::Template(_) => "Template",
        InjectError::Merge { .. } => "Merge",
        InjectError::Unsafe { .. } => "Unsafe",
        InjectError::Result(_) => "Result",
    }
}
