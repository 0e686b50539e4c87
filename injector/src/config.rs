//! The injector's configuration: what the ConfigMap `istio-sidecar-injector` holds, in Istio's format.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::mesh::MeshConfig;
use crate::selector::LabelSelector;
use crate::template::{Settings, Template};
use crate::yaml::{self, YamlError};

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
        let lists = [
            ("neverInjectSelector", &self.never_inject_selector),
            ("alwaysInjectSelector", &self.always_inject_selector),
        ];
        let warnings = lists.into_iter().flat_map(|(name, selectors)| {
            selectors.iter().enumerate().flat_map(move |(index, selector)| {
                let ignored = move |problem| format!("{name}[{index}] has no effect: {problem}");
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
        let mut errors = Vec::new();
        let config = take(read_config(&sources.config.text), &sources.config, &mut errors);
        let values = take(read_values(&sources.values.text), &sources.values, &mut errors);
        let mesh = take(MeshConfig::read(&sources.mesh.text), &sources.mesh, &mut errors);
        let mut templates = BTreeMap::new();
        for (name, text) in config.iter().flat_map(|config| &config.templates) {
            match Template::parse(name, text) {
                Ok(template) => drop(templates.insert(name.clone(), Arc::new(template))),
                Err(_) if NOT_FOR_PODS.contains(&name.as_str()) => {}
                Err(error) => {
                    errors.push(ConfigError {
                        origin: sources.config.origin.clone(),
                        line: None,
                        message: error.to_string(),
                    });
                }
            }
        }
        let settings = match (&values, &mesh) {
            (Some(values), Some(mesh)) => take(Settings::new(values, mesh), &sources.mesh, &mut errors),
            _ => None,
        };
        match (config, values, mesh, settings) {
            (Some(config), Some(values), Some(mesh), Some(settings)) if errors.is_empty() => {
                Ok(Self { config, values, mesh, settings, digest: sources.digest(), templates })
            }
            _ => Err(errors),
        }
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

fn take<T>(read: Result<T, YamlError>, source: &Source, errors: &mut Vec<ConfigError>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(YamlError { line, message }) => {
            errors.push(ConfigError { origin: source.origin.clone(), line, message });
            None
        }
    }
}

/// istioctl takes a bare template in place of the configuration. What is YAML tells by its keys which of the two it is;
/// a template mostly is not YAML, and tells by having none of those keys at the start of a line.
fn read_config(text: &str) -> Result<Config, YamlError> {
    const KEYS: [&str; 8] = [
        "aliases",
        "alwaysInjectSelector",
        "defaultTemplates",
        "injectedAnnotations",
        "neverInjectSelector",
        "policy",
        "template",
        "templates",
    ];
    let mistake = |message: String| Err(YamlError { line: None, message });
    let starts_with_key =
        |line: &str| KEYS.iter().any(|key| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    match yaml::read_config::<Value>(text) {
        Ok(Value::Object(object)) if object.contains_key("kind") => {
            mistake("is a Kubernetes object; of a ConfigMap, give what is under its key `config`".to_owned())
        }
        Ok(Value::Object(object)) if object.keys().any(|key| KEYS.contains(&key.as_str())) => yaml::read_config(text),
        Ok(Value::Null) => mistake("is empty; expected a configuration with `templates`".to_owned()),
        Err(error) if is_json(text) || text.lines().any(starts_with_key) => Err(error),
        _ => {
            let templates = BTreeMap::from([(DEFAULT_TEMPLATE.to_owned(), text.to_owned())]);
            Ok(Config { policy: "enabled".to_owned(), templates, ..Config::default() })
        }
    }
}

fn read_values(text: &str) -> Result<Map<String, Value>, YamlError> {
    if is_json(text) {
        // Read as YAML, a value that was forgotten would be null instead of a mistake.
        return yaml::read_json(text);
    }
    Ok(yaml::read_config::<Option<Map<String, Value>>>(text)?.unwrap_or_default())
}

fn is_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| !rest.starts_with('{'))
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
