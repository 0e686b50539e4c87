//! `serve`: the admission webhook.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use clap::Args;
use rustls::ServerConfig;
use sidecar_contract::config::DEFAULT_REVISION;
use sidecar_contract::port;
use sidecar_process::drain::{Drain, Drained};
use sidecar_process::readiness::Readiness;
use sidecar_process::signal::Termination;

use crate::certificates::{LOOPBACK_NAMES, Validity, issue};
use crate::cli::{ConfigArgs, Failure};
use crate::clock::now;
use crate::events::Events;
use crate::files;
use crate::server::Bound;
use crate::server::certificate;

/// How long the requests under way may take to end: more than any request is given. With `--drain-delay` before it, less
/// than the grace period of the Deployment.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);
/// Endpoints follow readiness within a second or two, and connections come in until everybody has heard of it.
const DRAIN_DELAY: Duration = Duration::from_secs(5);
/// Work that goes on longer is done elsewhere; what it holds in memory is multiplied by this number.
const MAX_THREADS: usize = 4;

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
    /// How long to go on accepting connections after SIGTERM, while /readyz answers 503 already; as 5s or 500ms. Default
    /// 5s, with --dev 0s.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub drain_delay: Option<Duration>,
    /// Try it out: a self-signed certificate, on loopback.
    #[arg(long, conflicts_with_all = ["tls_cert_file", "tls_key_file"])]
    pub dev: bool,
    /// Collector of traces that speaks OTLP over plain HTTP, as http://collector:4318; without one there are none.
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
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
        let mut injector = self.config.load()?;
        if injector.revision.is_empty() {
            DEFAULT_REVISION.clone_into(&mut injector.revision);
        }
        let current = Arc::new(ArcSwapOption::from_pointee(injector));
        let tls = self.tls()?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Failure::of(&error))?;
        runtime.block_on(async {
            // First, so that whoever reads that it listens can end it properly.
            let termination = Termination::listen().map_err(|error| Failure::of(&error))?;
            let bound = Bound::bind(self.https_address(), self.monitoring_address())
                .await
                .map_err(|error| Failure::of(&error))?;
            let (https, monitoring) = (bound.https_address(), bound.monitoring_address());
            if let (Ok(https), Ok(monitoring)) = (https, monitoring) {
                tracing::info!(%https, %monitoring, "listening");
            }
            let readiness = Readiness::new();
            let (drain, watch) = Drain::new();
            tokio::select! {
                never = bound.serve(current, tls, Arc::default(), Events::default(), readiness.clone(), watch) => match never {},
                () = until_drained(termination, self.drain_delay(), readiness, drain) => Ok(()),
            }
        })
    }

    /// How long connections are accepted after SIGTERM.
    pub fn drain_delay(&self) -> Duration {
        // Nobody sends traffic to a process on loopback by its readiness.
        self.drain_delay.unwrap_or(if self.dev { Duration::ZERO } else { DRAIN_DELAY })
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
                let issued = issue(&LOOPBACK_NAMES, Validity::one_year(now())).map_err(|error| Failure::of(&error))?;
                (issued.certificate, issued.key, String::new())
            }
        };
        certificate::server_config(&certificate, &key)
            .map_err(|error| Failure { messages: vec![format!("{origin}{error}")] })
    }
}

/// Waits for a signal, and then for the end of the drain, or for a second signal.
async fn until_drained(mut termination: Termination, delay: Duration, readiness: Readiness, drain: Drain) {
    let signal = termination.wait().await;
    readiness.withdraw("draining");
    tracing::info!(signal, ?delay, deadline = ?DRAIN_DEADLINE, "draining");
    let draining = async {
        tokio::time::sleep(delay).await;
        drain.run(DRAIN_DEADLINE).await
    };
    tokio::select! {
        drained = draining => match drained {
            Drained::Finished => tracing::info!("drained"),
            Drained::Forced(connections) => tracing::warn!(connections, "cut off at the deadline"),
        },
        signal = termination.wait() => tracing::warn!(signal, "second signal: ending at once"),
    }
}
