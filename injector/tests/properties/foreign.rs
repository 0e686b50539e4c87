//! What other webhooks and people do to a pod between two injections.

use serde_json::{Value, json};

use super::choices::Choices;

/// Adds things to `pod`; gives back where what is to be found, by JSON pointer or by list and name.
pub(crate) fn add(choices: &mut Choices<'_>, pod: &mut Value) -> Vec<Addition> {
    let mut additions = Vec::new();
    if choices.chance(40) {
        entry(pod, "labels", "other/label", &mut additions);
    }
    if choices.chance(40) {
        entry(pod, "annotations", "other/annotation", &mut additions);
    }
    for list in choices.some(&["containers", "initContainers"], 30) {
        let place = choices.below(3);
        element(pod, list, place, json!({"name": format!("other-{list}"), "image": "other:1"}), &mut additions);
    }
    if choices.chance(40) {
        element(pod, "volumes", choices.below(3), json!({"name": "other", "emptyDir": {}}), &mut additions);
    }
    for list in ["containers", "initContainers"] {
        let names: Vec<String> =
            elements(pod, list).iter().filter_map(|element| Some(element["name"].as_str()?.to_owned())).collect();
        for name in names {
            if choices.chance(30) {
                within(choices, pod, list, &name, &mut additions);
            }
        }
    }
    additions
}

/// Something that was added, and that has to stay.
#[derive(Debug)]
pub(crate) enum Addition {
    /// A label or annotation.
    Entry(&'static str, &'static str),
    /// A container or volume.
    Element(&'static str, Value),
    /// An element of a list of a container: the list, the container, its list, and the element.
    Within(&'static str, String, &'static str, Value),
}

impl Addition {
    pub(crate) fn is_in(&self, pod: &Value) -> bool {
        match self {
            Self::Entry(map, key) => pod["metadata"][map][key] == "x",
            // Templates may add to it.
            Self::Element(list, added) => elements(pod, list).iter().any(|element| element["name"] == added["name"]),
            Self::Within(list, container, inner, added) => elements(pod, list)
                .iter()
                .filter(|element| element["name"] == container.as_str())
                .any(|element| element[inner].as_array().is_some_and(|elements| elements.contains(added))),
        }
    }
}

fn elements<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    pod["spec"][list].as_array().map_or(&[], Vec::as_slice)
}

fn entry(pod: &mut Value, map: &'static str, key: &'static str, additions: &mut Vec<Addition>) {
    if !pod["metadata"][map].is_object() {
        pod["metadata"][map] = json!({});
    }
    pod["metadata"][map][key] = "x".into();
    additions.push(Addition::Entry(map, key));
}

fn element(pod: &mut Value, list: &'static str, place: usize, added: Value, additions: &mut Vec<Addition>) {
    if !pod["spec"][list].is_array() {
        pod["spec"][list] = json!([]);
    }
    if let Some(elements) = pod["spec"][list].as_array_mut() {
        elements.insert(place.min(elements.len()), added.clone());
    }
    additions.push(Addition::Element(list, added));
}

fn within(choices: &mut Choices<'_>, pod: &mut Value, list: &'static str, name: &str, additions: &mut Vec<Addition>) {
    let (inner, added) = choices.pick(&[
        ("env", json!({"name": "OTHER", "value": "x"})),
        ("volumeMounts", json!({"name": "data", "mountPath": "/other"})),
    ]);
    let Some(container) =
        pod["spec"][list].as_array_mut().into_iter().flatten().find(|element| element["name"] == name)
    else {
        return;
    };
    if !container[inner].is_array() {
        container[inner] = json!([]);
    }
    if let Some(elements) = container[inner].as_array_mut() {
        let place = choices.below(elements.len() + 1);
        elements.insert(place, added.clone());
    }
    additions.push(Addition::Within(list, name.to_owned(), inner, added.clone()));
}
