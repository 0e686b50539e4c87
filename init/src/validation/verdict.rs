//! What an observation says about the rules.

use std::fmt;

use super::{Attempt, Expected, Identity, Observation};
use crate::rule::Family;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What has to.
    Passed,
    /// Nothing, since it could not be made: a sentence that says why.
    LeftOut(String),
    /// Something else.
    Failed(Box<Failure>),
}

/// An attempt that came out wrong. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    attempt: Attempt,
    observation: Observation,
}

impl Failure {
    /// Whether it differs only in the user that the probe was sent as, in the same role.
    pub fn is_like(&self, other: &Self) -> bool {
        let same_user = Attempt { identity: other.attempt.identity, ..self.attempt.clone() };
        (same_user, &self.observation) == (other.attempt.clone(), &other.observation)
    }
}

/// Compares what became of an attempt with what has to.
pub fn judge(attempt: &Attempt, observation: &Observation) -> Verdict {
    let is_right = match (attempt.expected, observation) {
        (_, Observation::NotSent(reason)) => {
            let Attempt { family, direction, identity, .. } = attempt;
            let who = who(*identity, attempt.is_proxy);
            return Verdict::LeftOut(format!("{family} {direction}: not tried as {who}: {reason}"));
        }
        (Expected::RedirectedTo(port) | Expected::HandedTo(port), Observation::Arrived { port: at, original }) => {
            // The kernel keeps no original destination of datagrams.
            port == *at && original.is_none_or(|original| original == attempt.probe.destination)
        }
        (Expected::RedirectedTo(_) | Expected::HandedTo(_), _) => false,
        (Expected::LeftAlone, Observation::Arrived { .. } | Observation::Lost(_)) => false,
        (Expected::LeftAlone, _) => true,
    };
    if is_right {
        return Verdict::Passed;
    }
    Verdict::Failed(Box::new(Failure { attempt: attempt.clone(), observation: observation.clone() }))
}

fn who(identity: Identity, is_proxy: bool) -> String {
    let role = if is_proxy { "the proxy" } else { "an application" };
    format!("{role} ({identity})")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Attempt { family, direction, identity, is_proxy, probe, expected, rules } = &self.attempt;
        let who = who(*identity, *is_proxy);
        write!(f, "{family} {direction}: {} from {who} to {} ", probe.protocol, probe.destination)?;
        match expected {
            Expected::RedirectedTo(port) | Expected::HandedTo(port) => write!(f, "should arrive at port {port}, but ")?,
            Expected::LeftAlone => f.write_str("should be left alone, but ")?,
        }
        match &self.observation {
            Observation::Arrived { port, original: Some(original) } => {
                write!(f, "arrived at port {port} as for {original}")?;
            }
            Observation::Arrived { port, original: None } => write!(f, "arrived at port {port}")?,
            Observation::Elsewhere => f.write_str("somebody else answered")?,
            Observation::Silence => f.write_str("nobody answered")?,
            Observation::Failed(reason) | Observation::NotSent(reason) | Observation::Lost(reason) => {
                f.write_str(reason)?;
            }
        }
        match expected {
            Expected::LeftAlone if matches!(self.observation, Observation::Arrived { .. }) => {
                f.write_str(": the proxy's own connections would come back to it in a loop")?;
            }
            _ if *family == Family::V6 && *is_proxy => f.write_str("; is ::6/128 on lo?")?,
            _ => {}
        }
        let rules: Vec<String> = rules.iter().map(|rule| format!("`{rule}`")).collect();
        if rules.is_empty() { Ok(()) } else { write!(f, "; by the rules {}", rules.join(", ")) }
    }
}
