//! What the pod itself says about containers that templates add.
//!
//! A pod may bring a container `istio-proxy` of its own, with the image `auto` and the fields that are to differ from the
//! template's: those win.

use serde_json::{Map, Value, json};
use sidecar_contract::{annotation, container};

use super::{InjectError, alternatives};
use crate::annotations::AnnotationError;
use crate::containers::{self, INIT, LISTS, REGULAR};
use crate::context::Context;
use crate::merge::{MergeError, merge, merge_as_kubernetes};
use crate::mode::Mode;
use crate::status::Status;
use crate::template;
use crate::workload::{FieldError, metadata_map};

/// Of a container that the pod configures: the template's image, please.
const AUTO_IMAGE: &str = "auto";

/// Containers as the pod wants them, by list.
#[derive(Debug, Default)]
struct Overrides {
    lists: [Vec<Value>; 2],
}

/// Merges what `original` says about the containers of `fragment` over `pod`, and records it in an annotation, from
/// which a later injection finds it again.
///
/// # Errors
/// When the annotation of an earlier injection cannot be read, or what it says not be merged.
pub(super) fn reapply(
    pod: &mut Value,
    original: &Value,
    fragment: &Value,
    context: &Context<'_>,
) -> Result<(), InjectError> {
    let recorded = recorded(original)?;
    let former = Status::on(original);
    let mut overrides = Overrides::default();
    for (index, list) in LISTS.into_iter().enumerate() {
        // What an earlier injection has added is no wish of the pod's.
        let is_former =
            |name: &str| former.as_ref().is_some_and(|status| status.names_in(list).any(|former| former == name));
        let names = containers::list(fragment, list).iter().filter_map(|element| element.get("name")?.as_str());
        for name in names.filter(|name| !is_former(name)) {
            let given = recorded.lists[index].iter().find(|element| containers::is_named(element, name));
            let looks_in_both = list == INIT || !context.mode().is_istio();
            let in_pod = || {
                if looks_in_both {
                    containers::find_in_both(original, name)
                } else {
                    containers::find(original, REGULAR, name)
                }
            };
            let is_recorded = given.is_some();
            let Some(mut given) = given.or_else(in_pod).cloned() else { continue };
            prepare(&mut given, list, context.mode());
            let mut patch = given.clone();
            let merge = if context.mode().is_istio() {
                merge_as_kubernetes
            } else {
                alternatives::one_action_and_value(&mut patch);
                merge
            };
            merge(pod, &json!({"spec": {list: [patch]}})).map_err(|error| mistake(original, is_recorded, error))?;
            overrides.lists[index].push(given);
        }
    }
    if former.is_none() && overrides.lists.iter().any(|list| !list.is_empty()) {
        record(pod, overrides);
    }
    Ok(())
}

/// What the pod says of a container cannot be merged: in the annotation of an earlier injection, or in the container.
fn mistake(original: &Value, is_recorded: bool, error: MergeError) -> InjectError {
    let MergeError { path, problem } = error;
    if !is_recorded {
        return InjectError::Pod(vec![FieldError::new(path, problem)]);
    }
    let text = metadata_map(original, "annotations").get(annotation::OVERRIDES).and_then(Value::as_str);
    let problem = format!("{path}: {problem}");
    InjectError::Annotations(vec![AnnotationError::new(annotation::OVERRIDES, text.unwrap_or_default(), problem)])
}

/// Containers that an injection recorded on `pod`; none without the annotation.
///
/// # Errors
/// When the annotation is not what an injection writes.
fn recorded(pod: &Value) -> Result<Overrides, InjectError> {
    let Some(text) = metadata_map(pod, "annotations").get(annotation::OVERRIDES).and_then(Value::as_str) else {
        return Ok(Overrides::default());
    };
    read(text).ok_or_else(|| {
        let problem = "is not the JSON that an injection writes: {\"containers\":[…],\"initContainers\":[…]} with named \
                       containers; remove the annotation";
        InjectError::Annotations(vec![AnnotationError::new(annotation::OVERRIDES, text, problem)])
    })
}

fn read(text: &str) -> Option<Overrides> {
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let mut overrides = Overrides::default();
    for (list, elements) in LISTS.into_iter().zip(&mut overrides.lists) {
        *elements = match object.get(list) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(given)) => given.clone(),
            Some(_) => return None,
        };
        let is_named = |element: &Value| {
            element.get("name").is_some_and(|name| name.as_str().is_some_and(|name| !name.is_empty()))
        };
        if !elements.iter().all(is_named) {
            return None;
        }
    }
    let is_typed = template::read("v1.PodSpec", &Value::Object(object), "").is_ok();
    is_typed.then_some(overrides)
}

/// All containers that the annotation of an earlier injection holds, with the list that each belongs to.
pub(crate) fn all_recorded(pod: &Value) -> Vec<(&'static str, Value)> {
    let overrides = recorded(pod).unwrap_or_default();
    LISTS
        .into_iter()
        .zip(overrides.lists)
        .flat_map(|(list, elements)| elements.into_iter().map(move |element| (list, element)))
        .collect()
}

fn prepare(given: &mut Value, list: &str, mode: Mode) {
    remove_directives(given);
    if let Some(typed) = template::typed("v1.Container", given).filter(|_| mode.is_istio()) {
        *given = typed;
    }
    let Some(fields) = given.as_object_mut() else { return };
    if fields.get("image").is_some_and(|image| image == AUTO_IMAGE || image == "") {
        fields.shift_remove("image");
    }
    if list == REGULAR {
        // Only an init container may say it.
        fields.shift_remove("restartPolicy");
    }
}

/// A pod has no say in how it is merged: a field of that name is an unknown field. Null and an empty list are to
/// Kubernetes a field that is not there, and would take the template's away here.
pub(super) fn remove_directives(value: &mut Value) {
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(entries) => {
            entries.retain(|key, value| !key.starts_with('$') && !is_empty(value));
            entries.values_mut().for_each(remove_directives);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_directives),
        _ => {}
    }
}

fn record(pod: &mut Value, overrides: Overrides) {
    let lists = LISTS.into_iter().zip(overrides.lists).filter(|(_, elements)| !elements.is_empty());
    let text =
        Value::Object(lists.map(|(list, elements)| (list.to_owned(), Value::Array(elements))).collect()).to_string();
    if let Some(annotations) = containers::metadata_mut(pod, "annotations") {
        annotations.insert(annotation::OVERRIDES.to_owned(), text.into());
    }
}

/// Follows a user or group that the pod chose for its sidecar: the rules exempt that user's traffic, and the check of
/// the rules runs as the same.
pub(super) fn adjust_user(pod: &mut Value, original: &Value, intercepts_transparently: bool) {
    let security = containers::sidecar(original).and_then(|sidecar| sidecar.get("securityContext"));
    let chosen = |key: &str| security.and_then(|security| security.get(key)).filter(|id| id.is_number()).cloned();
    let (user, group) = (chosen("runAsUser"), chosen("runAsGroup"));
    let Some(name) =
        [container::INIT, container::VALIDATION].into_iter().find(|name| containers::find(pod, INIT, name).is_some())
    else {
        return;
    };
    if intercepts_transparently {
        // The socket option for it takes root.
        if let (Some(_), Some(sidecar)) = (&user, containers::sidecar_mut(pod)) {
            set_security(sidecar, "runAsUser", 0.into());
        }
    } else if name == container::VALIDATION
        && let Some(validation) = containers::find_mut(pod, INIT, name)
    {
        for (key, id) in [("runAsUser", user.clone()), ("runAsGroup", group)] {
            if let Some(id) = id {
                set_security(validation, key, id);
            }
        }
    }
    let Some(user) = user.filter(|user| user.as_i64() != Some(0)) else { return };
    let arguments =
        containers::find_mut(pod, INIT, name).and_then(|init| init.get_mut("args")).and_then(Value::as_array_mut);
    if let Some(arguments) = arguments
        && let Some(flag) = arguments.iter().position(|argument| argument == "-u")
        && let Some(argument) = arguments.get_mut(flag + 1)
    {
        *argument = user.to_string().into();
    }
}

fn set_security(container: &mut Map<String, Value>, key: &str, id: Value) {
    let security = container.entry("securityContext").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(security) = security {
        security.insert(key.to_owned(), id);
    }
}
