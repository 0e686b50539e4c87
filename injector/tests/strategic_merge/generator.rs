//! Random pods, and random patches for them.

use serde_json::{Map, Value, json};

use crate::random::Random;
use crate::shape::{POD, Shape};

/// Keys of elements and of entries, and scalars in lists: few, so that a patch meets what is there.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const PORTS: [u16; 5] = [80, 443, 8080, 15020, 15090];
const TEXTS: [&str; 4] = ["", "1", "true", "some text"];

/// Lists that no pod has empty: kubectl refuses a patch that only orders an empty list.
const NEVER_EMPTY: [&str; 3] = ["containers", "finalizers", "args"];

type Fields = [(&'static str, Shape)];

/// Makes pods and patches.
pub(crate) struct Generator {
    pub(crate) random: Random,
}

impl Generator {
    /// A pod with nulls and unknown fields in some places. No list has two elements with one key.
    pub(crate) fn pod(&mut self) -> Value {
        let mut pod = json!({"apiVersion": "v1", "kind": "Pod"});
        for &(name, shape) in POD {
            pod[name] = self.value(name, shape);
        }
        pod["metadata"]["name"] = json!("pod");
        pod
    }

    /// A patch with all directives in some places. None of them contradict each other.
    pub(crate) fn patch(&mut self) -> Value {
        let parts = POD.iter().map(|&(name, shape)| (name.to_owned(), self.patch_mapping(shape, 0)));
        Value::Object(parts.collect())
    }

    fn some(&mut self, fields: &Fields) -> Vec<(&'static str, Shape)> {
        fields.iter().copied().filter(|_| self.random.percent(45)).collect()
    }

    fn value(&mut self, name: &str, shape: Shape) -> Value {
        let least = usize::from(NEVER_EMPTY.contains(&name));
        match shape {
            Shape::Mapping(fields) => self.mapping(fields),
            Shape::Keyed(key, fields) => {
                let mut elements = Vec::new();
                for id in self.random.subset(&ids(key), least) {
                    let mut element = self.mapping(fields);
                    element[key] = id;
                    elements.push(element);
                }
                elements.into()
            }
            Shape::Whole(fields) => (0..self.random.below(3)).map(|_| self.mapping(fields)).collect(),
            Shape::Words | Shape::Set => self.random.subset(&NAMES, least).into(),
            Shape::Texts => {
                let names = self.random.subset(&NAMES, 0);
                names.into_iter().map(|name| (name.to_owned(), self.scalar(Shape::Text))).collect()
            }
            scalar => self.scalar(scalar),
        }
    }

    fn mapping(&mut self, fields: &Fields) -> Value {
        let mut mapping = Map::new();
        for (name, shape) in self.some(fields) {
            let is_list = matches!(shape, Shape::Keyed(..) | Shape::Whole(_) | Shape::Words | Shape::Set);
            let value = if !is_list && self.random.percent(3) { Value::Null } else { self.value(name, shape) };
            mapping.insert(name.to_owned(), value);
        }
        if self.random.percent(5) {
            mapping.insert("unknown".to_owned(), json!([{"a": [1]}]));
        }
        Value::Object(mapping)
    }

    fn scalar(&mut self, shape: Shape) -> Value {
        match shape {
            Shape::Number => self.random.below(100).into(),
            Shape::Flag => self.random.percent(50).into(),
            Shape::Either if self.random.percent(50) => self.random.below(100).into(),
            _ => self.random.pick(&TEXTS).into(),
        }
    }

    /// The patch of a mapping, in which so many of a hundred have a directive.
    fn patch_mapping(&mut self, shape: Shape, directives: usize) -> Value {
        let mut patch = Map::new();
        match shape {
            Shape::Mapping(fields) => {
                for (name, shape) in self.some(fields) {
                    self.patch_field(&mut patch, name, shape);
                }
                if self.random.percent(directives) {
                    self.retain_keys(&mut patch, fields);
                }
            }
            _ => {
                for name in self.random.subset(&NAMES, 0) {
                    let value = if self.random.percent(20) { Value::Null } else { self.scalar(Shape::Text) };
                    patch.insert(name.to_owned(), value);
                }
            }
        }
        if self.random.percent(directives) && !patch.contains_key("$retainKeys") {
            patch.insert("$patch".to_owned(), self.random.pick(&["delete", "replace"]).into());
        }
        Value::Object(patch)
    }

    fn patch_field(&mut self, patch: &mut Map<String, Value>, name: &str, shape: Shape) {
        if self.random.percent(6) {
            patch.insert(name.to_owned(), Value::Null);
            return;
        }
        match shape {
            Shape::Keyed(key, fields) => self.patch_keyed(patch, name, key, fields),
            Shape::Words | Shape::Set => self.patch_scalars(patch, name),
            Shape::Mapping(_) | Shape::Texts => drop(patch.insert(name.to_owned(), self.patch_mapping(shape, 10))),
            _ => drop(patch.insert(name.to_owned(), self.value(name, shape))),
        }
    }

    /// Names all that the patch sets, and other fields.
    fn retain_keys(&mut self, patch: &mut Map<String, Value>, fields: &Fields) {
        let set = patch.iter().filter(|(name, value)| !value.is_null() && !name.starts_with('$'));
        let mut names: Vec<String> = set.map(|(name, _)| name.clone()).collect();
        names.extend(self.some(fields).into_iter().map(|(name, _)| name.to_owned()));
        patch.insert("$retainKeys".to_owned(), names.into());
    }

    fn patch_keyed(&mut self, patch: &mut Map<String, Value>, name: &str, key: &'static str, fields: &'static Fields) {
        let (mut elements, mut kept, mut rest) = (Vec::new(), Vec::new(), ids(key));
        for id in self.random.subset(&ids(key), 0) {
            rest.retain(|other| *other != id);
            let mut element = self.patch_mapping(Shape::Mapping(fields), 0);
            element[key] = id.clone();
            if self.random.percent(15) {
                element["$patch"] = json!("delete");
            } else {
                if self.random.percent(10) {
                    self.retain_keys(element.as_object_mut().unwrap(), fields);
                }
                kept.push(id);
            }
            elements.push(element);
        }
        if self.random.percent(5) {
            // Behind the last element that the order names, kubectl takes it for one that the order lacks.
            elements.insert(0, json!({"$patch": "replace"}));
        }
        // Where a patch deletes, adds and orders, Go's places of new elements are those of deleted ones, among elements
        // that the order does not name: leave none.
        let deletes = kept.len() < elements.len();
        let others = if deletes { rest } else { self.random.subset(&rest, 0) };
        let order = self.order(kept, others).into_iter().map(|id| json!({ (key): id })).collect();
        self.insert_list(patch, name, elements, order);
    }

    fn patch_scalars(&mut self, patch: &mut Map<String, Value>, name: &str) {
        let words = self.random.subset(&NAMES, 0);
        let rest: Vec<&str> = NAMES.into_iter().filter(|name| !words.contains(name)).collect();
        if self.random.percent(25) {
            let deleted = self.random.subset(&rest, 0);
            patch.insert(format!("$deleteFromPrimitiveList/{name}"), deleted.into());
        }
        let others = self.random.subset(&rest, 0);
        let order = self.order(words.clone(), others).into_iter().map(Value::from).collect();
        self.insert_list(patch, name, words.into_iter().map(Value::from).collect(), order);
    }

    /// The kept ones in their order, and the others anywhere.
    fn order<T>(&mut self, mut kept: Vec<T>, others: Vec<T>) -> Vec<T> {
        for other in others {
            kept.insert(self.random.below(kept.len() + 1), other);
        }
        kept
    }

    /// Sometimes with the order, and sometimes the order alone.
    fn insert_list(&mut self, patch: &mut Map<String, Value>, name: &str, list: Vec<Value>, order: Vec<Value>) {
        let may_be_alone = NEVER_EMPTY.contains(&name);
        let has_order = !order.is_empty() && (!list.is_empty() || may_be_alone) && self.random.percent(30);
        if has_order {
            patch.insert(format!("$setElementOrder/{name}"), order.into());
        }
        if !has_order || !(list.is_empty() || may_be_alone && self.random.percent(30)) {
            patch.insert(name.to_owned(), list.into());
        }
    }
}

/// Possible values of the key of a list.
fn ids(key: &str) -> Vec<Value> {
    if key == "containerPort" { PORTS.map(Value::from).to_vec() } else { NAMES.map(Value::from).to_vec() }
}
