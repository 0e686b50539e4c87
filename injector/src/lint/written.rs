//! Where the texts of a configuration are written: each in a file, or several in the ConfigMaps of one.

use std::sync::Arc;

use serde_json::Value;
use sidecar_contract::config::{CONFIG_KEY, MESH_KEY, VALUES_KEY};

use super::{Problem, Severity};
use crate::config::{Source, Sources};
use crate::places::{Outline, Position, Shift};
use crate::yaml;

/// The three texts of a configuration.
#[derive(Clone, Debug)]
pub struct Files {
    /// As [`Sources::config`].
    pub config: Written,
    /// As [`Sources::values`].
    pub values: Written,
    /// As [`Sources::mesh`].
    pub mesh: Written,
}

/// A text, and where it is written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file, as a person knows it.
    pub file: String,
    /// The text.
    pub text: String,
    /// All of the file, for excerpts.
    whole: Arc<str>,
    /// Where in the file; none when that cannot be told.
    shift: Option<Shift>,
    /// The key of a ConfigMap that has the text, and where that is.
    key: Option<(Key, Option<Position>)>,
}

/// A key of a ConfigMap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `config`
    Config,
    /// `values`
    Values,
    /// `mesh`
    Mesh,
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

impl Key {
    const ALL: [Self; 3] = [Self::Config, Self::Values, Self::Mesh];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => CONFIG_KEY,
            Self::Values => VALUES_KEY,
            Self::Mesh => MESH_KEY,
        }
    }
}

impl Files {
    /// The texts as an injector takes them.
    pub fn sources(&self) -> Sources {
        let source = |written: &Written| Source { origin: written.origin(), text: written.text.clone() };
        Sources { config: source(&self.config), values: source(&self.values), mesh: source(&self.mesh) }
    }
}

impl Written {
    /// What is the whole of a file.
    pub fn file(file: String, text: String) -> Self {
        Self { file, whole: text.as_str().into(), text, shift: Some(Shift::default()), key: None }
    }

    /// Whether its places are places of the file.
    pub(super) fn has_places(&self) -> bool {
        self.shift.is_some()
    }

    /// A problem at `position` of the text.
    pub(super) fn problem(&self, severity: Severity, position: Option<Position>, message: &str) -> Problem {
        let key_place = self.key.and_then(|(_, place)| place);
        let (place, message) = match (position, &self.shift) {
            (Some(position), Some(shift)) => (Some(shift.of(position)), message.to_owned()),
            (Some(Position { line, column }), None) => {
                (key_place, format!("line {line}, column {column} of the text: {message}"))
            }
            (None, _) => (key_place, message.to_owned()),
        };
        let message = match self.key {
            Some((key, _)) if place.is_none() || place == key_place => format!("key `{}`: {message}", key.name()),
            _ => message,
        };
        let excerpt = place.and_then(|place| self.whole.lines().nth(place.line - 1)).map(str::to_owned);
        let (line, column) = (place.map(|place| place.line), place.map(|place| place.column));
        Problem { severity, file: self.file.clone(), line, column, template: None, message, excerpt, rendered: None }
    }

    fn origin(&self) -> String {
        match self.key {
            Some((key, _)) => format!("{}, key {}", self.file, key.name()),
            None => self.file.clone(),
        }
    }
}

/// The texts in the ConfigMaps of a manifest, which may be items of a `List`; other objects are passed over.
///
/// # Errors
/// The first document that is not YAML.
pub fn in_config_maps(file: &str, manifest: &str) -> Result<Vec<(Key, Written)>, NotConfigMaps> {
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
            for key in Key::ALL {
                let Some(text) = object["data"].get(key.name()).and_then(Value::as_str) else { continue };
                let path = format!("{prefix}data.{}", key.name());
                let place = outline.as_ref().and_then(|outline| outline.locate(&path));
                let shift = outline.as_ref().and_then(|outline| outline.shift(&path, document.text));
                found.push((
                    key,
                    Written {
                        file: file.to_owned(),
                        text: text.to_owned(),
                        whole: Arc::clone(&whole),
                        shift: shift.map(|shift| shift.within(&to_document)),
                        key: Some((key, place.map(|place| to_document.of(place)))),
                    },
                ));
            }
        }
    }
    Ok(found)
}
