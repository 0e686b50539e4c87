//! Reading the three texts of a configuration, each as far as it is right.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Config, ConfigError, Configuration, DEFAULT_TEMPLATE, NOT_FOR_PODS, Source, Sources};
use crate::mesh::MeshConfig;
use crate::template::{Settings, Template, TemplateError};
use crate::yaml::{self, YamlError};

/// The keys of a [`Config`], and one that Istio's had once.
pub(crate) const KEYS: [&str; 8] = [
    "aliases",
    "alwaysInjectSelector",
    "defaultTemplates",
    "injectedAnnotations",
    "neverInjectSelector",
    "policy",
    "template",
    "templates",
];

/// What the texts say, or what is wrong in them.
pub(crate) struct Texts {
    pub(crate) config: Result<Config, YamlError>,
    pub(crate) values: Result<Map<String, Value>, YamlError>,
    pub(crate) mesh: Result<MeshConfig, YamlError>,
    /// What templates see of values and mesh config; none where one of them is wrong.
    pub(crate) settings: Option<Result<Settings, YamlError>>,
    templates: BTreeMap<String, Arc<Template>>,
    /// The templates that do not parse.
    pub(crate) unparsed: Vec<TemplateError>,
}

impl Texts {
    pub(crate) fn read(sources: &Sources) -> Self {
        let config = read_config(&sources.config.text);
        let values = read_values(&sources.values.text);
        let mesh = MeshConfig::read(&sources.mesh.text);
        let settings = match (&values, &mesh) {
            (Ok(values), Ok(mesh)) => Some(Settings::new(values, mesh)),
            _ => None,
        };
        let mut templates = BTreeMap::new();
        let mut unparsed = Vec::new();
        for (name, text) in config.iter().flat_map(|config| &config.templates) {
            match Template::parse(name, text) {
                Ok(template) => drop(templates.insert(name.clone(), Arc::new(template))),
                Err(error) => unparsed.push(error),
            }
        }
        Self { config, values, mesh, settings, templates, unparsed }
    }

    /// All that keeps the configuration from being used.
    pub(super) fn errors(&self, sources: &Sources) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let mut take = |error: Option<&YamlError>, Source { origin, .. }: &Source| {
            let error = error.map(|YamlError { line, message, .. }| (*line, message.clone()));
            errors.extend(error.map(|(line, message)| ConfigError { origin: origin.clone(), line, message }));
        };
        take(self.config.as_ref().err(), &sources.config);
        take(self.values.as_ref().err(), &sources.values);
        take(self.mesh.as_ref().err(), &sources.mesh);
        for error in self.unparsed.iter().filter(|error| !NOT_FOR_PODS.contains(&error.template.as_str())) {
            take(Some(&YamlError::of(error.to_string())), &sources.config);
        }
        take(self.settings.as_ref().and_then(|settings| settings.as_ref().err()), &sources.mesh);
        errors
    }

    /// The configuration without the templates that do not parse; none when one of the texts is wrong.
    pub(crate) fn into_configuration(self, sources: &Sources) -> Option<Configuration> {
        let Self { config, values, mesh, settings, templates, unparsed: _ } = self;
        Some(Configuration {
            config: config.ok()?,
            values: values.ok()?,
            mesh: mesh.ok()?,
            settings: settings?.ok()?,
            digest: sources.digest(),
            templates,
        })
    }
}

/// istioctl takes a bare template in place of the configuration. What is YAML tells by its keys which of the two it is;
/// a template mostly is not YAML, and tells by having none of those keys at the start of a line.
fn read_config(text: &str) -> Result<Config, YamlError> {
    let mistake = |message: String| Err(YamlError::of(message));
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
