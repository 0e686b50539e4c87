//! JSON as values of Go's types: what Kubernetes' decoder makes of a pod, and protobuf's of mesh config.
//!
//! Fields that a type does not have are left out. A field of the wrong type is an error, as it is in Go.

use std::fmt;

use gotemplate::{IntKind, Kind, List, Map, NamedType, Pointer, Struct, Type, UintKind, Value};
use jiff::{SignedDuration, civil};
use serde_json::Value as Json;

use super::proto;
use super::schema::{self, Form};
use crate::quantity::Quantity;
use crate::workload::FieldError;

/// Mistakes that are reported of one pod; nobody reads more of them.
pub(super) const REPORTED: usize = 50;
/// Characters of a mistyped text that its error repeats.
const QUOTED: usize = 100;

/// Reads `json` as a value of the type of that name in the schema, such as `v1.PodSpec`. Null and absent fields are the
/// zero values of their types.
///
/// # Errors
/// Every field that is of another type, up to 50 of them; their paths begin with `path`.
pub(crate) fn read(type_name: &str, json: &Json, path: &str) -> Result<Value, Vec<FieldError>> {
    let mut reader = Reader { errors: Vec::new() };
    let value = reader.value(&schema::named_type(type_name), json, &Path::Start(path));
    if reader.errors.is_empty() { Ok(value) } else { Err(reader.errors) }
}

/// A struct of the schema with these fields; the others are zero.
pub(crate) fn structure<'a>(type_name: &str, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    match schema::named_type(type_name) {
        Type::Named(named) => Struct::new(named, fields).into(),
        _ => Value::Nil,
    }
}

/// Reads one value, and keeps what was wrong.
pub(super) struct Reader {
    pub(super) errors: Vec<FieldError>,
}

/// Where a value is.
pub(super) enum Path<'a> {
    Start(&'a str),
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
    Entry(&'a Path<'a>, &'a str),
}

impl Reader {
    pub(super) fn value(&mut self, wanted: &Type, json: &Json, path: &Path<'_>) -> Value {
        match (wanted, json) {
            (_, Json::Null) => wanted.zero(),
            (Type::Any, json) => Value::from(json.clone()),
            (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
            (Type::String, Json::String(text)) => Value::string(text.as_str()),
            (Type::Int(kind), Json::Number(number)) => {
                match integer(number).filter(|value| kind.wrap(*value) == *value) {
                    Some(value) => Value::Int(value, *kind),
                    None => self.mistyped(wanted, json, path),
                }
            }
            (Type::Uint(kind), Json::Number(number)) => {
                let value = integer(number).and_then(|value| u64::try_from(value).ok());
                match value.filter(|value| kind.wrap(*value) == *value) {
                    Some(value) => Value::Uint(value, *kind),
                    None => self.mistyped(wanted, json, path),
                }
            }
            (Type::Float(kind), Json::Number(number)) => Value::Float(number.as_f64().unwrap_or_default(), *kind),
            (Type::List(element), Json::Array(items)) => {
                let items =
                    items.iter().enumerate().map(|(index, item)| self.value(element, item, &Path::Item(path, index)));
                List::new((**element).clone(), items.collect()).into()
            }
            (Type::Map(_, element), Json::Object(entries)) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.as_str(), self.value(element, value, &Path::Entry(path, key))));
                Map::of((**element).clone(), entries).into()
            }
            (Type::Pointer(target), json) => Pointer::new(self.value(target, json, path)).into(),
            (Type::Named(named), json) => self.named(named, json, path),
            _ => self.mistyped(wanted, json, path),
        }
    }

    fn named(&mut self, named: &NamedType, json: &Json, path: &Path<'_>) -> Value {
        let Some(declared) = schema::declared(named) else { return Type::Named(named.clone()).zero() };
        let wanted = || Type::Named(named.clone());
        match (&declared.form, json) {
            (Form::Struct, Json::Object(entries)) => self.structure(named, entries, path),
            (Form::Message(fields), json) => proto::message(self, named, fields, json, path),
            (Form::Enum(values), json) => proto::enumeration(self, named, values, json, path),
            (Form::Underlying, json) => {
                let underlying = named.underlying().unwrap_or(&Type::Any);
                Value::named(named.clone(), self.value(underlying, json, path))
            }
            (Form::Quantity, Json::String(_) | Json::Number(_)) => {
                let text = json.as_str().map_or_else(|| json.to_string(), |text| text.trim().to_owned());
                match Quantity::parse(&text) {
                    Some(quantity) => Value::named(named.clone(), Value::string(quantity.to_string())),
                    None => self.mistyped(&wanted(), json, path),
                }
            }
            (Form::Time, Json::String(text)) => match time(text) {
                Some(text) => Value::named(named.clone(), Value::string(text)),
                None => self.mistyped(&wanted(), json, path),
            },
            (Form::IntOrString, Json::String(text)) => int_or_string(named, 1, "StrVal", Value::string(text.as_str())),
            (Form::IntOrString, Json::Number(_)) => {
                let number = self.value(&Type::Int(IntKind::Int32), json, path);
                int_or_string(named, 0, "IntVal", number)
            }
            (Form::Fields, json) => Struct::hiding(named.clone(), json.clone()).into(),
            _ => self.mistyped(&wanted(), json, path),
        }
    }

    fn structure(&mut self, named: &NamedType, entries: &serde_json::Map<String, Json>, path: &Path<'_>) -> Value {
        let mut fields = Vec::new();
        for field in named.fields() {
            let value = match &field.json {
                _ if field.inline => match &field.field_type {
                    Type::Named(embedded) => self.structure(embedded, entries, path),
                    other => other.zero(),
                },
                Some(name) => {
                    let name = name.to_text();
                    match entries.get(name.as_ref()) {
                        Some(json) => self.value(&field.field_type, json, &Path::Field(path, &name)),
                        None => continue,
                    }
                }
                None => continue,
            };
            fields.push((&field.name, value));
        }
        Struct::new(named.clone(), fields).into()
    }

    /// Keeps the mistake, and goes on with a zero value.
    pub(super) fn mistyped(&mut self, wanted: &Type, json: &Json, path: &Path<'_>) -> Value {
        if self.errors.len() < REPORTED {
            self.errors
                .push(FieldError::new(path.to_string(), format!("is {}, not {}", given(json), described(wanted))));
        }
        wanted.zero()
    }
}

/// The number, if it is whole.
pub(super) fn integer(number: &serde_json::Number) -> Option<i64> {
    const EXACT: f64 = (1_u64 << 53) as f64;
    let whole = |value: &f64| value.fract() == 0.0 && value.abs() <= EXACT;
    number.as_i64().or_else(|| number.as_f64().filter(whole).map(|value| value as i64))
}

fn int_or_string(named: &NamedType, kind: i64, field: &str, value: Value) -> Value {
    let type_of_kind = named.fields().iter().find(|field| field.name == "Type").map(|field| field.field_type.clone());
    let kind = match type_of_kind {
        Some(Type::Named(named)) => Value::named(named, Value::Int(kind, IntKind::Int64)),
        _ => Value::Int(kind, IntKind::Int64),
    };
    Struct::new(named.clone(), [("Type", kind), (field, value)]).into()
}

/// A time in RFC 3339 as the same in UTC; empty for Go's zero time. None outside the years 0 to 9999.
fn time(text: &str) -> Option<String> {
    const ZERO: civil::DateTime = civil::datetime(1, 1, 1, 0, 0, 0, 0);
    let (local, offset) = match text.strip_suffix('Z') {
        Some(local) => (local, SignedDuration::ZERO),
        None => {
            let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
            (local, time_offset(offset)?)
        }
    };
    // The parser takes other forms too.
    let separators = [4, 7, 10, 13, 16].map(|position| local.as_bytes().get(position).copied());
    if separators != [b'-', b'-', b'T', b':', b':'].map(Some) {
        return None;
    }
    let utc = local.parse::<civil::DateTime>().ok()?.checked_sub(offset).ok()?;
    if utc == ZERO {
        return Some(String::new());
    }
    (utc.year() >= 0).then(|| utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// An offset from UTC, as `+05:30`.
fn time_offset(text: &str) -> Option<SignedDuration> {
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let offset = SignedDuration::from_mins(i64::from(hours) * 60 + i64::from(minutes));
    (hours <= 24 && minutes < 60).then_some(if text.starts_with('-') { -offset } else { offset })
}

/// What is there instead, in few words: a pod may be megabytes of mistakes.
fn given(json: &Json) -> String {
    match json {
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a mapping".to_owned(),
        Json::String(text) => match text.char_indices().nth(QUOTED) {
            Some((end, _)) => format!("{}…", Json::from(&text[..end])),
            None => json.to_string(),
        },
        scalar => scalar.to_string(),
    }
}

fn described(wanted: &Type) -> String {
    if let Type::Named(named) = wanted
        && let Some(declared) = schema::declared(named)
    {
        match &declared.form {
            Form::Quantity => return "a quantity, as 100m or 128Mi".to_owned(),
            Form::Time => return "a time, as 2006-01-02T15:04:05Z".to_owned(),
            Form::Message(_) if *named.name() == proto::DURATION => return "a duration, as 45s".to_owned(),
            Form::IntOrString => return "an integer or a string".to_owned(),
            Form::Enum(values) => {
                let names: Vec<&str> = values.iter().map(|(_, name)| *name).collect();
                return format!("one of {}", names.join(", "));
            }
            _ => {}
        }
    }
    match wanted.kind() {
        Kind::Bool => "true or false".to_owned(),
        Kind::String => "a string; quote it".to_owned(),
        Kind::Int(IntKind::Int32) => "an integer of 32 bits".to_owned(),
        Kind::Uint(UintKind::Uint32) => "an integer of 32 bits without a sign".to_owned(),
        Kind::Int(_) | Kind::Uint(_) => "an integer".to_owned(),
        Kind::Float(_) => "a number".to_owned(),
        Kind::List => "a list".to_owned(),
        _ => "a mapping".to_owned(),
    }
}

/// As `spec.containers[0].ports`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(start) => f.write_str(start),
            Self::Field(Path::Start(""), name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Entry(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(spec: &Json) -> Vec<String> {
        read("v1.PodSpec", spec, "spec").unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_field_of_the_wrong_type_is_reported_with_its_path() {
        let spec = json!({"hostNetwork": "yes", "containers": [
            {"name": "a", "ports": [{"containerPort": "http"}], "env": [{"name": "A", "value": 1}]},
            {"name": "b", "args": "x", "resources": {"limits": {"cpu": "much"}}}]});
        assert_eq!(
            errors(&spec),
            [
                "spec.containers[0].ports[0].containerPort: is \"http\", not an integer of 32 bits",
                "spec.containers[0].env[0].value: is 1, not a string; quote it",
                "spec.containers[1].args: is \"x\", not a list",
                "spec.containers[1].resources.limits[cpu]: is \"much\", not a quantity, as 100m or 128Mi",
                "spec.hostNetwork: is \"yes\", not true or false",
            ]
        );
    }

    #[test]
    fn a_pod_of_nothing_but_mistakes_has_a_short_report() {
        let spec = json!({"hostNetwork": "é".repeat(1 << 20), "tolerations": vec![1; 1000]});
        let errors = errors(&spec);
        assert_eq!(errors.len(), REPORTED);
        assert!(errors.iter().all(|error| error.len() < 500), "{}", errors[0].len());
    }

    #[test]
    fn unknown_fields_and_nulls_are_left_out() {
        let spec = json!({"x-unknown": 1, "containers": null, "nodeSelector": null, "securityContext": null});
        let Value::Struct(spec) = read("v1.PodSpec", &spec, "spec").unwrap() else { panic!("not a struct") };
        assert!(spec.field("Containers").unwrap().is_nil() && spec.field("SecurityContext").unwrap().is_nil());
        assert!(spec.field("X-unknown").is_none());
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(time("2024-02-29T23:30:00-01:00").as_deref(), Some("2024-03-01T00:30:00Z"));
        assert_eq!(time("2024-02-29T23:30:00Z").as_deref(), Some("2024-02-29T23:30:00Z"));
        assert_eq!(time("0001-01-01T00:00:00Z").as_deref(), Some(""));
        // Before 1970 and at both ends of what Go writes.
        assert_eq!(time("1970-01-01T00:00:00+01:00").as_deref(), Some("1969-12-31T23:00:00Z"));
        assert_eq!(time("0000-01-01T00:00:00.5Z").as_deref(), Some("0000-01-01T00:00:00Z"));
        assert_eq!(time("9999-12-31T23:59:59Z").as_deref(), Some("9999-12-31T23:59:59Z"));
        for bad in [
            "",
            "now",
            "2024-02-29",
            "2024-02-29T23:30:00",
            "2024-02-29 23:30:00Z",
            "2024-02-30T23:30:00Z",
            "2024-02-29T23:30:00x05:00",
            "2024-02-29T23:30:00+25:00",
            "2024-02-29T23:30:00+é0:00",
            "2024-02-29T23:30:00+99:99999999999999999",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
