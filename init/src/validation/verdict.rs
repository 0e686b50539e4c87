//! What an observation says about the rules.

use std::fmt;

use super::{Attempt, Expected, Identity, Observation};
use crate::rule::{Family, OWN_PREFIX};

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
    /// Those of the attempt's rules that are not in the kernel, if it is known what is.
    absent: Option<Vec<String>>,
}

impl Failure {
    /// Notes which of the rules are not there. `live` has all that are, each as a line. Where there are none of ours in
    /// this form they may be in another, and nothing is noted.
    pub fn look_into(&mut self, live: &[(Family, String)]) {
        let Attempt { family, rules, .. } = &self.attempt;
        let live: Vec<&str> = live.iter().filter(|(of, _)| of == family).map(|(_, rule)| rule.as_str()).collect();
        if live.iter().any(|rule| rule.contains(OWN_PREFIX)) {
            self.absent = Some(rules.iter().filter(|rule| !live.contains(&rule.as_str())).cloned().collect());
        }
    }

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
    Verdict::Failed(Box::new(Failure { attempt: attempt.clone(), observation: observation.clone(), absent: None }))
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
        if rules.is_empty() {
            return Ok(());
        }
        write!(f, "; by the rules {}", quoted(rules))?;
        match &self.absent {
            None => Ok(()),
            Some(absent) if absent.is_empty() => f.write_str("; they are there: another rule comes before them"),
            Some(absent) => write!(f, "; not there: {}", quoted(absent)),
        }
    }
}

fn quoted(rules: &[String]) -> String {
    rules.iter().map(|rule| format!("`{rule}`")).collect::<Vec<_>>().join(", ")
}
