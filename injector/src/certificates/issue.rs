//! Making authorities and serving certificates (ECDSA P-256).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::pki_types::ServerName;

use super::{Authority, Pair, PrivateKey};

/// Names of the machine that a process runs on, for trying it out.
pub const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// For trying things out: nothing renews it, and nobody should have to think of it every month.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// For machines whose clocks are behind.
pub(super) const BACKDATED: Duration = Duration::from_secs(60 * 60);

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

    /// Whether the time is within.
    pub fn contains(self, now: SystemTime) -> bool {
        self.from <= now && now <= self.until
    }

    /// From the first moment to the last; none when they are the wrong way round.
    pub fn length(self) -> Duration {
        self.until.duration_since(self.from).unwrap_or_default()
    }

    /// Whether two thirds have passed of the time for which a certificate that was backdated by an hour was made.
    pub fn is_late(self, now: SystemTime) -> bool {
        let issued = self.from + BACKDATED.min(self.length());
        let lifetime = self.until.duration_since(issued).unwrap_or_default();
        now >= issued + lifetime * 2 / 3
    }
}

/// A certificate authority and a serving certificate that it signed, each as PEM. The key is not shown when printed for
/// debugging.
#[derive(Clone)]
pub struct Issued {
    /// Certificate of the authority: the `caBundle` of the webhook configuration.
    pub ca_certificate: String,
    /// Certificate of the server, with the authority's behind it.
    pub certificate: String,
    /// Private key of the server.
    pub key: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Issued");
        shown
            .field("ca_certificate", &self.ca_certificate)
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
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

/// Makes an authority, and with it a serving certificate (ECDSA P-256) for `names`: DNS names or IP addresses.
///
/// # Errors
/// When a name is neither.
pub fn issue<N: AsRef<str>>(names: &[N], validity: Validity) -> Result<Issued, CertificateError> {
    let names: Vec<_> = names.iter().map(|name| name.as_ref().to_owned()).collect();
    let (authority, key) = authority(validity)?;
    let serving = sign_for(&authority, &key, &names, validity)?;
    let ca_certificate = super::material::to_pem(&authority.certificate);
    Ok(Issued { ca_certificate, certificate: serving.certificate, key: serving.key.pem().to_owned() })
}

/// An authority that can be used from now on, and its key.
pub(super) fn new_authority(now: SystemTime, lifetime: Duration) -> Result<(Authority, PrivateKey), CertificateError> {
    authority(Validity { from: now - BACKDATED, until: now + lifetime })
}

/// A serving certificate that can be used from now until `until`, with the authority's certificate behind it.
pub(super) fn sign(
    authority: &Authority,
    key: &PrivateKey,
    names: &[String],
    now: SystemTime,
    until: SystemTime,
) -> Result<Pair, CertificateError> {
    sign_for(authority, key, names, Validity { from: now - BACKDATED, until })
}

fn authority(validity: Validity) -> Result<(Authority, PrivateKey), CertificateError> {
    let key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let mut ca = params(Vec::new(), "sidecar-injector CA", validity)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = ca.self_signed(&key).map_err(CertificateError::Issue)?;
    Ok((Authority::of(certificate.der().clone())?, PrivateKey::new(key.serialize_pem())))
}

fn sign_for(
    authority: &Authority,
    key: &PrivateKey,
    names: &[String],
    validity: Validity,
) -> Result<Pair, CertificateError> {
    if let Some(name) = names.iter().find(|name| ServerName::try_from(name.as_str()).is_err()) {
        return Err(CertificateError::Name(name.clone()));
    }
    let ca_key = KeyPair::from_pem(key.pem()).map_err(CertificateError::Issue)?;
    let issuer = Issuer::from_ca_cert_der(&authority.certificate, ca_key).map_err(CertificateError::Issue)?;
    let key = KeyPair::generate().map_err(CertificateError::Issue)?;
    let mut server = params(names.to_vec(), "sidecar-injector", validity)?;
    // Said explicitly, it comes with an identifier of the key.
    server.is_ca = IsCa::ExplicitNoCa;
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &issuer).map_err(CertificateError::Issue)?.pem();
    Pair::new(certificate + &super::material::to_pem(&authority.certificate), key.serialize_pem())
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
    use std::sync::Arc;

    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, UnixTime};

    fn validity() -> Validity {
        Validity::one_year(UNIX_EPOCH + Duration::from_secs(1_790_000_000))
    }

    #[test]
    fn what_is_issued_can_be_served() {
        let issued = issue(&["injector.demo.svc"], validity()).unwrap();
        assert!(!format!("{issued:?}").contains("PRIVATE KEY"));
        assert!(Pair::new(issued.certificate, issued.key).is_ok());
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
        let message =
            |certificate: &str, key: &str| Pair::new(certificate.to_owned(), key.to_owned()).unwrap_err().to_string();
        assert!(message("", &one.key).starts_with("the certificate is not PEM"));
        assert!(message(&one.certificate, "nonsense").starts_with("the private key is not PEM"));
        assert!(message(&one.certificate, &two.key).starts_with("certificate and private key"));
        assert!(issue(&["a name"], validity()).unwrap_err().to_string().contains("`a name`"));
    }
}
