//! The injector's configuration: what the ConfigMap `istio-sidecar-injector` holds, in Istio's format.

pub(crate) mod read;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::mesh::MeshConfig;
use crate::selector::LabelSelector;
use crate::template::{Settings, Template};

/// Name of the template that is used where nothing else is asked for.
pub const DEFAULT_TEMPLATE: &str = "sidecar";

/// Templates in Istio's ConfigMap that are not for pods: its gateway controller renders them, with other data.
pub const NOT_FOR_PODS: [&str; 4] = ["waypoint", "kube-gateway", "agentgateway", "agentgateway-waypoint"];

/// The key `config`. Unknown keys are ignored, as Istio does, so that newer ConfigMaps still load.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Config {
    /// `enabled` or `disabled`: what happens to a pod that does not say; anything else injects nothing.
    pub policy: String,
    /// Templates for a pod that does not choose; `sidecar` when empty.
    #[serde(deserialize_with = "null_is_default")]
    pub default_templates: Vec<String>,
    /// Template texts by name.
    #[serde(deserialize_with = "null_is_default")]
    pub templates: BTreeMap<String, String>,
    /// Names that stand for several templates; not followed further.
    #[serde(deserialize_with = "null_is_default")]
    pub aliases: BTreeMap<String, Vec<String>>,
    /// Pods that are not injected unless they ask themselves.
    #[serde(deserialize_with = "null_is_default")]
    pub never_inject_selector: Vec<LabelSelector>,
    /// Pods that are injected although the policy is `disabled`.
    #[serde(deserialize_with = "null_is_default")]
    pub always_inject_selector: Vec<LabelSelector>,
    /// Annotations that every injected pod gets, over its own.
    #[serde(deserialize_with = "null_is_default")]
    pub injected_annotations: BTreeMap<String, String>,
}

impl Config {
    /// What is wrong in it and does not keep it from being used: selectors that Kubernetes would refuse, which therefore
    /// match nothing.
    pub fn warnings(&self) -> Vec<String> {
        self.idle_selectors().into_iter().map(|(selector, problem)| format!("{selector} {problem}")).collect()
    }

    /// The same: the selector, as `neverInjectSelector[0]`, and what is wrong with it.
    pub(crate) fn idle_selectors(&self) -> Vec<(String, String)> {
        let lists = [
            ("neverInjectSelector", &self.never_inject_selector),
            ("alwaysInjectSelector", &self.always_inject_selector),
        ];
        let warnings = lists.into_iter().flat_map(|(name, selectors)| {
            selectors.iter().enumerate().flat_map(move |(index, selector)| {
                let ignored = move |problem| (format!("{name}[{index}]"), format!("has no effect: {problem}"));
                selector.problems().into_iter().map(ignored)
            })
        });
        warnings.collect()
    }
}

/// A text, and the name under which a person knows where it came from: a path, or a ConfigMap's key.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the text came from.
    pub origin: String,
    /// The text.
    pub text: String,
}

/// The three texts that make a [`Configuration`].
#[derive(Clone, Debug)]
pub struct Sources {
    /// [`Config`] as YAML, or a bare template, which is then the template `sidecar`.
    pub config: Source,
    /// The values that templates read: a JSON (or YAML) mapping.
    pub values: Source,
    /// MeshConfig as YAML.
    pub mesh: Source,
}

impl Sources {
    /// The first 64 bits of the SHA-256 of all three texts, as 16 hexadecimal digits: the same on every replica. Where the
    /// texts came from has no part in it.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for Source { text, .. } in [&self.config, &self.values, &self.mesh] {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text);
        }
        hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Everything an injection needs besides the pod: parsed, checked, and shared between requests.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Policy and selectors.
    pub config: Config,
    /// What templates see as `.Values`.
    pub values: Map<String, Value>,
    /// What templates see as `.MeshConfig`.
    pub mesh: MeshConfig,
    /// Values and mesh config in the types that templates see.
    pub(crate) settings: Settings,
    digest: String,
    /// Shared, so that another configuration can be made of this one at little cost.
    templates: BTreeMap<String, Arc<Template>>,
}

/// A mistake in one of the [`Sources`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the text came from.
    pub origin: String,
    /// Line of the mistake, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, line, message } = self;
        match line {
            Some(line) => write!(f, "{origin}:{line}: {message}"),
            None => write!(f, "{origin}: {message}"),
        }
    }
}

/// A template that was asked for and does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no template '{name}'; the configuration has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
pub struct UnknownTemplate {
    /// The name asked for.
    pub name: String,
    /// The names there are.
    pub known: Vec<String>,
}

impl Config {
    /// Istio's command line knows nothing of the configuration but its templates: it injects whatever the policy says.
    pub fn keep_templates_only(&mut self) {
        let templates = std::mem::take(&mut self.templates);
        *self = Self { policy: "enabled".to_owned(), templates, ..Self::default() };
    }
}

impl Configuration {
    /// Parses all three texts and every template. Of [`NOT_FOR_PODS`], those that do not parse are left out.
    ///
    /// # Errors
    /// All mistakes in all of them, so that one round mends everything.
    pub fn load(sources: &Sources) -> Result<Self, Vec<ConfigError>> {
        let read = read::Texts::read(sources);
        let errors = read.errors(sources);
        if errors.is_empty() { read.into_configuration(sources).ok_or(errors) } else { Err(errors) }
    }

    /// What tells this configuration from others: the digest of its [`Sources`].
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The templates for a pod that asks for `requested` (a comma separated list of names and aliases), in order.
    ///
    /// # Errors
    /// When a name is neither a template nor an alias.
    pub fn templates(&self, requested: Option<&str>) -> Result<Vec<&Template>, UnknownTemplate> {
        let defaults = match self.config.default_templates.as_slice() {
            [] => vec![DEFAULT_TEMPLATE],
            names => names.iter().map(String::as_str).collect(),
        };
        let names = requested.map_or(defaults, |list| crate::annotations::items(list).collect());
        names
            .into_iter()
            .flat_map(|name| match self.config.aliases.get(name) {
                Some(targets) => targets.iter().map(String::as_str).collect(),
                None => vec![name],
            })
            .map(|name| {
                self.templates.get(name).map(AsRef::as_ref).ok_or_else(|| UnknownTemplate {
                    name: name.to_owned(),
                    known: self.templates.keys().chain(self.config.aliases.keys()).cloned().collect(),
                })
            })
            .collect()
    }
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
