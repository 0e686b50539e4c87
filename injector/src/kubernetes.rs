//! The Kubernetes API as the injector uses it.

pub mod certificates;
pub mod cluster;
pub mod config_maps;
pub mod events;
pub mod lease;
pub mod reading;
pub mod registration;
mod watching;

/// The error and what caused it, for people.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    // Many repeat their cause.
    texts.dedup_by(|cause, error| error.ends_with(&**cause));
    texts.join(": ")
}
