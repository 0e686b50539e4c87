//! The texts of configurations in ConfigMaps, and which of them belong together.

use std::sync::Arc;

use serde_json::Value;
use sidecar_contract::config::{INJECTOR_NAME, MESH_NAME};

use super::{Key, Written};
use crate::places::{Outline, Shift};
use crate::workload::metadata_text;
use crate::yaml;

/// A ConfigMap with texts of a configuration.
#[derive(Clone, Debug)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// What it has, by [`Key`].
    pub texts: [Option<Written>; 3],
}

/// The texts of one revision.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// Its name, as those of the ConfigMaps tell it; empty for the one without.
    pub name: String,
    /// What there is, by [`Key`].
    pub texts: [Option<Written>; 3],
}

/// Why no ConfigMaps can be read from a file: a line from 1, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct NotConfigMaps {
    /// The line.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// The ConfigMaps in a manifest that have a text of a configuration; they may be items of a `List`, and other objects are
/// passed over.
///
/// # Errors
/// The first document that is not YAML.
pub fn in_config_maps(file: &str, manifest: &str) -> Result<Vec<ConfigMap>, NotConfigMaps> {
    let whole: Arc<str> = manifest.into();
    let mut found = Vec::new();
    for document in yamledit::documents(manifest) {
        let object = yaml::read_manifest(document.text).map_err(|error| {
            let line = document.line + error.line.map_or(0, |line| line - 1);
            NotConfigMaps { line, message: format!("not YAML: {error}") }
        })?;
        let outline = Outline::read(document.text);
        let to_document = Shift::to_line(document.line);
        let items = object.get("items").and_then(Value::as_array).filter(|_| object["kind"] != "ConfigMap");
        let objects = match items {
            Some(items) => items.iter().enumerate().map(|(index, item)| (format!("items[{index}]."), item)).collect(),
            None => vec![(String::new(), &object)],
        };
        for (prefix, object) in objects.into_iter().filter(|(_, object)| object["kind"] == "ConfigMap") {
            let written = |key: Key| {
                let text = object["data"].get(key.name())?.as_str()?;
                let path = format!("{prefix}data.{}", key.name());
                let place = outline.as_ref().and_then(|outline| outline.locate(&path));
                let shift = outline.as_ref().and_then(|outline| outline.shift(&path, document.text));
                let shift = shift.map(|shift| shift.within(&to_document));
                Some(Written::of_key(file, &whole, text, shift, (key, place.map(|place| to_document.of(place)))))
            };
            let texts = Key::ALL.map(written);
            if texts.iter().any(Option::is_some) {
                found.push(ConfigMap { name: metadata_text(object, "name").to_owned(), texts });
            }
        }
    }
    Ok(found)
}

/// The revisions that these ConfigMaps are of: one for each that has the key `config`, in their order, or one if none has.
/// Texts of other ConfigMaps belong to those of the same name but for what Istio begins it with; the only one to all.
///
/// # Errors
/// All keys that are there several times, where nothing tells which is meant.
pub fn revisions(config_maps: &[ConfigMap]) -> Result<Vec<Revision>, Vec<String>> {
    let (heads, others): (Vec<_>, Vec<_>) = config_maps.iter().partition(|map| map.text(Key::Config).is_some());
    let nameless = ConfigMap { name: String::new(), texts: Default::default() };
    let heads = if heads.is_empty() { vec![&nameless] } else { heads };
    let mut mistakes = Vec::new();
    let mut revisions = Vec::new();
    for head in heads {
        let name = head.revision();
        let mut texts = head.texts.clone();
        for key in Key::ALL.into_iter().filter(|key| head.text(*key).is_none()) {
            let candidates: Vec<_> = others.iter().filter(|map| map.text(key).is_some()).collect();
            let mut of_revision = candidates.iter().filter(|map| map.revision() == name);
            texts[key as usize] = match (candidates.as_slice(), of_revision.next(), of_revision.next()) {
                ([], ..) => None,
                ([only], ..) | (_, Some(only), None) => only.text(key).cloned(),
                ([first, ..], ..) => {
                    let file = first.text(key).map_or("", |written| &written.file);
                    let names: Vec<&str> = candidates.iter().map(|map| map.name.as_str()).collect();
                    mistakes.push(format!("{file}: the key `{}` is given twice, in {}", key.name(), names.join(", ")));
                    None
                }
            };
        }
        revisions.push(Revision { name: name.to_owned(), texts });
    }
    if mistakes.is_empty() { Ok(revisions) } else { Err(mistakes) }
}

impl ConfigMap {
    fn text(&self, key: Key) -> Option<&Written> {
        self.texts[key as usize].as_ref()
    }

    /// What its name has behind Istio's.
    fn revision(&self) -> &str {
        let behind = |istios: &str| self.name.strip_prefix(istios)?.strip_prefix('-');
        if self.name == INJECTOR_NAME { "" } else { behind(INJECTOR_NAME).or_else(|| behind(MESH_NAME)).unwrap_or("") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of ConfigMaps with these names and keys: the revisions, and whose texts they have.
    fn grouped(maps: &[(&str, &[&str])]) -> Result<Vec<(String, Vec<String>)>, Vec<String>> {
        let manifest = |(name, keys): &(&str, &[&str])| {
            let data: String = keys.iter().map(|key| format!("  {key}: of {name}\n")).collect();
            format!("kind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n{data}---\n")
        };
        let manifest: String = maps.iter().map(manifest).collect();
        let revisions = revisions(&in_config_maps("f", &manifest).unwrap())?;
        let texts = |revision: Revision| {
            let texts = revision.texts.iter().map(|text| text.as_ref().map_or("", |text| &text.text).to_owned());
            (revision.name, texts.collect())
        };
        Ok(revisions.into_iter().map(texts).collect())
    }

    #[test]
    fn each_revision_has_its_own() {
        let both: &[&str] = &["config", "values"];
        let found = grouped(&[
            ("istio", &["mesh"]),
            ("istio-canary", &["mesh"]),
            ("istio-sidecar-injector", both),
            ("istio-sidecar-injector-canary", both),
        ]);
        let texts = |names: [&str; 3]| names.map(|name| format!("of {name}")).to_vec();
        let injector = "istio-sidecar-injector";
        let canary = "istio-sidecar-injector-canary";
        let expected = vec![
            (String::new(), texts([injector, injector, "istio"])),
            ("canary".to_owned(), texts([canary, canary, "istio-canary"])),
        ];
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn what_is_there_once_is_everybodys_and_else_it_is_asked() {
        let found = grouped(&[("a", &["config"]), ("b", &["values"]), ("m", &["mesh"])]).unwrap();
        assert_eq!(found[0].1, ["of a", "of b", "of m"]);
        let mistakes = grouped(&[("a", &["config"]), ("b", &["values"]), ("c", &["values"])]).unwrap_err();
        assert_eq!(mistakes, ["f: the key `values` is given twice, in b, c"]);
        assert_eq!(grouped(&[("a", &["values"])]).unwrap()[0].1, ["", "of a", ""]);
    }
}
