//! Authorities, keys and the served pair, read from a Secret's data as far as they can be used, and written to it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{
    AUTHORITY_KEY, BUNDLE_KEY, CERTIFICATE_KEY, CertificateError, NEXT_AUTHORITY_KEY, PRIVATE_KEY_KEY, Validity,
};

/// A Secret's `data`, decoded.
pub type Data = BTreeMap<String, Vec<u8>>;

/// More are never side by side; what is pasted in beyond is left out.
pub(super) const MAX_AUTHORITIES: usize = 8;

/// A private key, PEM. It is not shown when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(String);

/// A certificate authority that clients can trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// When it can be used.
    pub validity: Validity,
    /// SubjectPublicKeyInfo, DER.
    public_key: Vec<u8>,
}

/// A certificate and the private key that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, with those of its issuers behind it, PEM.
    pub certificate: String,
    /// The private key of the first certificate.
    pub key: PrivateKey,
    /// When the first certificate can be used.
    pub validity: Validity,
    leaf: CertificateDer<'static>,
}

/// What is in the Secret, or should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Material {
    /// All that clients should trust.
    pub authorities: Vec<Authority>,
    /// The key of the authority that signs.
    pub signer: Option<PrivateKey>,
    /// The key of the authority that will sign, and is in the bundle before.
    pub next: Option<PrivateKey>,
    /// What is served.
    pub serving: Option<Pair>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// Takes PEM as it is.
    pub fn new(pem: String) -> Self {
        Self(pem)
    }

    /// The key as PEM.
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl Authority {
    /// Reads a certificate.
    ///
    /// # Errors
    /// When it is none, or not an authority's.
    pub fn of(certificate: CertificateDer<'static>) -> Result<Self, CertificateError> {
        let refused = |why: &str| CertificateError::Certificate(why.to_owned());
        let (_, parsed) = X509Certificate::from_der(&certificate).map_err(|error| refused(&error.to_string()))?;
        if !parsed.is_ca() {
            return Err(refused("it is not an authority's"));
        }
        let (validity, public_key) = (validity(&parsed), parsed.public_key().raw.to_vec());
        Ok(Self { certificate, validity, public_key })
    }

    /// Whether the key is this authority's.
    pub fn has_key(&self, key: &PrivateKey) -> bool {
        KeyPair::from_pem(key.pem())
            .is_ok_and(|pair| rcgen::PublicKeyData::subject_public_key_info(&pair) == self.public_key)
    }
}

impl Pair {
    /// Reads a certificate chain and key, both PEM.
    ///
    /// # Errors
    /// When one is not PEM, they do not belong together, or TLS does not take them.
    pub fn new(certificate: String, key: String) -> Result<Self, CertificateError> {
        let chain = chain(&certificate)?;
        let leaf = chain.first().cloned().ok_or_else(no_certificate)?;
        certified(chain, &key)?;
        let (_, parsed) =
            X509Certificate::from_der(&leaf).map_err(|error| CertificateError::Certificate(error.to_string()))?;
        let validity = validity(&parsed);
        Ok(Self { certificate, key: PrivateKey(key), validity, leaf })
    }

    /// Whether clients that trust `authorities`, and whose clock says `now`, accept it for all `names`.
    pub fn verifies(&self, authorities: &[Authority], names: &[String], now: SystemTime) -> bool {
        let valid: Vec<_> = authorities.iter().filter(|authority| authority.validity.contains(now)).collect();
        is_accepted(&self.leaf, &valid, names, now)
    }

    /// Whether one of the authorities signed it for all `names`, whatever the time.
    pub fn is_signed_by(&self, authorities: &[Authority], names: &[String]) -> bool {
        let within = self.validity.from + self.validity.length() / 2;
        is_accepted(&self.leaf, &authorities.iter().collect::<Vec<_>>(), names, within)
    }
}

impl Material {
    /// Takes what can be used, and says what cannot.
    pub fn read(data: &Data) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let mut text = |key: &str| match data.get(key).map(|bytes| String::from_utf8(bytes.clone())) {
            Some(Ok(text)) => Some(text),
            Some(Err(_)) => {
                problems.push(format!("{key} is not text"));
                None
            }
            None => None,
        };
        let [bundle, certificate, key, signer, next] =
            [BUNDLE_KEY, CERTIFICATE_KEY, PRIVATE_KEY_KEY, AUTHORITY_KEY, NEXT_AUTHORITY_KEY].map(&mut text);
        let authorities = authorities(bundle.as_deref().unwrap_or_default(), &mut problems);
        let mut matching = |name: &str, key: Option<String>| {
            let key = PrivateKey(key?);
            let matches = authorities.iter().any(|authority| authority.has_key(&key));
            if !matches {
                problems.push(format!("{name} is not the key of an authority in {BUNDLE_KEY}"));
            }
            matches.then_some(key)
        };
        let (signer, next) = (matching(AUTHORITY_KEY, signer), matching(NEXT_AUTHORITY_KEY, next));
        let serving = match Pair::new(certificate.unwrap_or_default(), key.unwrap_or_default()) {
            Ok(pair) => Some(pair),
            Err(error) => {
                problems.push(format!("{CERTIFICATE_KEY} and {PRIVATE_KEY_KEY}: {error}"));
                None
            }
        };
        (Self { authorities, signer, next, serving }, problems)
    }

    /// As the data of a Secret.
    pub fn to_data(&self) -> Data {
        let (certificate, key) =
            self.serving.as_ref().map_or(("", ""), |pair| (pair.certificate.as_str(), pair.key.pem()));
        let mut data = Data::from([
            (BUNDLE_KEY.to_owned(), self.bundle().into_bytes()),
            (CERTIFICATE_KEY.to_owned(), certificate.into()),
            (PRIVATE_KEY_KEY.to_owned(), key.into()),
        ]);
        for (name, key) in [(AUTHORITY_KEY, &self.signer), (NEXT_AUTHORITY_KEY, &self.next)] {
            if let Some(key) = key {
                data.insert(name.to_owned(), key.pem().into());
            }
        }
        data
    }

    /// Certificates of all authorities, PEM.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(|authority| to_pem(&authority.certificate)).collect()
    }

    /// The authority that a key is of.
    pub fn authority_of(&self, key: Option<&PrivateKey>) -> Option<&Authority> {
        let key = key?;
        self.authorities.iter().find(|authority| authority.has_key(key))
    }
}

/// All certificates in a text, of which there is one at least.
///
/// # Errors
/// When there is none, or something that begins as one and is none.
pub fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CertificateError::Certificate(error.to_string()))?;
    if chain.is_empty() { Err(no_certificate()) } else { Ok(chain) }
}

/// A chain and key as TLS uses them.
///
/// # Errors
/// When the key is not PEM, or they do not belong together.
pub fn certified(chain: Vec<CertificateDer<'static>>, key: &str) -> Result<CertifiedKey, CertificateError> {
    let key =
        PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| CertificateError::Key(error.to_string()))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(CertificateError::Pair)
}

/// The authorities in a bundle that can be used.
pub fn authorities(bundle: &str, problems: &mut Vec<String>) -> Vec<Authority> {
    let mut authorities: Vec<Authority> = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(bundle.as_bytes()) {
        let authority =
            certificate.map_err(|error| CertificateError::Certificate(error.to_string())).and_then(Authority::of);
        match authority {
            Ok(authority) if authorities.contains(&authority) => {}
            Ok(_) if authorities.len() == MAX_AUTHORITIES => {
                problems.push(format!("{BUNDLE_KEY} has more than {MAX_AUTHORITIES} certificates"));
                break;
            }
            Ok(authority) => authorities.push(authority),
            Err(error) => problems.push(format!("{BUNDLE_KEY}: {error}")),
        }
    }
    if authorities.is_empty() {
        problems.push(format!("{BUNDLE_KEY} has no certificate of an authority"));
    }
    authorities
}

fn no_certificate() -> CertificateError {
    CertificateError::Certificate("it has no CERTIFICATE section".to_owned())
}

fn validity(certificate: &X509Certificate<'_>) -> Validity {
    // Before 1970 nothing was signed that matters here.
    let time = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    let validity = certificate.validity();
    Validity { from: time(validity.not_before.timestamp()), until: time(validity.not_after.timestamp()) }
}

fn is_accepted(leaf: &CertificateDer<'_>, authorities: &[&Authority], names: &[String], now: SystemTime) -> bool {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        // One that cannot be used as a root vouches for nothing.
        let _ = roots.add(authority.certificate.clone());
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
        return false;
    };
    let now = UnixTime::since_unix_epoch(now.duration_since(UNIX_EPOCH).unwrap_or_default());
    names.iter().all(|name| {
        ServerName::try_from(name.as_str())
            .is_ok_and(|name| verifier.verify_server_cert(leaf, &[], &name, &[], now).is_ok())
    })
}

pub(crate) fn to_pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in encoded.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + "-----END CERTIFICATE-----\n"
}
