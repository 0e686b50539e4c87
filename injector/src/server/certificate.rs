//! Certificates: read from files, or made on the spot.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// Names of the machine that a process runs on, for trying it out.
pub const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// How long certificates can be used. Nothing renews them, and nobody should have to think of them every month.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// For machines whose clocks are behind.
const BACKDATED: Duration = Duration::from_secs(60 * 60);

/// From when until when a certificate can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub from: SystemTime,
    /// Last moment.
    pub until: SystemTime,
}

impl Validity {
    /// A year from `now`, which is backdated by an hour.
    pub fn one_year(now: SystemTime) -> Self {
        Self { from: now - BACKDATED, until: now + LIFETIME }
    }
}

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
    /// Something that a certificate cannot be for.
    #[error("not a DNS name or an IP address: `{0}`")]
    Name(String),
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

/// Makes an authority, and with it a serving certificate (ECDSA P-256) for `names`: DNS names or IP addresses.
///
/// # Errors
/// When a name is neither.
pub fn issue<N: AsRef<str>>(names: &[N], validity: Validity) -> Result<Issued, CertificateError> {
    let names: Vec<_> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    if let Some(name) = names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
        return Err(CertificateError::Name(name.clone()));
    }
    let ca_key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let mut ca = params(Vec::new(), "sidecar-injector CA", validity)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key).map_err(CertificateError::Issue)?.pem();
    let issuer = Issuer::new(ca, ca_key);

    let key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let mut server = params(names, "sidecar-injector", validity)?;
    // Said explicitly, it comes with an identifier of the key.
    server.is_ca = IsCa::ExplicitNoCa;
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &issuer).map_err(CertificateError::Issue)?.pem();
    Ok(Issued { certificate: certificate + &ca_certificate, ca_certificate, key: key.serialize_pem() })
}

fn params(names: Vec<String>, common_name: &str, validity: Validity) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::new(names).map_err(CertificateError::Issue)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    // A clock before 1970 is a broken one.
    let date = |time: SystemTime| date_time_ymd(1970, 1, 1) + time.duration_since(UNIX_EPOCH).unwrap_or_default();
    (params.not_before, params.not_after) = (date(validity.from), date(validity.until));
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::UnixTime;

    fn validity() -> Validity {
        Validity::one_year(UNIX_EPOCH + Duration::from_secs(1_790_000_000))
    }

    #[test]
    fn what_is_issued_can_be_served() {
        let issued = issue(&["injector.demo.svc"], validity()).unwrap();
        assert!(server_config(&issued.certificate, &issued.key).is_ok());
    }

    /// What a client that trusts the authority makes of the certificate.
    fn accepted(issued: &Issued, name: &str, now: SystemTime) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(issued.ca_certificate.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap());
        verifier.verify_server_cert(&certificate, &[], &ServerName::try_from(name).unwrap(), &[], now).is_ok()
    }

    #[test]
    fn clients_accept_it_for_its_names_and_its_year_only() {
        let Validity { from, until } = validity();
        let (issued, dev) =
            (issue(&["injector.demo.svc"], validity()).unwrap(), issue(&LOOPBACK_NAMES, validity()).unwrap());
        let second = Duration::from_secs(1);
        for (issued, name, now, expected) in [
            (&issued, "injector.demo.svc", from, true),
            (&issued, "injector.demo.svc", until, true),
            (&issued, "injector.demo.svc", from - second, false),
            (&issued, "injector.demo.svc", until + second, false),
            (&issued, "localhost", from, false),
            (&issued, "127.0.0.1", from, false),
            (&dev, "localhost", from, true),
            (&dev, "::1", from, true),
        ] {
            assert_eq!(accepted(issued, name, now), expected, "{name} {now:?}");
        }
    }

    #[test]
    fn it_says_what_its_key_is_for() {
        let issued = issue(&LOOPBACK_NAMES, validity()).unwrap();
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        for (extension, der) in [
            ("key usage: critical, digitalSignature", &b"\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x07\x80"[..]),
            ("extended key usage: serverAuth", b"\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"),
            ("subject key identifier", b"\x55\x1d\x0e"),
            ("authority key identifier", b"\x55\x1d\x23"),
        ] {
            assert!(certificate.windows(der.len()).any(|window| window == der), "{extension}");
        }
    }

    #[test]
    fn a_year_begins_an_hour_ago() {
        let validity = validity();
        assert_eq!(validity.until.duration_since(validity.from).unwrap(), Duration::from_secs((365 * 24 + 1) * 3600));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let (one, two) = (issue(&LOOPBACK_NAMES, validity()).unwrap(), issue(&LOOPBACK_NAMES, validity()).unwrap());
        let message = |certificate: &str, key: &str| server_config(certificate, key).unwrap_err().to_string();
        assert!(message("", &one.key).starts_with("the certificate is not PEM"));
        assert!(message(&one.certificate, "nonsense").starts_with("the private key is not PEM"));
        assert!(message(&one.certificate, &two.key).starts_with("certificate and private key"));
        assert!(issue(&["a name"], validity()).unwrap_err().to_string().contains("`a name`"));
    }
}
