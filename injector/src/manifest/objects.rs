//! Finding the pods in objects, and putting others in their place.

use serde_json::Value;

use crate::manifest::change::{Change, Changed};
use crate::manifest::report::{Action, ObjectReport};
use crate::warnings::{UNKNOWN_KIND, Warning};
use crate::workload::{FieldError, WorkloadKind, metadata_text};

/// Mistakes, each with its object.
pub(super) type Mistakes = Vec<(String, String)>;

/// What the pods in an object or a List become, and the object with them; none if nothing changes. Reports each, as on
/// this line of the stream.
///
/// # Errors
/// All mistakes in it.
pub(super) fn change_object(
    object: &Value,
    change: &impl Change,
    line: usize,
    report: &mut Vec<ObjectReport>,
) -> Result<Option<Value>, Mistakes> {
    check_object(object).map_err(|error| vec![(String::new(), format!("not a Kubernetes object: {error}"))])?;
    if is_list(object) {
        return change_list(object, change, line, report);
    }
    let name = describe(object);
    let Some(workload) = WorkloadKind::of(object, change.mode()) else {
        let warnings = looks_like_a_workload(object).into_iter().collect();
        report.push(ObjectReport { object: name, line, action: Action::NotAWorkload, warnings });
        return Ok(None);
    };
    let pod = workload.pod(object, change.mode()).map_err(|error| vec![(name.clone(), error.to_string())])?;
    let Changed { action, pod, warnings } = change
        .change(object, workload, &pod)
        .map_err(|messages| messages.into_iter().map(|message| (name.clone(), message)).collect::<Mistakes>())?;
    report.push(ObjectReport { object: name, line, action, warnings });
    Ok(pod.map(|pod| {
        let mut changed = object.clone();
        workload.replace_pod(&mut changed, pod, change.mode());
        changed
    }))
}

fn change_list(
    list: &Value,
    change: &impl Change,
    line: usize,
    report: &mut Vec<ObjectReport>,
) -> Result<Option<Value>, Mistakes> {
    let items = match list.get("items") {
        Some(Value::Array(items)) => items,
        Some(Value::Null) | None => return Ok(None),
        Some(_) => return Err(vec![("List".to_owned(), "items: is not a list".to_owned())]),
    };
    let (mut changed, mut mistakes) = (None, Vec::new());
    for (index, item) in items.iter().enumerate() {
        match change_item(item, index, change, line, report) {
            Ok(Some(item)) => changed.get_or_insert_with(|| list.clone())["items"][index] = item,
            Ok(None) => {}
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(changed) } else { Err(mistakes) }
}

/// What an item of a List becomes; none if it does not change.
///
/// # Errors
/// All mistakes in it, each with its place in the List.
pub(super) fn change_item(
    item: &Value,
    index: usize,
    change: &impl Change,
    line: usize,
    report: &mut Vec<ObjectReport>,
) -> Result<Option<Value>, Mistakes> {
    let place = format!("List items[{index}]");
    if is_list(item) {
        return Err(vec![(place, "is a List again; a List holds objects".to_owned())]);
    }
    change_object(item, change, line, report).map_err(|found| {
        let placed = |object: String| if object.is_empty() { place.clone() } else { format!("{place} {object}") };
        found.into_iter().map(|(object, message)| (placed(object), message)).collect()
    })
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
