//! Probes and observations as lines, for a process of another user that sends the probes.

use std::fmt;
use std::str::{FromStr, SplitWhitespace};
use std::time::Duration;

use super::{Observation, Probe};
use crate::rule::Protocol;

/// A line that is neither.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a line that a trial consists of")]
pub struct Unreadable(String);

/// `tcp 127.0.0.1 127.0.0.6:15002 4500`: protocol, source or `-`, destination, milliseconds.
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, source, destination, patience } = self;
        let source = source.map_or_else(|| "-".to_owned(), |source| source.to_string());
        write!(f, "{protocol} {source} {destination} {}", patience.as_millis())
    }
}

/// `arrived 15001 192.0.2.1:15002`, `elsewhere`, `silence`, `failed REASON`, `not-sent REASON`, `lost REASON`.
impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arrived { port, original: Some(original) } => write!(f, "arrived {port} {original}"),
            Self::Arrived { port, original: None } => write!(f, "arrived {port} -"),
            Self::Elsewhere => f.write_str("elsewhere"),
            Self::Silence => f.write_str("silence"),
            Self::Failed(reason) => write!(f, "failed {}", one_line(reason)),
            Self::NotSent(reason) => write!(f, "not-sent {}", one_line(reason)),
            Self::Lost(reason) => write!(f, "lost {}", one_line(reason)),
        }
    }
}

/// Reads what a [`Probe`] displays as.
///
/// # Errors
/// When it does not.
pub fn read_probe(line: &str) -> Result<Probe, Unreadable> {
    let read = |words: &mut SplitWhitespace<'_>| {
        let protocol = match words.next()? {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return None,
        };
        let source = optional(words.next()?)?;
        let destination = words.next()?.parse().ok()?;
        let patience = Duration::from_millis(words.next()?.parse().ok()?);
        Some(Probe { protocol, source, destination, patience })
    };
    read(&mut line.split_whitespace()).ok_or_else(|| Unreadable(line.to_owned()))
}

/// Reads what an [`Observation`] displays as.
///
/// # Errors
/// When it does not.
pub fn read_observation(line: &str) -> Result<Observation, Unreadable> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let arrived = |rest: &str| {
        let (port, original) = rest.split_once(' ')?;
        Some(Observation::Arrived { port: port.parse().ok()?, original: optional(original)? })
    };
    let observation = match word {
        "arrived" => arrived(rest),
        "elsewhere" => Some(Observation::Elsewhere),
        "silence" => Some(Observation::Silence),
        "failed" => Some(Observation::Failed(rest.to_owned())),
        "not-sent" => Some(Observation::NotSent(rest.to_owned())),
        "lost" => Some(Observation::Lost(rest.to_owned())),
        _ => None,
    };
    observation.ok_or_else(|| Unreadable(line.to_owned()))
}

fn optional<T: FromStr>(word: &str) -> Option<Option<T>> {
    if word == "-" { Some(None) } else { word.parse().ok().map(Some) }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
