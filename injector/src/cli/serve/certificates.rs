//! Which certificate is served.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rustls::ServerConfig;
use sidecar_contract::config::INJECTOR_NAME;
use tokio::sync::watch;

use super::Serve;
use super::parts::Parts;
use crate::certificates::{LOOPBACK_NAMES, Pair, Settings, Validity, issue};
use crate::cli::kubernetes::Connection;
use crate::cli::registration::named;
use crate::cli::{Failure, names};
use crate::clock;
use crate::kubernetes::certificates::{SecretPlace, follow, manage};
use crate::registration::Endpoint;
use crate::server::certificate_files::CertificateFiles;
use crate::server::certificate_load::Outlets;

/// Which certificate is served.
#[derive(Clone, Debug, Args)]
pub struct CertificateArgs {
    /// Where the serving certificate comes from. Default: files when --tls-cert-file is given, else managed.
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub certificates: Option<CertificateSource>,
    /// Serving certificate and its chain, PEM; read again when it changes.
    #[arg(long, value_name = "FILE", requires = "tls_key_file")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the serving certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// Secret with the serving certificate. Default: istio-sidecar-injector[-REVISION]-certificate.
    #[arg(long, value_name = "NAME", value_parser = names::object)]
    pub certificate_secret: Option<String>,
    /// How long a managed serving certificate is good; it is replaced after two thirds of it.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "24h")]
    pub certificate_lifetime: Duration,
    /// How long a managed certificate authority is good; it is replaced after two thirds of it.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "90days")]
    pub ca_lifetime: Duration,
    /// How long a new authority is told to clients before it signs.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "10m", hide = true)]
    pub ca_overlap: Duration,
}

/// Where the serving certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CertificateSource {
    /// An authority and a certificate of our own in a Secret, made and renewed by one of the replicas.
    Managed,
    /// A Secret that somebody else writes, such as cert-manager: tls.crt, tls.key, and ca.crt.
    Secret,
    /// --tls-cert-file and --tls-key-file.
    Files,
    /// Made at start and gone at the end.
    #[value(skip)]
    SelfSigned,
}

impl Serve {
    /// Where the serving certificate comes from.
    pub(super) fn certificate_source(&self) -> CertificateSource {
        match self.certificate.certificates {
            _ if self.dev => CertificateSource::SelfSigned,
            Some(source) => source,
            None if self.certificate.tls_cert_file.is_some() => CertificateSource::Files,
            None => CertificateSource::Managed,
        }
    }

    /// Starts to follow the certificate's source, and returns what the listener needs.
    pub(super) fn start_certificates(&self, parts: &mut Parts) -> Result<Arc<ServerConfig>, Failure> {
        let (bundle, receiver) = watch::channel(None);
        parts.bundle = receiver;
        let outlets = Outlets {
            serving: parts.serving.clone(),
            bundle,
            metrics: Arc::clone(&parts.metrics),
            condition: parts.readiness.register("certificate"),
            clock: clock::now,
        };
        match self.certificate_source() {
            CertificateSource::SelfSigned => {
                let pair = self_signed()?;
                parts.serving.set(&pair).map_err(|error| Failure::of(&error))?;
                outlets.condition.ready_with("self-signed");
            }
            CertificateSource::Files => {
                let files = self.certificate_files()?;
                // At start there is somebody to tell.
                let with_origin = |problem| Failure { messages: vec![format!("{}: {problem}", files.origin())] };
                files.pair().map_err(with_origin)?;
                parts.tasks.spawn(files.follow(outlets));
            }
            CertificateSource::Secret => {
                let (Connection { client, .. }, place) = self.secret(parts)?;
                parts.tasks.spawn(follow(client, place, outlets));
            }
            CertificateSource::Managed => {
                let (Connection { client, namespace }, place) = self.secret(parts)?;
                let settings = self.certificate_settings(&namespace);
                settings.check().map_err(|messages| Failure { messages })?;
                if !self.register {
                    let (secret, within) = (&place.name, humantime::format_duration(settings.time_to_publish()));
                    tracing::warn!(
                        secret,
                        %within,
                        "without --register nobody writes the caBundle: apply it again whenever ca.crt of the Secret changes, before the new authority signs"
                    );
                }
                // Without --register nobody tells.
                let published = parts.published.subscribe();
                parts.tasks.spawn(manage(client, place, settings, parts.leads.clone(), published, outlets));
            }
        }
        parts.serving.server_config().map_err(|error| Failure::of(&error))
    }

    fn certificate_files(&self) -> Result<CertificateFiles, Failure> {
        let CertificateArgs { tls_cert_file, tls_key_file, .. } = &self.certificate;
        match (tls_cert_file, tls_key_file) {
            (Some(certificate), Some(key)) => Ok(CertificateFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                bundle: self.registration.ca_bundle_file.clone(),
            }),
            _ => {
                let missing = "--certificates=files needs --tls-cert-file and --tls-key-file";
                Err(Failure { messages: vec![missing.to_owned()] })
            }
        }
    }

    fn secret(&self, parts: &Parts) -> Result<(Connection, SecretPlace), Failure> {
        let connection = parts.connection()?;
        let default = || format!("{}-certificate", named(INJECTOR_NAME, self.revision()));
        let name = self.certificate.certificate_secret.clone().unwrap_or_else(default);
        let place = SecretPlace { namespace: connection.namespace.clone(), name, events: parts.events.clone() };
        Ok((connection, place))
    }

    fn certificate_settings(&self, namespace: &str) -> Settings {
        let registration = self.registration.settings(self.revision(), namespace);
        let mut names = vec![registration.host()];
        if let Endpoint::Service { name, .. } = &registration.endpoint {
            // By which others than the API server may call it.
            names.push(format!("{name}.{namespace}.svc.cluster.local"));
            names.push(format!("{name}.{namespace}"));
        }
        Settings {
            lifetime: self.certificate.certificate_lifetime,
            ca_lifetime: self.certificate.ca_lifetime,
            overlap: self.certificate.ca_overlap,
            ..Settings::new(names)
        }
    }
}

fn self_signed() -> Result<Pair, Failure> {
    let issued = issue(&LOOPBACK_NAMES, Validity::one_year(clock::now())).map_err(|error| Failure::of(&error))?;
    Pair::new(issued.certificate, issued.key).map_err(|error| Failure::of(&error))
}
