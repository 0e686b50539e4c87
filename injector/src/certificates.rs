//! The webhook's certificates when the injector makes them itself: what its Secret should hold, given what it holds.
//!
//! An authority signs the serving certificate. Clients (API servers) trust the bundle of all authorities. A new authority
//! goes into the bundle first, signs only after every client has had time to hear of it, and an old one stays in the
//! bundle until it has expired, as only then nothing that it signed can be served any more; its key is gone long before.
//! So whatever certificate a replica serves, late or early, verifies against whatever bundle a client holds.

pub mod issue;
pub mod material;
mod plan;

use std::time::Duration;

pub use issue::{CertificateError, Issued, LOOPBACK_NAMES, Validity, issue};
pub use material::{Authority, Data, Material, Pair, PrivateKey};
pub use plan::{Change, Plan, Situation, plan};

/// The certificate of the server, with its authority's behind it: key of the Secret, as in every Secret for TLS.
pub const CERTIFICATE_KEY: &str = "tls.crt";
/// The private key of the server.
pub const PRIVATE_KEY_KEY: &str = "tls.key";
/// The bundle: certificates of all authorities that clients should trust.
pub const BUNDLE_KEY: &str = "ca.crt";
/// The private key of the authority that signs.
pub const AUTHORITY_KEY: &str = "ca.key";
/// The private key of the authority that is in the bundle and will sign.
pub const NEXT_AUTHORITY_KEY: &str = "next-ca.key";

/// What clients should trust now: one or several certificates, PEM. Old and new authorities are side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaBundle {
    /// The certificates.
    pub pem: String,
}

/// What is wanted of the certificates.
#[derive(Clone, Debug)]
pub struct Settings {
    /// DNS names and addresses by which clients call.
    pub names: Vec<String>,
    /// Of the serving certificate. A day by default: a stolen key is of no use the day after tomorrow, and after two
    /// thirds, when a new one is made, there are eight hours left to find out why none was.
    pub lifetime: Duration,
    /// Of an authority. 90 days by default: rotation is routine, and an injector that was away for a month needs none.
    pub ca_lifetime: Duration,
    /// How long an authority is in the bundle before it signs: enough for the webhook configuration to be written, and for
    /// every API server to read it. Ten minutes by default.
    pub overlap: Duration,
    /// The same when what is served is not accepted anyway, as after a step of the clock: five seconds by default.
    pub propagation: Duration,
    /// How far the clock may be from the API server's for anything to be written: an hour by default, by which
    /// certificates are backdated. Further apart, others would refuse what is made, or it would end the good ones.
    pub clock_tolerance: Duration,
}

impl Settings {
    /// The defaults, for these names.
    pub fn new(names: Vec<String>) -> Self {
        Self {
            names,
            lifetime: Duration::from_secs(24 * 3600),
            ca_lifetime: Duration::from_secs(90 * 24 * 3600),
            overlap: Duration::from_secs(600),
            propagation: Duration::from_secs(5),
            clock_tolerance: issue::BACKDATED,
        }
    }

    /// How long a new authority waits at most until the webhook configuration is known to hold it: from two thirds of the
    /// old one's time until that is too short for another certificate.
    pub fn time_to_publish(&self) -> Duration {
        (self.ca_lifetime / 3).saturating_sub(self.lifetime).max(self.overlap)
    }

    /// Whether these times go together.
    ///
    /// # Errors
    /// All that do not: one that would have keys made all the time, be no time at all, or end before a rotation is over.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let shown = |duration: Duration| humantime::format_duration(duration).to_string();
        let mut problems = Vec::new();
        let mut bounded = |what: &str, duration: Duration, least: Duration, most: Duration, most_is: &str| {
            if duration < least {
                problems.push(format!("{what} is {}; give {} at least", shown(duration), shown(least)));
            } else if duration > most {
                problems.push(format!("{what} is {}; give {} at most{most_is}", shown(duration), shown(most)));
            }
        };
        let Self { lifetime, ca_lifetime, overlap, .. } = *self;
        let longest = ca_lifetime.min(MAX_CA_LIFETIME);
        bounded("the lifetime of authorities", ca_lifetime, MIN_LIFETIME * 2, MAX_CA_LIFETIME, "");
        bounded("the lifetime of certificates", lifetime, MIN_LIFETIME, longest / 2, ", half that of authorities");
        bounded("the overlap", overlap, MIN_OVERLAP, longest / 6, ", a sixth of the lifetime of authorities");
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

/// Anything shorter is a mistake in the unit.
const MIN_LIFETIME: Duration = Duration::from_secs(10);
/// Anything longer is as good as never, and far from the end of time.
const MAX_CA_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// No client hears of it in less.
const MIN_OVERLAP: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
