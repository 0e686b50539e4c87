//! The certificate that is served, and that can be replaced at any moment.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::certificates::material::{certified, chain};
use crate::certificates::{CertificateError, Pair};

/// What is served now. Clones share it. Without one a handshake fails, and so it does not before the first one is set.
///
/// A connection keeps what it began with; sessions can be resumed across a replacement, as the tickets stay.
#[derive(Clone, Debug, Default)]
pub struct ServingCertificate {
    current: Arc<ArcSwapOption<Served>>,
}

#[derive(Debug)]
struct Served {
    certified: Arc<CertifiedKey>,
    chain: Arc<[CertificateDer<'static>]>,
    not_after: SystemTime,
}

impl ServingCertificate {
    /// Serves this from the next handshake on.
    ///
    /// # Errors
    /// When certificate and key cannot be used together; what was served goes on being served.
    pub fn set(&self, pair: &Pair) -> Result<(), CertificateError> {
        let chain = chain(&pair.certificate)?;
        let certified = Arc::new(certified(chain.clone(), pair.key.pem())?);
        let served = Served { certified, chain: chain.into(), not_after: pair.validity.until };
        self.current.store(Some(Arc::new(served)));
        Ok(())
    }

    /// The certificate and those behind it.
    pub fn chain(&self) -> Option<Arc<[CertificateDer<'static>]>> {
        Some(Arc::clone(&self.current.load().as_ref()?.chain))
    }

    /// The last moment at which clients accept it.
    pub fn not_after(&self) -> Option<SystemTime> {
        Some(self.current.load().as_ref()?.not_after)
    }

    /// TLS 1.2 and 1.3 with HTTP/2 and HTTP/1.1, with whatever is served at the time of each handshake.
    ///
    /// # Errors
    /// Never, with the protocol versions that are built in.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Pair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for ServingCertificate {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().as_ref()?.certified))
    }
}

/// TLS with a certificate chain and key in PEM that stay.
///
/// # Errors
/// When one of them is not PEM, or they do not belong together.
pub fn server_config(certificate: &str, key: &str) -> Result<Arc<ServerConfig>, CertificateError> {
    let serving = ServingCertificate::default();
    serving.set(&Pair::new(certificate.to_owned(), key.to_owned())?)?;
    serving.server_config()
}

#[cfg(test)]
mod tests;
