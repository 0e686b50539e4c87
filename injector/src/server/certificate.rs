//! Certificates: read from files, or made on the spot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority and a serving certificate that it signed, each as PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Certificate of the authority: the `caBundle` of the webhook configuration.
    pub ca_certificate: String,
    /// Certificate of the server, with the authority's behind it.
    pub certificate: String,
    /// Private key of the server.
    pub key: String,
}

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Text that is not PEM, or holds no certificate.
    #[error("the certificate is not PEM: {0}")]
    Certificate(String),
    /// Text that is not PEM, or holds no private key.
    #[error("the private key is not PEM: {0}")]
    Key(String),
    /// Certificate and key are not for each other, or of a kind that TLS does not take.
    #[error("certificate and private key cannot be used together: {0}")]
    Pair(rustls::Error),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Issue(rcgen::Error),
}

/// TLS 1.2 and 1.3 with HTTP/2 and HTTP/1.1, for a certificate chain and key in PEM.
///
/// # Errors
/// When one of them is not PEM, or they do not belong together.
pub fn server_config(certificate: &str, key: &str) -> Result<Arc<ServerConfig>, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CertificateError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(CertificateError::Certificate("it has no CERTIFICATE section".to_owned()));
    }
    let key =
        PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| CertificateError::Key(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(CertificateError::Pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(CertificateError::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Makes an authority, and with it a serving certificate (ECDSA P-256) for `names` and for loopback.
///
/// # Errors
/// When a name is not a DNS name.
pub fn issue(names: &[String]) -> Result<Issued, CertificateError> {
    let ca_key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let mut ca = CertificateParams::new(Vec::new()).map_err(CertificateError::Issue)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "sidecar-injector CA");
    let ca_certificate = ca.self_signed(&ca_key).map_err(CertificateError::Issue)?.pem();
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let names = names.iter().cloned().chain(["localhost".to_owned()]).collect::<Vec<_>>();
    let mut params = CertificateParams::new(names).map_err(CertificateError::Issue)?;
    params.distinguished_name.push(DnType::CommonName, "sidecar-injector");
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    params.subject_alt_names.push(SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    let certificate = params.signed_by(&key, &issuer).map_err(CertificateError::Issue)?.pem();
    Ok(Issued { certificate: certificate + &ca_certificate, ca_certificate, key: key.serialize_pem() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_issued_can_be_served() {
        let issued = issue(&["injector.demo.svc".to_owned()]).unwrap();
        assert!(server_config(&issued.certificate, &issued.key).is_ok());
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let (one, two) = (issue(&[]).unwrap(), issue(&[]).unwrap());
        let message = |certificate: &str, key: &str| server_config(certificate, key).unwrap_err().to_string();
        assert!(message("", &one.key).starts_with("the certificate is not PEM"));
        assert!(message(&one.certificate, "nonsense").starts_with("the private key is not PEM"));
        assert!(message(&one.certificate, &two.key).starts_with("certificate and private key"));
    }
}
