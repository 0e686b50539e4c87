//! What each rule of the injector says, for people.

use serde::Serialize;
use serde_json::Value;
use sidecar_contract::{annotation, label};

use crate::config::Config;
use crate::decide::{Answer, Rule, Ruling};
use crate::workload::metadata_map;

/// A rule, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleVerdict {
    /// The rule, a stable name.
    pub rule: &'static str,
    /// `inject`, `skip`, `passes` (it leaves it to those after it), `overruled`, `not_asked`, or `unknown`.
    pub verdict: &'static str,
    /// Whether it settles the decision of the injector.
    pub settles: bool,
    /// Why, a sentence.
    pub text: String,
}

/// Where the configuration is not known, neither is what it says.
pub(super) fn verdicts(rulings: &[Ruling], pod: &Value, namespace: &str, config: Option<&Config>) -> Vec<RuleVerdict> {
    let verdict = |ruling: &Ruling| {
        let (verdict, settles, text) = match &ruling.answer {
            Answer::Settles(_) | Answer::Overruled(_) | Answer::Passes
                if config.is_none() && is_configured(ruling.rule) =>
            {
                ("unknown", false, "the configuration is not known".to_owned())
            }
            Answer::Settles(reason) => (if reason.injects() { "inject" } else { "skip" }, true, reason.to_string()),
            Answer::Overruled(reason) => ("overruled", false, format!("{reason}, which the policy overrules")),
            Answer::NotAsked => ("not_asked", false, "it is settled already".to_owned()),
            Answer::Passes => ("passes", false, passes(ruling, pod, namespace, config)),
        };
        RuleVerdict { rule: ruling.rule.code(), verdict, settles, text }
    };
    rulings.iter().map(verdict).collect()
}

fn is_configured(rule: Rule) -> bool {
    matches!(rule, Rule::NeverInjectSelector | Rule::AlwaysInjectSelector | Rule::Policy)
}

fn passes(ruling: &Ruling, pod: &Value, namespace: &str, config: Option<&Config>) -> String {
    if let Some(warning) = &ruling.warning {
        return warning.to_string();
    }
    let has = |map: &str, name: &str| metadata_map(pod, map).contains_key(name);
    let selectors = |count: usize| match count {
        0 => "none is configured".to_owned(),
        count => format!("none of the {count} configured matches the pod's labels"),
    };
    match ruling.rule {
        Rule::HostNetwork => "the pod has a network of its own".to_owned(),
        Rule::SystemNamespace if namespace.is_empty() => "the namespace is not known".to_owned(),
        Rule::SystemNamespace => format!("the namespace {namespace} is not one of the system's"),
        Rule::Label if has("labels", label::INJECT) => format!("the label {} is empty", label::INJECT),
        Rule::Label => format!("the pod has no label {}", label::INJECT),
        Rule::Annotation if has("labels", label::INJECT) => "the label of the same name wins".to_owned(),
        Rule::Annotation if has("annotations", annotation::INJECT) => {
            format!("the annotation {} is empty", annotation::INJECT)
        }
        Rule::Annotation => format!("the pod has no annotation {}", annotation::INJECT),
        Rule::NeverInjectSelector => selectors(config.map_or(0, |config| config.never_inject_selector.len())),
        Rule::AlwaysInjectSelector => selectors(config.map_or(0, |config| config.always_inject_selector.len())),
        Rule::Policy => "it says nothing".to_owned(),
    }
}
