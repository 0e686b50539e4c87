//! The `caBundle`: what the API server trusts when it calls the injector, checked before it is written.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::Value;

use crate::certificates::material::to_pem;

/// Larger bundles do not fit into an object with five webhooks (etcd: 1.5 MiB).
const MAX_BYTES: usize = 128 * 1024;

/// A bundle that must not be written.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Text that is not PEM, or not of certificates.
    #[error("the CA bundle cannot be used: {0}; give the certificate of the authority as PEM")]
    Bundle(String),
    /// The serving certificate cannot be read.
    #[error("the serving certificate cannot be used: {0}")]
    Chain(String),
    /// A name that no certificate can be for.
    #[error("`{0}` is no name that a certificate can be for")]
    Host(String),
    /// Clients with the bundle would refuse the certificate.
    #[error("the CA bundle does not verify the certificate served for {host}: {reason}; {hint}")]
    Unverified {
        /// The name that the API server asks for.
        host: String,
        /// Why it is refused.
        reason: rustls::Error,
        /// What to do.
        hint: &'static str,
    },
}

/// Reads a chain in PEM, the server's own certificate first.
///
/// # Errors
/// When it is not PEM or has no certificate.
pub fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, BundleError> {
    certificates(pem).map_err(BundleError::Chain)
}

/// Whether an API server that trusts `bundle` (PEM) and calls `host` accepts the chain that is served. A bundle may hold
/// more than is needed, as during a rotation. `now` is since the beginning of 1970 (UTC).
///
/// # Errors
/// When it does not, or one of them cannot be read.
pub fn verify(bundle: &str, chain: &[CertificateDer<'_>], host: &str, now: Duration) -> Result<(), BundleError> {
    let unusable = |error: &dyn std::error::Error| BundleError::Bundle(error.to_string());
    let roots = roots(bundle)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| unusable(&error))?;
    let name = ServerName::try_from(host).map_err(|_| BundleError::Host(host.to_owned()))?;
    let Some((certificate, intermediates)) = chain.split_first() else {
        return Err(BundleError::Chain("there is none".to_owned()));
    };
    verifier
        .verify_server_cert(certificate, intermediates, &name, &[], UnixTime::since_unix_epoch(now))
        .map(|_| ())
        .map_err(|reason| BundleError::Unverified { host: host.to_owned(), hint: hint(&reason), reason })
}

/// Whether `bundle` can be written at all: PEM, of certificates that can be authorities.
///
/// # Errors
/// When it cannot.
pub fn check(bundle: &str) -> Result<(), BundleError> {
    roots(bundle).map(|_| ())
}

/// The certificates (PEM) that every webhook of these objects trusts, as the API server has them; none without a webhook.
/// One whose `caBundle` is missing or cannot be read trusts nothing.
pub fn trusted_by_all<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Option<String> {
    let webhooks = objects.into_iter().flat_map(|object| object["webhooks"].as_array().into_iter().flatten());
    let trusted = webhooks.map(|webhook| {
        let encoded = webhook["clientConfig"]["caBundle"].as_str().unwrap_or_default();
        let pem = STANDARD.decode(encoded).ok().and_then(|pem| String::from_utf8(pem).ok());
        pem.and_then(|pem| certificates(&pem).ok()).unwrap_or_default()
    });
    let common = trusted.reduce(|mut common, trusted| {
        common.retain(|certificate| trusted.contains(certificate));
        common
    })?;
    Some(common.iter().map(|certificate| to_pem(certificate)).collect())
}

fn roots(bundle: &str) -> Result<RootCertStore, BundleError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(bundle).map_err(BundleError::Bundle)? {
        roots.add(certificate).map_err(|error| BundleError::Bundle(error.to_string()))?;
    }
    Ok(roots)
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    if pem.len() > MAX_BYTES {
        return Err(format!("it is larger than {} KiB", MAX_BYTES / 1024));
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| format!("it is not PEM: {error}"))?;
    if found.is_empty() { Err("it has no CERTIFICATE section".to_owned()) } else { Ok(found) }
}

fn hint(reason: &rustls::Error) -> &'static str {
    use rustls::CertificateError as E;
    match reason {
        rustls::Error::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. }) => {
            "issue the certificate for that name, or correct --service-name, --namespace or --url"
        }
        rustls::Error::InvalidCertificate(
            E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. },
        ) => "renew the certificate, or correct the clock",
        _ => "give the bundle of the authority that issued the certificate",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_counts_is_what_all_webhooks_trust() {
        let [one, two] = [b"one", b"two"].map(|der| to_pem(der));
        let object = |bundles: &[&str]| {
            let webhook = |pem: &&str| json!({"clientConfig": {"caBundle": STANDARD.encode(pem)}});
            json!({"webhooks": bundles.iter().map(webhook).collect::<Vec<_>>()})
        };
        let both = format!("{one}{two}");
        assert_eq!(trusted_by_all(&[object(&[])]), None);
        assert_eq!(trusted_by_all(&[object(&[&both]), object(&[&both, &both])]).as_deref(), Some(&*both));
        assert_eq!(trusted_by_all(&[object(&[&both]), object(&[&both, &two])]).as_deref(), Some(&*two));
        assert_eq!(trusted_by_all(&[object(&[&one, "nonsense"])]).as_deref(), Some(""));
        assert_eq!(trusted_by_all(&[object(&[&one]), json!({"webhooks": [{}]})]).as_deref(), Some(""));
    }
}
