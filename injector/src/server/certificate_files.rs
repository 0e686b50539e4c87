//! Certificate and key in files, which somebody else renews.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use crate::certificates::material::authorities;
use crate::certificates::{Authority, Pair};
use crate::files;
use crate::files::watch::FileWatch;
use crate::server::certificate_load::{Loader, Outlets};

/// Where the files are.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    /// The certificate and those of its issuers, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// What clients should trust, PEM, when the webhook configuration is to follow it.
    pub bundle: Option<PathBuf>,
}

impl CertificateFiles {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// When one cannot be read, or they cannot be used together.
    pub fn pair(&self) -> Result<Pair, String> {
        let (certificate, key) = (read(&self.certificate)?, read(&self.key)?);
        Pair::new(certificate, key).map_err(|error| error.to_string())
    }

    /// What to call the pair: the paths of its files.
    pub fn origin(&self) -> String {
        format!("{}, {}", self.certificate.display(), self.key.display())
    }

    /// Reads the bundle, when there is to be one.
    ///
    /// # Errors
    /// When it cannot be read, or not all of it is certificates of authorities.
    pub fn authorities(&self) -> Result<Option<(String, Vec<Authority>)>, String> {
        let Some(path) = &self.bundle else { return Ok(None) };
        let pem = read(path)?;
        let mut problems = Vec::new();
        let authorities = authorities(&pem, &mut problems);
        if problems.is_empty() {
            Ok(Some((pem, authorities)))
        } else {
            Err(format!("{}: {}", path.display(), problems.join("; ")))
        }
    }

    /// Reads everything where nothing waits for it: a file can be on a network that is gone.
    async fn read(self) -> (Result<Pair, String>, Result<Option<(String, Vec<Authority>)>, String>) {
        let read = tokio::task::spawn_blocking(move || (self.pair(), self.authorities())).await;
        read.unwrap_or_else(|error| (Err(error.to_string()), Err(error.to_string())))
    }

    /// Serves what is in the files, and goes on with the last good when they cannot be used. Runs for ever.
    pub async fn follow(self, outlets: Outlets) -> Infallible {
        let paths = [Some(&self.certificate), Some(&self.key), self.bundle.as_ref()];
        let mut watch = FileWatch::new(paths.into_iter().flatten().cloned());
        let mut loader = Loader::new(outlets);
        let origin = self.origin();
        let mut told = None;
        loop {
            let (pair, authorities) = self.clone().read().await;
            loader.load(&origin, pair.and_then(|pair| loader.check(pair)));
            match authorities {
                Ok(found) => {
                    told = None;
                    if let Some((pem, authorities)) = found {
                        loader.trust(pem, &authorities);
                    }
                }
                Err(problem) if told.as_ref() == Some(&problem) => {}
                Err(problem) => {
                    tracing::warn!("{problem}; the last good bundle is kept");
                    told = Some(problem);
                }
            }
            watch.changed().await;
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    files::read(path).map_err(|error| format!("{error}: {}", error.source))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "tests write the files that are watched")]

    use std::fs;
    use std::sync::Arc;
    use std::time::Duration;

    use sidecar_process::readiness::Readiness;
    use tokio::sync::watch;

    use super::*;
    use crate::certificates::{Issued, LOOPBACK_NAMES, Validity, issue};
    use crate::clock;
    use crate::eventually::eventually;
    use crate::metrics::Metrics;
    use crate::server::certificate::ServingCertificate;

    #[tokio::test]
    async fn a_new_pair_is_served_and_a_half_written_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let new = || issue(&LOOPBACK_NAMES, Validity::one_year(clock::now())).unwrap();
        let write = |issued: &Issued| {
            fs::write(at("tls.crt"), &issued.certificate).unwrap();
            fs::write(at("tls.key"), &issued.key).unwrap();
        };
        let (one, two) = (new(), new());
        write(&one);
        let (serving, metrics, readiness) =
            (ServingCertificate::default(), Arc::new(Metrics::default()), Readiness::new());
        let outlets = Outlets {
            serving: serving.clone(),
            bundle: watch::channel(None).0,
            metrics: Arc::clone(&metrics),
            condition: readiness.register("certificate"),
            clock: clock::now,
        };
        let files = CertificateFiles { certificate: at("tls.crt"), key: at("tls.key"), bundle: None };
        tokio::spawn(files.follow(outlets));
        eventually(|| readiness.pending().is_empty()).await;
        let first = serving.chain().unwrap();
        fs::write(at("tls.crt"), &two.certificate[..two.certificate.len() / 3]).unwrap();
        eventually(|| readiness.verbose().contains("not PEM")).await;
        assert!(readiness.pending().is_empty());
        assert_eq!(serving.chain().unwrap(), first);
        assert!(metrics.encode().unwrap().contains("certificate_last_load_success 0"));
        write(&two);
        eventually(|| serving.chain().unwrap() != first).await;
        assert!(metrics.encode().unwrap().contains("certificate_last_load_success 1"));
        let second = serving.chain().unwrap();
        let long_ago = clock::now() - Duration::from_secs(2 * 365 * 24 * 3600);
        write(&issue(&LOOPBACK_NAMES, Validity::one_year(long_ago)).unwrap());
        eventually(|| readiness.verbose().contains("the certificate expired at")).await;
        assert!(readiness.pending().is_empty());
        assert_eq!(serving.chain().unwrap(), second);
    }
}
