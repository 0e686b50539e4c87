//! Finding the pods in objects, and putting others in their place.

use serde_json::Value;

use crate::manifest::change::{Change, Changed};
use crate::manifest::report::{Action, ObjectReport};
use crate::warnings::{UNKNOWN_KIND, Warning};
use crate::workload::{FieldError, WorkloadKind, metadata_text};

/// Mistakes, each with its object.
pub(super) type Mistakes = Vec<(String, String)>;

/// Changes the pods in an object or a List, and reports each.
///
/// # Errors
/// All mistakes in it; it is half changed then.
pub(super) fn change_object(
    object: &mut Value,
    change: &impl Change,
    report: &mut Vec<ObjectReport>,
) -> Result<(), Mistakes> {
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

pub(super) fn is_list(object: &Value) -> bool {
    object["kind"] == "List" && object["apiVersion"] == "v1"
}

fn looks_like_a_workload(object: &Value) -> Option<Warning> {
    object.pointer("/spec/template/spec/containers")?;
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let text = format!("it has a pod template, but its kind is not known for apiVersion {api_version}");
    Some(Warning::new(UNKNOWN_KIND, text))
}

pub(super) fn check_object(object: &Value) -> Result<(), FieldError> {
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
pub(super) fn describe(object: &Value) -> String {
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
