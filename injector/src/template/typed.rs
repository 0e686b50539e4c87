//! What is left of JSON that goes through Go's types.

use gotemplate::json::{self, Style};
use gotemplate::{Budget, NamedType, Type};
use serde_json::Value;

use super::schema::{self, Form};
use super::{LIMITS, data};

/// `json` as Go writes it after reading it into the type of that name, such as `v1.PodSpec`: nulls, empty lists and the
/// zero values that Go leaves out are gone; quantities are in their canonical form. Fields that the type does not have,
/// which Go loses, stay as they are. `None` when it is not of that type.
pub(crate) fn typed(type_name: &str, json: &Value) -> Option<Value> {
    let value = data::read(type_name, json, "").ok()?;
    let text = json::encode(&value, &Budget::new(LIMITS), Style::Raw).ok()?;
    let typed = serde_json::from_slice(&text).ok()?;
    Some(with_unknown(&schema::named_type(type_name), json, typed))
}

/// Makes texts of the numbers and bools in `json` that stand where the type of that name has a text, as `version: 1` among
/// labels: so the parser of Kubernetes' tools reads YAML.
pub(crate) fn make_texts(type_name: &str, json: &mut Value) {
    make_texts_of(&schema::named_type(type_name), json);
}

fn make_texts_of(of: &Type, json: &mut Value) {
    match (of, json) {
        (Type::Pointer(target), json) => make_texts_of(target, json),
        (Type::List(element), Value::Array(elements)) => {
            elements.iter_mut().for_each(|json| make_texts_of(element, json));
        }
        (Type::Map(_, element), Value::Object(entries)) => {
            entries.values_mut().for_each(|json| make_texts_of(element, json));
        }
        (Type::String, json @ (Value::Bool(_) | Value::Number(_))) => *json = json.to_string().into(),
        (Type::Named(named), json) => match schema::declared(named).map(|declared| &declared.form) {
            Some(Form::Struct) => {
                for (key, json) in json.as_object_mut().into_iter().flatten() {
                    if let Some(of) = field(named, key) {
                        make_texts_of(of, json);
                    }
                }
            }
            Some(Form::Underlying) => make_texts_of(named.underlying().unwrap_or(&Type::Any), json),
            _ => {}
        },
        _ => {}
    }
}

/// `typed` with the fields of `given` that its type does not have, in the order of `given`.
fn with_unknown(of: &Type, given: &Value, typed: Value) -> Value {
    match (of, given, typed) {
        (Type::Pointer(target), given, typed) => with_unknown(target, given, typed),
        (Type::List(element), Value::Array(given), Value::Array(typed)) => {
            given.iter().zip(typed).map(|(given, typed)| with_unknown(element, given, typed)).collect()
        }
        (Type::Map(_, element), Value::Object(given), Value::Object(typed)) => {
            let entry = |(key, typed): (String, Value)| match given.get(&key) {
                Some(given) => (key, with_unknown(element, given, typed)),
                None => (key, typed),
            };
            typed.into_iter().map(entry).collect()
        }
        (Type::Named(named), Value::Object(given), Value::Object(mut typed)) if is_struct(named) => {
            let mut merged = serde_json::Map::new();
            for (key, value) in given {
                match (typed.shift_remove(key), field(named, key)) {
                    (Some(typed), Some(of)) => drop(merged.insert(key.clone(), with_unknown(of, value, typed))),
                    (None, Some(_)) => {}
                    (_, None) => drop(merged.insert(key.clone(), value.clone())),
                }
            }
            // What Go writes although nobody gave it, such as empty resources.
            merged.extend(typed);
            Value::Object(merged)
        }
        (_, _, typed) => typed,
    }
}

fn is_struct(named: &NamedType) -> bool {
    schema::declared(named).is_some_and(|declared| matches!(declared.form, Form::Struct))
}

/// The type of the field with that name in JSON, in the type itself or in one that it embeds.
fn field<'a>(named: &'a NamedType, key: &str) -> Option<&'a Type> {
    named.fields().iter().find_map(|field| match (&field.field_type, &field.json) {
        (Type::Named(embedded), _) if field.inline => self::field(embedded, key),
        (field_type, Some(name)) if *name.to_text() == *key => Some(field_type),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_go_leaves_out_is_gone_and_quantities_are_canonical() {
        let container = json!({
            "name": "a", "args": [], "env": null, "tty": false, "imagePullPolicy": "",
            "securityContext": {"runAsUser": 0, "privileged": false, "capabilities": null},
            "resources": {"limits": {"cpu": "2000m", "memory": "1024Mi"}, "requests": null},
            "livenessProbe": {"httpGet": {"port": "http", "path": ""}, "timeoutSeconds": 0},
        });
        assert_eq!(
            typed("v1.Container", &container).unwrap(),
            json!({
                "name": "a",
                "securityContext": {"runAsUser": 0, "privileged": false},
                "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
                "livenessProbe": {"httpGet": {"port": "http"}},
            })
        );
        assert_eq!(typed("v1.Container", &json!({"name": 3})), None);
    }

    #[test]
    fn scalars_become_texts_where_texts_belong() {
        let mut pod = json!({"hostNetwork": true, "nodeSelector": {"a": 1, "b": true}, "containers": [
            {"name": 5, "args": [1.5, "x"], "imagePullPolicy": 1, "ports": [{"containerPort": 80, "name": 80}],
                "livenessProbe": {"httpGet": {"port": 80}}, "resources": {"limits": {"cpu": 2}}}]});
        make_texts("v1.PodSpec", &mut pod);
        let expected = json!({"hostNetwork": true, "nodeSelector": {"a": "1", "b": "true"}, "containers": [
            {"name": "5", "args": ["1.5", "x"], "imagePullPolicy": "1", "ports": [{"containerPort": 80, "name": "80"}],
                "livenessProbe": {"httpGet": {"port": 80}}, "resources": {"limits": {"cpu": 2}}}]});
        assert_eq!(pod, expected);
    }

    #[test]
    fn unknown_fields_stay_where_they_are() {
        let spec = json!({"unknown": null, "containers": [{"new": [1], "name": "a", "tty": false,
            "volumeMounts": [{"name": "v", "mountPath": "/v", "newer": {"x": ""}, "readOnly": false}]}]});
        let expected = json!({"unknown": null, "containers": [{"new": [1], "name": "a",
            "volumeMounts": [{"name": "v", "mountPath": "/v", "newer": {"x": ""}}], "resources": {}}]});
        assert_eq!(typed("v1.PodSpec", &spec).unwrap(), expected);
        // A volume embeds its source.
        let volumes = json!({"containers": [], "volumes": [{"name": "v", "emptyDir": {"medium": ""}, "new": 1}]});
        let expected = json!({"containers": [], "volumes": [{"name": "v", "emptyDir": {}, "new": 1}]});
        assert_eq!(typed("v1.PodSpec", &volumes).unwrap(), expected);
    }
}
