//! The rules of the injector, in the order in which they are asked. [`decided`] makes the decision of their answers, so
//! that what is explained is what is done.

use serde_json::Value;
use sidecar_contract::{annotation, label, namespace};

use super::{Decision, Reason};
use crate::config::Config;
use crate::selector::LabelSelector;
use crate::warnings::{INJECT_VALUE_WITHOUT_SENSE, Warning};
use crate::workload::metadata_map;

/// A rule of the injector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Pods in the host's network get none.
    HostNetwork,
    /// Nor do those of the system's namespaces.
    SystemNamespace,
    /// The label [`label::INJECT`] of the pod.
    Label,
    /// The annotation [`annotation::INJECT`] of the pod, where it has no such label.
    Annotation,
    /// `neverInjectSelector` of the configuration.
    NeverInjectSelector,
    /// `alwaysInjectSelector` of the configuration.
    AlwaysInjectSelector,
    /// `policy` of the configuration. One that makes no sense overrules those that would inject.
    Policy,
}

/// What a rule says of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It settles the decision.
    Settles(Reason),
    /// It would inject, and the policy does not let it.
    Overruled(Reason),
    /// It leaves it to those after it.
    Passes,
    /// It was not asked: another had settled it.
    NotAsked,
}

/// A rule, and what it says of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// The rule.
    pub rule: Rule,
    /// What it says.
    pub answer: Answer,
    /// What is wrong with what it was asked about.
    pub warning: Option<Warning>,
}

impl Rule {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::HostNetwork,
        Self::SystemNamespace,
        Self::Label,
        Self::Annotation,
        Self::NeverInjectSelector,
        Self::AlwaysInjectSelector,
        Self::Policy,
    ];

    /// A stable name for scripts.
    pub fn code(self) -> &'static str {
        match self {
            Self::HostNetwork => "host_network",
            Self::SystemNamespace => "system_namespace",
            Self::Label => "label",
            Self::Annotation => "annotation",
            Self::NeverInjectSelector => "never_inject_selector",
            Self::AlwaysInjectSelector => "always_inject_selector",
            Self::Policy => "policy",
        }
    }

    fn ask(self, pod: &Value, namespace: &str, config: &Config) -> (Option<Reason>, Option<Warning>) {
        let reason = match self {
            Self::HostNetwork => {
                let is_on_host = pod.pointer("/spec/hostNetwork").and_then(Value::as_bool) == Some(true);
                is_on_host.then_some(Reason::HostNetwork)
            }
            Self::SystemNamespace => {
                let is_never = namespace::NEVER_INJECTED.contains(&namespace);
                is_never.then(|| Reason::SystemNamespace(namespace.to_owned()))
            }
            Self::Label => return asked(given_by_label(pod), "label", label::INJECT, Reason::Label),
            // The label wins even when it is empty or senseless: it is what the webhook's selectors see.
            Self::Annotation if given_by_label(pod).is_some() => None,
            Self::Annotation => {
                let given = metadata_map(pod, "annotations").get(annotation::INJECT).and_then(Value::as_str);
                return asked(given, "annotation", annotation::INJECT, Reason::Annotation);
            }
            Self::NeverInjectSelector => selected(pod, &config.never_inject_selector).map(Reason::NeverInjectSelector),
            Self::AlwaysInjectSelector => {
                selected(pod, &config.always_inject_selector).map(Reason::AlwaysInjectSelector)
            }
            Self::Policy => Some(by_policy(config)),
        };
        (reason, None)
    }
}

/// What the rules say of `pod` in `namespace`: exactly one of them settles it.
pub fn rulings(pod: &Value, namespace: &str, config: &Config) -> [Ruling; Rule::ALL.len()] {
    let policy = by_policy(config);
    let (mut is_settled, mut is_overruled) = (false, false);
    Rule::ALL.map(|rule| {
        if is_settled {
            return Ruling { rule, answer: Answer::NotAsked, warning: None };
        }
        if is_overruled && rule != Rule::Policy {
            return Ruling { rule, answer: Answer::NotAsked, warning: None };
        }
        let (reason, warning) = rule.ask(pod, namespace, config);
        let answer = match reason {
            // A typing mistake in the policy must not inject half a cluster: not even a pod that asks for it.
            Some(reason) if reason.injects() && matches!(policy, Reason::PolicyInvalid(_)) => {
                is_overruled = true;
                Answer::Overruled(reason)
            }
            Some(reason) => {
                is_settled = true;
                Answer::Settles(reason)
            }
            None => Answer::Passes,
        };
        Ruling { rule, answer, warning }
    })
}

/// The decision that the rulings come to.
pub fn decided(rulings: impl IntoIterator<Item = Ruling>) -> Decision {
    // The policy always settles what nothing else has settled.
    let mut decision = Decision { reason: Reason::PolicyDisabled, warnings: Vec::new() };
    for Ruling { answer, warning, .. } in rulings {
        if let Answer::Settles(reason) = answer {
            decision.reason = reason;
        }
        decision.warnings.extend(warning);
    }
    decision
}

fn given_by_label(pod: &Value) -> Option<&str> {
    metadata_map(pod, "labels").get(label::INJECT).and_then(Value::as_str)
}

fn asked(given: Option<&str>, what: &str, name: &str, reason: fn(bool) -> Reason) -> (Option<Reason>, Option<Warning>) {
    match given {
        Some("true") => (Some(reason(true)), None),
        Some("false") => (Some(reason(false)), None),
        Some("") | None => (None, None),
        Some(other) => {
            let other = other.escape_default();
            let text = format!("the {what} {name} is '{other}', which is neither true nor false, and has no effect");
            (None, Some(Warning::new(INJECT_VALUE_WITHOUT_SENSE, text)))
        }
    }
}

fn selected(pod: &Value, selectors: &[LabelSelector]) -> Option<String> {
    let labels = metadata_map(pod, "labels");
    selectors.iter().find(|selector| !selector.is_empty() && selector.matches(labels)).map(ToString::to_string)
}

fn by_policy(config: &Config) -> Reason {
    match config.policy.as_str() {
        "enabled" => Reason::PolicyEnabled,
        "disabled" => Reason::PolicyDisabled,
        other => Reason::PolicyInvalid(other.to_owned()),
    }
}
