//! The part of a pod that a template renders, read from the rendered text.

use serde_json::{Map, Value};

use super::data::read as check;
use super::{TemplateError, rendered_place};
use crate::places;
use crate::yaml;

/// Reads what `template` rendered: `metadata` and `spec` of a pod, and nothing else but what says that it is one.
pub(super) fn read(template: &str, rendered: &str) -> Result<Value, TemplateError> {
    read_fragment(rendered).map_err(|(problem, line)| TemplateError {
        template: template.to_owned(),
        problem,
        place: line.and_then(|line| rendered_place(rendered, line)),
    })
}

/// The fragment, or what is wrong in the text, and in which line.
fn read_fragment(rendered: &str) -> Result<Value, (String, Option<usize>)> {
    let fragment = yaml::read_manifest(rendered).map_err(|problem| match problem.line {
        Some(line) => (format!("line {line} of the rendered text is not YAML: {problem}"), Some(line)),
        None => (format!("the rendered text is not YAML: {problem}"), None),
    })?;
    fragment_of(fragment).map_err(|(problem, field)| {
        let place = || places::Outline::read(rendered)?.locate(&field);
        (problem, place().map(|place| place.line))
    })
}

/// The fragment, or what is wrong in it, and with which field first.
fn fragment_of(fragment: Value) -> Result<Value, (String, String)> {
    let mut parts = match fragment {
        Value::Null => return Ok(Value::Object(Map::new())),
        Value::Object(parts) => parts,
        _ => return Err(("renders something else than a mapping".to_owned(), String::new())),
    };
    parts
        .retain(|key, part| !(part.is_null() || key == "apiVersion" && part == "v1" || key == "kind" && part == "Pod"));
    if let Some(key) = parts.keys().find(|key| !matches!(key.as_str(), "metadata" | "spec")) {
        return Err((
            format!("renders the key `{key}`; only `metadata` and `spec` of a pod belong there"),
            key.clone(),
        ));
    }
    if let Some((key, _)) = parts.iter().find(|(_, part)| !part.is_object()) {
        return Err((format!("renders `{key}` as something else than a mapping"), key.clone()));
    }
    let null = Value::Null;
    let mut mistakes = Vec::new();
    for (part, type_name) in [("metadata", "v1.ObjectMeta"), ("spec", "v1.PodSpec")] {
        mistakes.extend(check(type_name, parts.get(part).unwrap_or(&null), part).err().into_iter().flatten());
    }
    if mistakes.is_empty() {
        return Ok(Value::Object(parts));
    }
    let first = mistakes.first().map(|mistake| mistake.field.clone()).unwrap_or_default();
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Err((format!("renders what does not belong into a pod: {}", mistakes.join("; ")), first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_a_pod_is_a_mistake() {
        let error = read("sidecar", "status: {}\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "template 'sidecar': renders the key `status`; only `metadata` and `spec` of a pod belong there"
        );
    }
}
