//! The JSON form of messages of protobuf, of the several that are allowed, that all others of this crate expect.

use gotemplate::{NamedType, Type};
use serde_json::{Map, Value as Json};

use super::data::{self, Path, REPORTED};
use super::proto::{DURATION, STRUCT, STRUCT_LIST, STRUCT_VALUE, WRAPPERS};
use super::schema::{self, Form, MessageField};
use crate::json_name::lower_camel;
use crate::workload::FieldError;

/// Characters of an unknown name that its error repeats.
const QUOTED: usize = 100;

/// A message with its fields under their names in JSON (`statusPort` where it said `status_port`), enums by name,
/// integers as numbers, and without nulls and unknown fields. What is of the wrong type stays as it is.
#[derive(Debug)]
pub(crate) struct Canonical {
    /// The message.
    pub(crate) json: Json,
    /// The fields that were left out because the message does not have them, up to 50 of them.
    pub(crate) unknown: Vec<FieldError>,
    /// Fields that are there under two names, or two of which only one may be there; the last one was taken. Up to 50.
    pub(crate) twice: Vec<FieldError>,
}

/// Brings a message of the type of that name in the schema, such as `v1alpha1.ProxyConfig`, into its canonical form.
pub(crate) fn canonical(type_name: &str, json: Json) -> Canonical {
    let mut walk = Walk { unknown: Vec::new(), twice: Vec::new() };
    let json = walk.value(&schema::named_type(type_name), json, &Path::Start(""));
    Canonical { json, unknown: walk.unknown, twice: walk.twice }
}

struct Walk {
    unknown: Vec<FieldError>,
    twice: Vec<FieldError>,
}

impl Walk {
    fn value(&mut self, wanted: &Type, json: Json, path: &Path<'_>) -> Json {
        match (wanted, json) {
            (Type::Pointer(target), json) => self.value(target, json, path),
            (Type::List(element), Json::Array(items)) => {
                let items = items.into_iter().enumerate();
                items.map(|(index, item)| self.value(element, item, &Path::Item(path, index))).collect()
            }
            (Type::Map(_, element), Json::Object(entries)) => {
                let mut values = Map::new();
                for (key, json) in entries {
                    let value = self.value(element, json, &Path::Entry(path, &key));
                    values.insert(key, value);
                }
                values.into()
            }
            (Type::Int(_) | Type::Uint(_), json) => number(json),
            (Type::Named(named), json) => match schema::declared(named).map(|declared| &declared.form) {
                Some(Form::Message(fields)) => self.message(named, fields, json, path),
                Some(Form::Enum(values)) => {
                    let name = json.as_i64().and_then(|number| values.iter().find(|(known, _)| *known == number));
                    name.map_or(json, |(_, name)| (*name).into())
                }
                _ => json,
            },
            (_, json) => json,
        }
    }

    fn message(&mut self, named: &NamedType, fields: &[MessageField], json: Json, path: &Path<'_>) -> Json {
        let name = named.name().to_text();
        let entries = match (name.as_ref(), json) {
            // They stand for something else than a mapping of their fields.
            (DURATION | STRUCT | STRUCT_LIST | STRUCT_VALUE, json) => return json,
            (name, json) if name.starts_with(WRAPPERS) => {
                return match fields {
                    [field] => self.value(&field.field_type, json, path),
                    _ => json,
                };
            }
            (_, Json::Object(entries)) => entries,
            (_, json) => return json,
        };
        let mut values = Map::new();
        for (key, json) in entries.into_iter().filter(|(_, json)| !json.is_null()) {
            let json_name = lower_camel(&key);
            let Some(field) = fields.iter().find(|field| field.json == key || field.json == json_name) else {
                let key: String = key.escape_default().take(QUOTED).collect();
                let message = name.rsplit(['.', '_']).next().unwrap_or_default();
                keep(&mut self.unknown, &Path::Field(path, &key), || format!("is not a field of {message}"));
                continue;
            };
            let path = Path::Field(path, field.json);
            for other in fields.iter().filter(|other| other.name == field.name && values.contains_key(other.json)) {
                keep(&mut self.twice, &path, || match other.json == field.json {
                    true => "is there twice, in two spellings".to_owned(),
                    false => format!("and {} exclude each other", other.json),
                });
            }
            values.insert(field.json.to_owned(), self.value(&field.field_type, json, &path));
        }
        values.into()
    }
}

/// An integer that is written as a text or with a fraction of zero.
fn number(json: Json) -> Json {
    let integer = match &json {
        Json::String(text) => text.parse::<serde_json::Number>().ok().and_then(|number| data::integer(&number)),
        Json::Number(number) => data::integer(number),
        _ => None,
    };
    integer.map_or(json, Json::from)
}

fn keep(errors: &mut Vec<FieldError>, path: &Path<'_>, problem: impl FnOnce() -> String) {
    if errors.len() < REPORTED {
        errors.push(FieldError::new(path.to_string(), problem()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(errors: &[FieldError]) -> Vec<String> {
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_enums_and_integers_have_one_form_at_every_depth() {
        let given = json!({"status_port": "15020", "interception_mode": 1, "concurrency": "2", "image": {"image_type": "x"},
            "tracing": {"zipkin": {"address": "a"}, "custom_tags": {"a_b": {"literal": {"value": "v"}}}},
            "proxy_metadata": {"A_B": "c"}, "drainDuration": "45s", "meshId": null});
        let canonical = canonical("v1alpha1.ProxyConfig", given);
        assert_eq!(
            canonical.json,
            json!({"statusPort": 15020, "interceptionMode": "TPROXY", "concurrency": 2, "image": {"imageType": "x"},
            "tracing": {"zipkin": {"address": "a"}, "customTags": {"a_b": {"literal": {"value": "v"}}}},
            "proxyMetadata": {"A_B": "c"}, "drainDuration": "45s"})
        );
        assert!(canonical.unknown.is_empty() && canonical.twice.is_empty(), "{canonical:?}");
    }

    #[test]
    fn any_json_within_a_message_keeps_its_names() {
        let labels = json!({"a_b": null, "c_d": [1, {"e_f": "g"}]});
        let given =
            json!({"extension_providers": [{"name": "log", "envoyFileAccessLog": {"logFormat": {"labels": labels}}}]});
        let canonical = canonical("v1alpha1.MeshConfig", given).json;
        assert_eq!(canonical["extensionProviders"][0]["envoyFileAccessLog"]["logFormat"]["labels"], labels);
    }

    #[test]
    fn unknown_fields_and_fields_given_twice_are_told_apart() {
        let given = json!({"statusPrt": 1, "tracing": {"samplin\n": 2}, "status_port": 1, "statusPort": 2,
            "serviceCluster": "a", "tracingServiceName": "APP_LABEL_AND_NAMESPACE"});
        let canonical = canonical("v1alpha1.ProxyConfig", given);
        assert_eq!(
            texts(&canonical.unknown),
            ["statusPrt: is not a field of ProxyConfig", "tracing.samplin\\n: is not a field of Tracing"]
        );
        assert_eq!(
            texts(&canonical.twice),
            [
                "statusPort: is there twice, in two spellings",
                "tracingServiceName: and serviceCluster exclude each other"
            ]
        );
    }

    #[test]
    fn what_is_of_the_wrong_type_stays_and_reports_are_short() {
        for given in [json!(1), json!([]), json!({"tracing": 3, "image": [], "statusPort": "x", "interceptionMode": 9})]
        {
            assert_eq!(canonical("v1alpha1.ProxyConfig", given.clone()).json, given);
        }
        let many: Map<String, Json> =
            (0..1000).map(|index| (format!("{index}{}", "x".repeat(1000)), json!(1))).collect();
        let unknown = canonical("v1alpha1.ProxyConfig", many.into()).unknown;
        assert!(unknown.len() == REPORTED && unknown.iter().all(|error| error.field.len() <= QUOTED));
    }
}
