//! From the texts of a configuration to one that is in use: parsed, tried out on sample pods, and kept until a better
//! one comes.

mod config_maps;
pub(crate) mod samples;

use std::fmt::Write as _;
use std::sync::Arc;

use crate::config::{ConfigError, Configuration, Sources};
use crate::context::InjectorSettings;
use samples::Finding;

pub use config_maps::{ConfigMapKeys, ConfigMapState, offer_of};
pub use samples::{Sample, samples};

/// What the place has where the configuration comes from.
#[derive(Clone, Debug)]
pub enum Offer {
    /// All texts.
    Texts(Sources),
    /// Some cannot be had, for these reasons.
    Unavailable(Vec<ConfigError>),
}

/// A configuration that may be used.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The configuration.
    pub configuration: Arc<Configuration>,
    /// What is wrong in it for some pods only, or has no effect: a sentence each.
    pub warnings: Vec<String>,
}

/// Parses the texts, and injects into sample pods whatever templates a pod may choose.
///
/// # Errors
/// All mistakes in the texts; or else the first with which the default templates fail, for each kind of sample. Where
/// another template fails it is a warning: it may be meant for pods that are unlike the samples.
pub fn load(sources: &Sources, settings: &InjectorSettings) -> Result<Candidate, Vec<ConfigError>> {
    let configuration = Arc::new(Configuration::load(sources)?);
    let injector = settings.injector(Arc::clone(&configuration), Arc::default());
    let tried = samples::try_out(&injector);
    if tried.mistakes.is_empty() {
        let mut warnings = configuration.config.warnings();
        warnings.extend(tried.warnings.iter().map(ToString::to_string));
        if tried.rest > 0 {
            warnings.push(format!("{} more templates and aliases were not tried out", tried.rest));
        }
        return Ok(Candidate { configuration, warnings });
    }
    let origin = &sources.config.origin;
    let mistake = |finding: &Finding| ConfigError { origin: origin.clone(), line: None, message: finding.to_string() };
    Err(tried.mistakes.iter().map(mistake).collect())
}

/// Keeps the last good configuration, and knows the newest offer.
#[derive(Debug, Default)]
pub struct Loader {
    newest: Option<Newest>,
    good: Option<Arc<Configuration>>,
    generation: u64,
}

#[derive(Debug, PartialEq)]
enum Newest {
    Digest(String),
    Unavailable(Vec<ConfigError>),
}

/// What an offer comes to.
#[derive(Clone, Debug)]
pub enum News {
    /// It is what was offered last.
    None,
    /// There is nothing to load, but something to say.
    Report(LoadReport),
    /// It is to be loaded: call [`load`], and then [`Loader::settle`] with this digest.
    Load(String),
}

/// What became of an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadOutcome {
    /// It is in use now, with these warnings.
    Loaded(Vec<String>),
    /// It is what is in use, after others that could not be used.
    Restored,
    /// It cannot be used, for these reasons.
    Rejected(Vec<ConfigError>),
    /// There was none, for these reasons.
    Unavailable(Vec<ConfigError>),
}

/// What became of an offer, and what is in use after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// What became of it.
    pub outcome: LoadOutcome,
    /// [`Sources::digest`] of what was offered; none when there was nothing.
    pub offered: Option<String>,
    /// The same of what is in use; none before the first that is good.
    pub in_use: Option<String>,
    /// How many configurations have been in use, one after the other.
    pub generation: u64,
}

impl Loader {
    /// Looks at what is offered now.
    pub fn look(&mut self, offer: &Offer) -> News {
        let newest = match offer {
            Offer::Texts(sources) => Newest::Digest(sources.digest()),
            Offer::Unavailable(reasons) => Newest::Unavailable(reasons.clone()),
        };
        if self.newest.as_ref() == Some(&newest) {
            return News::None;
        }
        let news = match &newest {
            Newest::Unavailable(reasons) => News::Report(self.report(LoadOutcome::Unavailable(reasons.clone()), None)),
            Newest::Digest(digest) if self.good.as_ref().is_some_and(|good| good.digest() == digest) => {
                News::Report(self.report(LoadOutcome::Restored, Some(digest.clone())))
            }
            Newest::Digest(digest) => News::Load(digest.clone()),
        };
        self.newest = Some(newest);
        news
    }

    /// Takes what [`load`] made of the offer with this digest.
    pub fn settle(&mut self, digest: String, loaded: Result<Candidate, Vec<ConfigError>>) -> LoadReport {
        let outcome = match loaded {
            Ok(Candidate { configuration, warnings }) => {
                self.good = Some(configuration);
                self.generation += 1;
                LoadOutcome::Loaded(warnings)
            }
            Err(mistakes) => LoadOutcome::Rejected(mistakes),
        };
        self.report(outcome, Some(digest))
    }

    /// The configuration that is in use.
    pub fn good(&self) -> Option<&Arc<Configuration>> {
        self.good.as_ref()
    }

    fn report(&self, outcome: LoadOutcome, offered: Option<String>) -> LoadReport {
        let in_use = self.good.as_ref().map(|good| good.digest().to_owned());
        LoadReport { outcome, offered, in_use, generation: self.generation }
    }
}

impl LoadOutcome {
    /// A name for it from a fixed set, for labels.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Loaded(_) => "loaded",
            Self::Restored => "restored",
            Self::Rejected(_) => "rejected",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Why it is not in use; empty when it is.
    pub fn mistakes(&self) -> &[ConfigError] {
        match self {
            Self::Loaded(_) | Self::Restored => &[],
            Self::Rejected(mistakes) | Self::Unavailable(mistakes) => mistakes,
        }
    }
}

impl LoadReport {
    /// For people, in at most `limit` bytes and a few: what happened, then as many mistakes or warnings as fit, then how
    /// many do not.
    pub fn text(&self, limit: usize) -> String {
        let in_use = match &self.in_use {
            Some(in_use) => format!("configuration {in_use} stays in use"),
            None => "there is no configuration".to_owned(),
        };
        match &self.outcome {
            LoadOutcome::Loaded(warnings) => {
                let in_use = self.in_use.as_deref().unwrap_or_default();
                listed(
                    &format!("configuration {in_use} is in use, the {} of this process", ordinal(self.generation)),
                    warnings,
                    limit,
                )
            }
            LoadOutcome::Restored => format!("{in_use}: it is the newest again"),
            LoadOutcome::Rejected(mistakes) => {
                let offered = self.offered.as_deref().unwrap_or_default();
                listed(&format!("configuration {offered} is rejected; {in_use}"), mistakes, limit)
            }
            LoadOutcome::Unavailable(reasons) => listed(&in_use, reasons, limit),
        }
    }
}

fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The first item is shortened, and never left out.
fn listed<T: ToString>(summary: &str, items: &[T], limit: usize) -> String {
    const REST: usize = " (and 1000000 more)".len();
    let mut text = summary.to_owned();
    for (index, item) in items.iter().enumerate() {
        let mut item = item.to_string();
        let separator = if index == 0 { ": " } else { "; " };
        let room = limit.saturating_sub(text.len() + separator.len() + REST);
        if item.len() > room {
            if index == 0 {
                item.truncate(item.floor_char_boundary(room));
                text.push_str(separator);
                text.push_str(&item);
                text.push('…');
            }
            let rest = items.len() - index - usize::from(index == 0);
            if rest > 0 {
                // Writing to a string does not fail.
                let _ = write!(text, " (and {rest} more)");
            }
            break;
        }
        text.push_str(separator);
        text.push_str(&item);
    }
    text
}

#[cfg(test)]
mod tests;
