//! What can be told without rendering anything: names that lead nowhere, and settings without an effect.

use std::collections::{BTreeMap, BTreeSet};

use similar::TextDiff;

use super::{Lint, Severity};
use crate::config::read::KEYS;
use crate::config::{Config, DEFAULT_TEMPLATE, NOT_FOR_PODS};
use crate::loading::samples::can_be_chosen;
use crate::selector::{LabelSelector, Operator};

impl Lint<'_> {
    pub(super) fn checks(&mut self, config: &Config) {
        self.keys();
        self.policy(config);
        self.default_templates(config);
        self.aliases(config);
        self.unused_templates(config);
        self.selectors(config);
    }

    fn keys(&mut self) {
        let Some(outline) = &self.config else { return };
        let keys: Vec<String> = outline.keys().map(|(key, _)| key.to_owned()).collect();
        // A bare template has others.
        if !keys.iter().any(|key| KEYS.contains(&key.as_str())) {
            return;
        }
        for key in keys {
            let message = match key.as_str() {
                "template" => "`template` is not read; put the text under `templates`, as `sidecar`".to_owned(),
                known if KEYS.contains(&known) => continue,
                other => format!("there is no setting `{other}`, and it has no effect{}", similar(other)),
            };
            self.at(Severity::Warning, &key, &message);
        }
    }

    fn policy(&mut self, config: &Config) {
        match config.policy.as_str() {
            "enabled" | "disabled" => {}
            "" => {
                let message = "there is no `policy`, so nothing would be injected; use enabled or disabled";
                self.at(Severity::Error, "policy", message);
            }
            other => {
                let other = other.escape_default();
                let message = format!("the policy '{other}' injects nothing; use enabled or disabled");
                self.at(Severity::Error, "policy", &message);
            }
        }
    }

    fn default_templates(&mut self, config: &Config) {
        let known = known(config);
        if config.default_templates.is_empty() && !config.templates.contains_key(DEFAULT_TEMPLATE) {
            let message = format!(
                "there is no template '{DEFAULT_TEMPLATE}', which is the default without `defaultTemplates`; {known}"
            );
            self.at(Severity::Error, "templates", &message);
        }
        for (index, name) in config.default_templates.iter().enumerate() {
            if !config.templates.contains_key(name) && !config.aliases.contains_key(name) {
                let message = format!("there is no template '{}'; {known}", name.escape_default());
                self.at(Severity::Error, &format!("defaultTemplates[{index}]"), &message);
            }
        }
    }

    fn aliases(&mut self, config: &Config) {
        for (alias, names) in &config.aliases {
            for (index, name) in names.iter().enumerate().filter(|(_, name)| !config.templates.contains_key(*name)) {
                let reason = match config.aliases.contains_key(name) {
                    true => "it is an alias itself, and those are not followed further".to_owned(),
                    false => known(config),
                };
                let message = format!("there is no template '{}'; {reason}", name.escape_default());
                self.at(Severity::Warning, &format!("aliases[{alias}][{index}]"), &message);
            }
        }
    }

    /// Templates that no pod can come to. What is for pods that ask for it by name is used by those.
    fn unused_templates(&mut self, config: &Config) {
        let leads_to = |name: &String| match config.aliases.get(name) {
            Some(targets) => targets.clone(),
            None => vec![name.clone()],
        };
        let by_default: BTreeSet<String> = config.default_templates.iter().flat_map(leads_to).collect();
        for name in config.templates.keys() {
            let by_alias = config.aliases.values().flatten().any(|target| target == name);
            let by_name = can_be_chosen(name) && !config.aliases.contains_key(name);
            if by_alias || by_name || by_default.contains(name) || NOT_FOR_PODS.contains(&name.as_str()) {
                continue;
            }
            let reason = match config.aliases.contains_key(name) {
                true => "the alias of that name wins",
                false => "no annotation can name it, for commas and spaces end a name",
            };
            let message = format!("the template '{}' is never used: {reason}", name.escape_default());
            self.at(Severity::Warning, &format!("templates[{name}]"), &message);
        }
    }

    fn selectors(&mut self, config: &Config) {
        for (selector, problem) in config.idle_selectors() {
            self.at(Severity::Warning, &selector, &format!("{selector} {problem}"));
        }
        let lists = [
            ("neverInjectSelector", &config.never_inject_selector),
            ("alwaysInjectSelector", &config.always_inject_selector),
        ];
        for (name, selectors) in lists {
            for (index, selector) in selectors.iter().enumerate() {
                let path = format!("{name}[{index}]");
                let reason = if selector.is_empty() {
                    Some("it is empty".to_owned())
                } else if name == "alwaysInjectSelector" && config.never_inject_selector.contains(selector) {
                    Some("neverInjectSelector has the same, and wins".to_owned())
                } else {
                    contradiction(selector)
                };
                if let Some(reason) = reason {
                    self.at(Severity::Warning, &path, &format!("{path} never matches: {reason}"));
                }
            }
        }
    }
}

fn known(config: &Config) -> String {
    let names: Vec<&str> = config.templates.keys().map(String::as_str).collect();
    if names.is_empty() { "there are none".to_owned() } else { format!("there are {}", names.join(", ")) }
}

/// A setting that is written almost so.
fn similar(key: &str) -> String {
    let likeness =
        |known: &str| TextDiff::from_chars(key.to_lowercase().as_str(), known.to_lowercase().as_str()).ratio();
    let settings = KEYS.iter().filter(|known| **known != "template");
    let nearest = settings.max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    nearest.filter(|known| likeness(known) > 0.8).map(|known| format!("; is it `{known}`?")).unwrap_or_default()
}

/// What no labels can meet at once.
fn contradiction(selector: &LabelSelector) -> Option<String> {
    let mut allowed: BTreeMap<&str, BTreeSet<&str>> =
        selector.match_labels.iter().map(|(key, value)| (key.as_str(), BTreeSet::from([value.as_str()]))).collect();
    for requirement in selector.match_expressions.iter().filter(|requirement| requirement.operator == Operator::In) {
        let values: BTreeSet<&str> = requirement.values.iter().map(String::as_str).collect();
        let known = allowed.entry(&requirement.key).or_insert_with(|| values.clone());
        known.retain(|value| values.contains(value));
    }
    let mut present: BTreeSet<&str> = allowed.keys().copied().collect();
    for requirement in &selector.match_expressions {
        match requirement.operator {
            Operator::NotIn => {
                if let Some(known) = allowed.get_mut(requirement.key.as_str()) {
                    known.retain(|value| !requirement.values.iter().any(|refused| refused == value));
                }
            }
            Operator::Exists => drop(present.insert(&requirement.key)),
            _ => {}
        }
    }
    let is_absent = |key: &&str| {
        selector
            .match_expressions
            .iter()
            .any(|requirement| requirement.operator == Operator::DoesNotExist && requirement.key == **key)
    };
    let impossible = allowed.iter().find(|(_, values)| values.is_empty()).map(|(key, _)| *key);
    let key = impossible.or_else(|| present.iter().copied().find(|key| is_absent(key)))?;
    Some(format!("what it demands of the label {key} contradicts itself"))
}
