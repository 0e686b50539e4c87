//! What becomes of a certificate that was read, wherever from: it is served, told, and kept when the next one is no good.

use std::sync::Arc;

use humantime::format_rfc3339_seconds;
use sidecar_process::readiness::Condition;
use tokio::sync::watch;

use crate::certificates::{Authority, CaBundle, Pair};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::server::certificate::ServingCertificate;

/// Where to say what is served.
#[derive(Debug)]
pub struct Outlets {
    /// What the listener serves.
    pub serving: ServingCertificate,
    /// What clients should trust; none as long as nobody says.
    pub bundle: watch::Sender<Option<CaBundle>>,
    /// The group `certificate` is set.
    pub metrics: Arc<Metrics>,
    /// Holds while a certificate is served that has not expired.
    pub condition: Condition,
    /// The wall clock.
    pub clock: Clock,
}

/// What was last read, and what was wrong with it, so that each is said once.
#[derive(Debug)]
pub struct Loader {
    outlets: Outlets,
    served: Option<Pair>,
    problem: Option<String>,
}

impl Loader {
    /// Nothing was read yet.
    pub fn new(outlets: Outlets) -> Self {
        Self { outlets, served: None, problem: None }
    }

    /// Where it is said.
    pub fn outlets(&self) -> &Outlets {
        &self.outlets
    }

    /// Serves what was read from `origin`, or goes on with what is served. Returns what is wrong when it was not said yet.
    pub fn load(&mut self, origin: &str, read: Result<Pair, String>) -> Option<String> {
        let failed = match read {
            Ok(pair) if self.served.as_ref() == Some(&pair) => None,
            Ok(pair) => match self.outlets.serving.set(&pair) {
                Ok(()) => {
                    let until = format_rfc3339_seconds(pair.validity.until);
                    tracing::info!(origin, %until, "a certificate is served");
                    self.served = Some(pair);
                    None
                }
                Err(error) => Some(error.to_string()),
            },
            Err(problem) => Some(problem),
        };
        let certificate = &self.outlets.metrics.certificate;
        match (&failed, &self.served) {
            (None, Some(pair)) => certificate.loaded(pair.validity.until),
            _ => certificate.load_failed(),
        }
        let is_news = failed.is_some() && failed != self.problem;
        self.problem = failed;
        self.tell(origin);
        let problem = self.problem.clone().filter(|_| is_news)?;
        let kept = if self.served.is_some() { "; the last good certificate is kept" } else { "" };
        tracing::warn!("{origin}: {problem}{kept}");
        Some(format!("{problem}{kept}"))
    }

    /// Keeps a good certificate from being replaced by one that no client accepts now.
    ///
    /// # Errors
    /// When this one is not valid, and what is served is.
    pub fn check(&self, pair: Pair) -> Result<Pair, String> {
        let now = (self.outlets.clock)();
        let is_served_valid = self.served.as_ref().is_some_and(|served| served.validity.contains(now));
        if !is_served_valid || pair.validity.contains(now) {
            return Ok(pair);
        }
        let (from, until) = (pair.validity.from, pair.validity.until);
        Err(if now < from {
            format!("the certificate is not valid before {}", format_rfc3339_seconds(from))
        } else {
            format!("the certificate expired at {}", format_rfc3339_seconds(until))
        })
    }

    /// Tells what clients should trust.
    pub fn trust(&self, pem: String, authorities: &[Authority]) {
        if let Some(until) = authorities.iter().map(|authority| authority.validity.until).max() {
            self.outlets.metrics.certificate.authorities(until);
        }
        let bundle = Some(CaBundle { pem });
        self.outlets.bundle.send_if_modified(|told| {
            let is_news = *told != bundle;
            *told = bundle;
            is_news
        });
    }

    /// Says again whether a certificate is served that clients accept; time alone can change that.
    pub fn tell(&self, origin: &str) {
        let problem = self.problem.as_ref().map(|problem| format!("; {origin}: {problem}")).unwrap_or_default();
        let Some(pair) = &self.served else {
            let problem = if problem.is_empty() { format!("; waiting for {origin}") } else { problem };
            return self.outlets.condition.failed(format!("there is none{problem}"));
        };
        let now = (self.outlets.clock)();
        let until = format_rfc3339_seconds(pair.validity.until);
        if pair.validity.contains(now) {
            self.outlets.condition.ready_with(format!("until {until}{problem}"));
        } else if now < pair.validity.from {
            let from = format_rfc3339_seconds(pair.validity.from);
            self.outlets.condition.failed(format!("not valid before {from}; is the clock right?{problem}"));
        } else {
            self.outlets.condition.failed(format!("expired at {until}{problem}"));
        }
    }
}
