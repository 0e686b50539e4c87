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
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is missing, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether nothing is required. Istio ignores such a selector instead of letting it match everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether `labels` meet every requirement.
    pub fn matches(&self, labels: &Map<String, Value>) -> bool {
        self.match_labels.iter().all(|(key, wanted)| value(labels, key) == Some(wanted))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &Map<String, Value>) -> bool {
        let is_one_of = |given: &str| self.values.iter().any(|value| value == given);
        match self.operator {
            Operator::In => value(labels, &self.key).is_some_and(is_one_of),
            Operator::NotIn => !value(labels, &self.key).is_some_and(is_one_of),
            Operator::Exists => labels.contains_key(&self.key),
            Operator::DoesNotExist => !labels.contains_key(&self.key),
        }
    }
}

impl fmt::Display for LabelSelector {
    /// As `kubectl get --selector` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        let expressions = self.match_expressions.iter().map(|Requirement { key, operator, values }| match operator {
            Operator::In => format!("{key} in ({})", values.join(",")),
            Operator::NotIn => format!("{key} notin ({})", values.join(",")),
            Operator::Exists => key.clone(),
            Operator::DoesNotExist => format!("!{key}"),
        });
        f.write_str(&labels.chain(expressions).collect::<Vec<_>>().join(","))
    }
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
}
