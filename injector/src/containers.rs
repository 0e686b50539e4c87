//! Finding containers in a pod, in either of its two lists.

use serde_json::{Map, Value};
use sidecar_contract::container;

/// Containers that run side by side.
pub(crate) const REGULAR: &str = "containers";
/// Containers that run one after the other before those, and sidecars that start in their place.
pub(crate) const INIT: &str = "initContainers";
/// Both lists, in the order in which Istio looks a container up.
pub(crate) const LISTS: [&str; 2] = [REGULAR, INIT];

/// `spec.<list>`; empty when it is missing.
pub(crate) fn list<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `spec.<list>`, if it is there.
pub(crate) fn list_mut<'a>(pod: &'a mut Value, list: &str) -> Option<&'a mut Vec<Value>> {
    pod.get_mut("spec")?.get_mut(list)?.as_array_mut()
}

/// `spec.<list>`, made when it is missing or null; `None` when there is something else in its place.
pub(crate) fn list_or_new<'a>(pod: &'a mut Value, list: &str) -> Option<&'a mut Vec<Value>> {
    entry(pod.get_mut("spec")?, list, || Value::Array(Vec::new()))?.as_array_mut()
}

/// The element of `spec.<list>` with that name.
pub(crate) fn find<'a>(pod: &'a Value, list_name: &str, name: &str) -> Option<&'a Value> {
    list(pod, list_name).iter().find(|element| is_named(element, name))
}

/// The container with that name, in either list.
pub(crate) fn find_in_both<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    LISTS.iter().find_map(|list| find(pod, list, name))
}

/// The element of `spec.<list>` with that name.
pub(crate) fn find_mut<'a>(pod: &'a mut Value, list: &str, name: &str) -> Option<&'a mut Map<String, Value>> {
    list_mut(pod, list)?.iter_mut().find(|element| is_named(element, name))?.as_object_mut()
}

/// Takes the element of `spec.<list>` with that name out.
pub(crate) fn take(pod: &mut Value, list: &str, name: &str) -> Option<Value> {
    let elements = list_mut(pod, list)?;
    let index = elements.iter().position(|element| is_named(element, name))?;
    Some(elements.remove(index))
}

/// The sidecar, in either list.
pub(crate) fn sidecar(pod: &Value) -> Option<&Value> {
    find_in_both(pod, container::PROXY)
}

/// The sidecar, in either list.
pub(crate) fn sidecar_mut(pod: &mut Value) -> Option<&mut Map<String, Value>> {
    let list = LISTS.into_iter().find(|list| find(pod, list, container::PROXY).is_some())?;
    find_mut(pod, list, container::PROXY)
}

/// The value of an environment variable of `container`, where it is given as text.
pub(crate) fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let variables = container.get("env").and_then(Value::as_array);
    variables.into_iter().flatten().find(|variable| is_named(variable, name))?.get("value")?.as_str()
}

/// The environment variables of `container`, made when it has none; `None` when something else is in their place.
pub(crate) fn variables_mut(container: &mut Map<String, Value>) -> Option<&mut Vec<Value>> {
    let variables = container.entry("env").or_insert(Value::Null);
    if variables.is_null() {
        *variables = Value::Array(Vec::new());
    }
    variables.as_array_mut()
}

/// An environment variable.
pub(crate) fn new_variable(name: &str, value: &str) -> Value {
    serde_json::json!({"name": name, "value": value})
}

/// `metadata.<key>` as a mapping, made when it is missing or null; `None` when something else is in its place.
pub(crate) fn metadata_mut<'a>(pod: &'a mut Value, key: &str) -> Option<&'a mut Map<String, Value>> {
    let new = || Value::Object(Map::new());
    entry(entry(pod, "metadata", new)?, key, new)?.as_object_mut()
}

/// Whether an element of a list has that name.
pub(crate) fn is_named(element: &Value, name: &str) -> bool {
    element.get("name").and_then(Value::as_str) == Some(name)
}

fn entry<'a>(parent: &'a mut Value, key: &str, new: impl Fn() -> Value) -> Option<&'a mut Value> {
    let child = parent.as_object_mut()?.entry(key).or_insert(Value::Null);
    if child.is_null() {
        *child = new();
    }
    Some(child)
}
