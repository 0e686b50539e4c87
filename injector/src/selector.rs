//! Kubernetes label selectors, as `neverInjectSelector` and `alwaysInjectSelector` use them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A LabelSelector (Kubernetes API `meta/v1`): all requirements of both kinds have to hold.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LabelSelector {
    /// Labels that must be there with exactly these values.
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements on labels.
    pub match_expressions: Vec<Requirement>,
}

/// One requirement on one label.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The label's name.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// What it is compared with; empty for [`Operator::Exists`] and [`Operator::DoesNotExist`].
    #[serde(default)]
    pub values: Vec<String>,
}

/// How a [`Requirement`] compares.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(from = "String")]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is missing, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
    /// Something that Kubernetes does not know; a selector with it is invalid.
    Unknown(String),
}

impl From<String> for Operator {
    fn from(operator: String) -> Self {
        match operator.as_str() {
            "In" => Self::In,
            "NotIn" => Self::NotIn,
            "Exists" => Self::Exists,
            "DoesNotExist" => Self::DoesNotExist,
            _ => Self::Unknown(operator),
        }
    }
}

impl LabelSelector {
    /// Whether nothing is required. Istio ignores such a selector instead of letting it match everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether `labels` meet every requirement. An invalid selector (see [`LabelSelector::problems`]) matches nothing:
    /// Istio logs it and goes on without it.
    pub fn matches(&self, labels: &Map<String, Value>) -> bool {
        self.match_labels.iter().all(|(key, wanted)| value(labels, key) == Some(wanted))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
            && self.problems().is_empty()
    }

    /// What Kubernetes would refuse in it: operators it does not know, values where none belong or none where some do,
    /// and what cannot be a label.
    pub fn problems(&self) -> Vec<String> {
        let pairs = self.match_labels.iter().flat_map(|(key, value)| [bad_key(key), bad_value(value)]);
        let expressions = self.match_expressions.iter().flat_map(Requirement::problems);
        pairs.flatten().chain(expressions).collect()
    }

    /// The first requirement that `labels` do not meet, as `kubectl get --selector` takes it.
    pub fn first_unmet(&self, labels: &Map<String, Value>) -> Option<String> {
        let pairs = self.match_labels.iter().filter(|(key, wanted)| value(labels, key) != Some(wanted.as_str()));
        let pairs = pairs.map(|(key, wanted)| format!("{key}={wanted}"));
        let expressions = self.match_expressions.iter().filter(|requirement| !requirement.matches(labels));
        pairs.chain(expressions.map(ToString::to_string)).next()
    }

    /// Whether it demands that the label `key` has a value, and `value` will do.
    pub fn asks_for(&self, key: &str, value: &str) -> bool {
        let in_expression = |requirement: &Requirement| {
            requirement.key == key
                && requirement.operator == Operator::In
                && requirement.values.iter().any(|known| known == value)
        };
        self.match_labels.get(key).is_some_and(|known| known == value)
            || self.match_expressions.iter().any(in_expression)
    }
}

impl Requirement {
    fn problems(&self) -> Vec<String> {
        let Self { key, operator, values } = self;
        let of_operator = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => Some(format!("{operator:?} on {key} has no values")),
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                Some(format!("{operator:?} on {key} takes no values"))
            }
            Operator::Unknown(operator) => {
                let operator = operator.escape_default();
                Some(format!("there is no operator '{operator}'; use In, NotIn, Exists or DoesNotExist"))
            }
            _ => None,
        };
        values.iter().map(|value| bad_value(value)).chain([bad_key(key), of_operator]).flatten().collect()
    }

    fn matches(&self, labels: &Map<String, Value>) -> bool {
        let is_one_of = |given: &str| self.values.iter().any(|value| value == given);
        match &self.operator {
            Operator::In => value(labels, &self.key).is_some_and(is_one_of),
            Operator::NotIn => !value(labels, &self.key).is_some_and(is_one_of),
            Operator::Exists => labels.contains_key(&self.key),
            Operator::DoesNotExist => !labels.contains_key(&self.key),
            Operator::Unknown(_) => false,
        }
    }
}

impl fmt::Display for LabelSelector {
    /// As `kubectl get --selector` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let expressions = self.match_expressions.iter().map(ToString::to_string);
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Requirement {
    /// As `kubectl get --selector` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, operator, values } = self;
        match operator {
            Operator::In => write!(f, "{key} in ({})", values.join(",")),
            Operator::NotIn => write!(f, "{key} notin ({})", values.join(",")),
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Unknown(operator) => write!(f, "{key} {operator} ({})", values.join(",")),
        }
    }
}

fn bad_key(key: &str) -> Option<String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_valid = is_label_part(name) && prefix.is_none_or(is_domain);
    (!is_valid).then(|| format!("'{}' cannot be the name of a label", key.escape_default()))
}

fn bad_value(value: &str) -> Option<String> {
    let is_valid = value.is_empty() || is_label_part(value);
    (!is_valid).then(|| format!("'{}' cannot be the value of a label", value.escape_default()))
}

fn is_label_part(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= 63 && is_end(bytes.first()) && is_end(bytes.last()) && bytes.iter().copied().all(is_inside)
}

fn is_domain(text: &str) -> bool {
    let is_part = |part: &str| {
        let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && !part.starts_with('-') && !part.ends_with('-') && part.bytes().all(is_inside)
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

fn value<'a>(labels: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    labels.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(selector: Value, labels: Value, expected: bool) {
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        assert_eq!(selector.matches(labels.as_object().unwrap()), expected, "`{selector}` on {labels}");
    }

    #[test]
    fn requirements_compare_as_kubernetes_does() {
        let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        for (selector, with_x, with_y, without) in [
            (json!({"matchLabels": {"a": "x"}}), true, false, false),
            (expression("In", json!(["x", "z"])), true, false, false),
            (expression("NotIn", json!(["x"])), false, true, true),
            (expression("Exists", json!([])), true, true, false),
            (expression("DoesNotExist", json!([])), false, false, true),
        ] {
            check(selector.clone(), json!({"a": "x"}), with_x);
            check(selector.clone(), json!({"a": "y"}), with_y);
            check(selector, json!({"b": "x"}), without);
        }
    }

    #[test]
    fn all_requirements_have_to_hold() {
        let both = json!({"matchLabels": {"a": "x"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]});
        check(both.clone(), json!({"a": "x"}), false);
        check(both, json!({"a": "x", "b": ""}), true);
    }

    #[test]
    fn an_invalid_selector_matches_nothing_and_says_why() {
        let expression = |key: &str, operator: &str, values: Value| json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
        for (selector, problem) in [
            (expression("a", "in", json!(["x"])), "no operator 'in'"),
            (expression("a", "NotIn", json!([])), "has no values"),
            (expression("a", "DoesNotExist", json!(["x"])), "takes no values"),
            (expression("a b", "DoesNotExist", json!([])), "'a b' cannot be the name"),
            (expression("a", "NotIn", json!(["-"])), "'-' cannot be the value"),
            (json!({"matchLabels": {"/a": ""}}), "'/a' cannot be the name"),
        ] {
            check(selector.clone(), json!({}), false);
            let selector: LabelSelector = serde_json::from_value(selector).unwrap();
            assert!(selector.problems()[0].contains(problem), "{:?}", selector.problems());
        }
    }
}
