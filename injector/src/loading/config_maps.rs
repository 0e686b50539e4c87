//! Which ConfigMaps hold the texts, and what is wrong when one does not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;
use sidecar_contract::config::{CONFIG_KEY, MESH_KEY, VALUES_KEY};

use super::Offer;
use crate::config::{ConfigError, Source, Sources};
use crate::mesh::MeshConfig;
use crate::template::Settings;

/// What a ConfigMap holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigMapKeys {
    /// `data`
    pub texts: BTreeMap<String, String>,
    /// The keys of `binaryData`.
    pub binary: BTreeSet<String>,
}

impl ConfigMapKeys {
    /// Whether there is a mesh config that can be used, whatever the values are.
    pub fn have_usable_mesh(&self) -> bool {
        let mesh = self.texts.get(MESH_KEY).and_then(|text| MeshConfig::read(text).ok());
        mesh.is_some_and(|mesh| Settings::new(&Map::new(), &mesh).is_ok())
    }
}

/// A ConfigMap, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigMapState {
    /// As `istio-system/istio`.
    pub name: String,
    /// What it holds; none when it does not exist.
    pub keys: Option<ConfigMapKeys>,
}

/// The configuration in the injector's ConfigMap, with the keys `config` and `values`, and the mesh's, with the key `mesh`.
/// Without the latter, all settings of the mesh have their defaults.
pub fn offer_of(injector: &ConfigMapState, mesh: &ConfigMapState) -> Offer {
    let mut errors = Vec::new();
    let mut sources = None;
    if injector.keys.is_none() {
        let message = "does not exist; apply it, or name another with --injectConfigMapName".to_owned();
        errors.push(ConfigError { origin: injector.origin(), line: None, message });
    } else if let (Some(config), Some(values)) =
        (injector.source(CONFIG_KEY, &mut errors), injector.source(VALUES_KEY, &mut errors))
    {
        sources = Some((config, values));
    }
    let mesh = match &mesh.keys {
        Some(_) => mesh.source(MESH_KEY, &mut errors),
        None => Some(Source { origin: mesh.origin(), text: String::new() }),
    };
    match (sources, mesh) {
        (Some((config, values)), Some(mesh)) => Offer::Texts(Sources { config, values, mesh }),
        _ => Offer::Unavailable(errors),
    }
}

impl ConfigMapState {
    fn origin(&self) -> String {
        format!("ConfigMap {}", self.name)
    }

    fn source(&self, key: &str, errors: &mut Vec<ConfigError>) -> Option<Source> {
        let keys = self.keys.as_ref()?;
        if let Some(text) = keys.texts.get(key) {
            return Some(Source { origin: format!("{}, key {key}", self.origin()), text: text.clone() });
        }
        let message = if keys.binary.contains(key) {
            format!("has the key `{key}` under `binaryData`; put it under `data`, as text")
        } else {
            let present: Vec<&str> = keys.texts.keys().chain(&keys.binary).map(String::as_str).take(10).collect();
            let present =
                if present.is_empty() { "is empty".to_owned() } else { format!("has {}", present.join(", ")) };
            format!("has no key `{key}`; it {present}")
        };
        errors.push(ConfigError { origin: self.origin(), line: None, message });
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_map(name: &str, keys: &[(&str, &str)]) -> ConfigMapState {
        let texts = keys.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        ConfigMapState { name: name.to_owned(), keys: Some(ConfigMapKeys { texts, binary: BTreeSet::new() }) }
    }

    #[test]
    fn a_mesh_is_usable_when_it_can_be_read() {
        let is_usable = |keys: &[(&str, &str)]| config_map("mesh", keys).keys.unwrap().have_usable_mesh();
        assert!(is_usable(&[("mesh", "trustDomain: example.org")]) && is_usable(&[("mesh", crate::defaults::MESH)]));
        assert!(!is_usable(&[("mesh", "[")]) && !is_usable(&[("mesh", "text")]) && !is_usable(&[("other", "")]));
    }

    fn missing(name: &str) -> ConfigMapState {
        ConfigMapState { name: name.to_owned(), keys: None }
    }

    fn reasons(injector: &ConfigMapState, mesh: &ConfigMapState) -> Vec<String> {
        match offer_of(injector, mesh) {
            Offer::Unavailable(reasons) => reasons.iter().map(ToString::to_string).collect(),
            Offer::Texts(sources) => panic!("{sources:?}"),
        }
    }

    #[test]
    fn without_the_mesh_there_are_defaults() {
        let injector = config_map("ns/injector", &[("config", "c"), ("values", "v")]);
        let Offer::Texts(sources) = offer_of(&injector, &missing("ns/istio")) else { panic!() };
        assert_eq!(sources.config.origin, "ConfigMap ns/injector, key config");
        assert_eq!((&*sources.values.text, &*sources.mesh.text), ("v", ""));
        let Offer::Texts(sources) = offer_of(&injector, &config_map("ns/istio", &[("mesh", "m")])) else { panic!() };
        assert_eq!(sources.mesh.text, "m");
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let without_mesh = missing("ns/istio");
        assert_eq!(
            reasons(&missing("ns/injector"), &config_map("ns/istio", &[("meshNetworks", "")])),
            [
                "ConfigMap ns/injector: does not exist; apply it, or name another with --injectConfigMapName",
                "ConfigMap ns/istio: has no key `mesh`; it has meshNetworks",
            ]
        );
        let both = reasons(&config_map("ns/injector", &[]), &without_mesh);
        assert_eq!(both.len(), 2, "{both:?}");
        assert!(both[1].ends_with("has no key `values`; it is empty"), "{both:?}");
        let mut binary = config_map("ns/injector", &[("config", "c")]);
        binary.keys.as_mut().unwrap().binary.insert("values".to_owned());
        assert!(reasons(&binary, &without_mesh)[0].contains("`values` under `binaryData`"));
    }
}
