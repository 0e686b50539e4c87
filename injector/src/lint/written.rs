//! Where the texts of a configuration are written: each in a file, or several in the ConfigMaps of one.

use std::sync::Arc;

use sidecar_contract::config::{CONFIG_KEY, MESH_KEY, VALUES_KEY};

use super::{Problem, Severity};
use crate::config::{Source, Sources};
use crate::places::{Position, Shift};

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

impl Key {
    pub(super) const ALL: [Self; 3] = [Self::Config, Self::Values, Self::Mesh];

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

    /// What is in a key of a ConfigMap, which stands at `place` of a file.
    pub(super) fn of_key(
        file: &str,
        whole: &Arc<str>,
        text: &str,
        shift: Option<Shift>,
        (key, place): (Key, Option<Position>),
    ) -> Self {
        let key = Some((key, place));
        Self { file: file.to_owned(), whole: Arc::clone(whole), text: text.to_owned(), shift, key }
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
