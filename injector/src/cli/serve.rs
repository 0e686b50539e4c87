//! `serve`: the admission webhook.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustls::ServerConfig;
use sidecar_contract::port;
use sidecar_process::drain::{Drain, Drained};
use sidecar_process::readiness::Readiness;
use sidecar_process::signal::Termination;

use crate::cli::{ConfigArgs, Failure};
use crate::files;
use crate::server::{Bound, certificate};

/// How long the requests under way may take to end: less than the grace period of the Deployment, more than any request
/// is given.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Address of the webhook; [::] takes IPv4 too. Default [::]:15017, with --dev 127.0.0.1:15017.
    #[arg(long, value_name = "ADDRESS")]
    pub https_address: Option<SocketAddr>,
    /// Address of /healthz, /readyz and /metrics. Default [::]:15014, with --dev 127.0.0.1:15014.
    #[arg(long, value_name = "ADDRESS")]
    pub monitoring_address: Option<SocketAddr>,
    /// Serving certificate and its chain, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key_file", required_unless_present = "dev")]
    pub tls_cert_file: Option<PathBuf>,
    /// Private key of the serving certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    pub tls_key_file: Option<PathBuf>,
    /// Try it out: a self-signed certificate, on loopback.
    #[arg(long, conflicts_with_all = ["tls_cert_file", "tls_key_file"])]
    pub dev: bool,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT, then finishes the requests under way.
    ///
    /// # Errors
    /// When the configuration, the certificate or an address cannot be used.
    pub fn run(&self) -> Result<(), Failure> {
        let injector = Arc::new(self.config.load()?);
        let tls = self.tls()?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::of(&error))?;
        runtime.block_on(async {
            let bound = Bound::bind(self.https_address(), self.monitoring_address())
                .await
                .map_err(|error| Failure::of(&error))?;
            let (https, monitoring) = (bound.https_address(), bound.monitoring_address());
            if let (Ok(https), Ok(monitoring)) = (https, monitoring) {
                tracing::info!(%https, %monitoring, "listening");
            }
            let termination = Termination::listen().map_err(|error| Failure::of(&error))?;
            until_drained(bound, injector, tls, termination).await;
            Ok(())
        })
    }

    fn https_address(&self) -> SocketAddr {
        self.https_address.unwrap_or_else(|| self.default_address(port::WEBHOOK))
    }

    fn monitoring_address(&self) -> SocketAddr {
        self.monitoring_address.unwrap_or_else(|| self.default_address(port::INJECTOR_MONITORING))
    }

    fn default_address(&self, port: u16) -> SocketAddr {
        if self.dev { (Ipv4Addr::LOCALHOST, port).into() } else { (Ipv6Addr::UNSPECIFIED, port).into() }
    }

    fn tls(&self) -> Result<Arc<ServerConfig>, Failure> {
        let (certificate, key, origin) = match (&self.tls_cert_file, &self.tls_key_file) {
            (Some(certificate_file), Some(key_file)) => {
                let certificate = files::read(certificate_file).map_err(|error| Failure::of(&error))?;
                let key = files::read(key_file).map_err(|error| Failure::of(&error))?;
                (certificate, key, format!("{}, {}: ", certificate_file.display(), key_file.display()))
            }
            _ => {
                let issued = certificate::issue(&[]).map_err(|error| Failure::of(&error))?;
                (issued.certificate, issued.key, String::new())
            }
        };
        certificate::server_config(&certificate, &key)
            .map_err(|error| Failure { messages: vec![format!("{origin}{error}")] })
    }
}

async fn until_drained(
    bound: Bound,
    injector: Arc<crate::context::Injector>,
    tls: Arc<ServerConfig>,
    mut termination: Termination,
) {
    let readiness = Readiness::new();
    let (drain, watch) = Drain::new();
    let server = tokio::spawn(bound.serve(injector, tls, readiness.clone(), watch));
    let signal = termination.wait().await;
    readiness.withdraw("draining");
    tracing::info!(signal, "draining");
    tokio::select! {
        drained = drain.run(DRAIN_DEADLINE) => match drained {
            Drained::Finished => tracing::info!("drained"),
            Drained::Forced(connections) => tracing::warn!(connections, "cut off at the deadline"),
        },
        signal = termination.wait() => tracing::warn!(signal, "second signal: ending at once"),
    }
    server.abort();
}
