//! `serve`: the admission webhook.

mod certificates;
mod check;
mod configuration;
mod parts;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sidecar_contract::port;
use sidecar_process::drain::{Drain, Drained};
use sidecar_process::signal::Termination;

use crate::cli::kubernetes::ClientArgs;
use crate::cli::registration::{RegistrationArgs, unnamed};
use crate::cli::{ConfigArgs, Failure};
use crate::server::Bound;
pub use certificates::{CertificateArgs, CertificateSource};
pub use configuration::ConfigMapArgs;
use parts::Parts;

/// How long the requests under way may take to end: more than any request is given. With `--drain-delay` before it, less
/// than the grace period of the Deployment.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);
/// Endpoints follow readiness within a second or two, and connections come in until everybody has heard of it.
const DRAIN_DELAY: Duration = Duration::from_secs(5);
/// Work that goes on longer is done elsewhere; what it holds in memory is multiplied by this number.
const MAX_THREADS: usize = 4;

/// Flags of `serve`.
#[derive(Debug, Args)]
#[command(after_help = crate::cli::examples::serve())]
pub struct Serve {
    /// Address of the webhook; `[::]` takes IPv4 too. Default `[::]:15017`, with --dev 127.0.0.1:15017.
    #[arg(long, value_name = "ADDRESS")]
    pub https_address: Option<SocketAddr>,
    /// Address of /healthz, /readyz and /metrics. Default `[::]:15014`, with --dev 127.0.0.1:15014.
    #[arg(long, value_name = "ADDRESS")]
    pub monitoring_address: Option<SocketAddr>,
    /// How long to go on accepting connections after SIGTERM, while /readyz answers 503 already; as 5s or 500ms. Default
    /// 5s, with --dev 0s.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub drain_delay: Option<Duration>,
    /// Try it out: on loopback, with a self-signed certificate, the embedded configuration where no file is given, and
    /// without a cluster.
    #[arg(long, conflicts_with_all = ["tls_cert_file", "certificates", "register"])]
    pub dev: bool,
    /// Keep the webhook configurations on the API server right: which pods it shows to this injector, and how it gets
    /// here. One of the replicas does.
    #[arg(long)]
    pub register: bool,
    /// Whether to write Events: on the owners of pods that get no sidecar, and on the objects that the configuration and
    /// the certificate come from. They need a cluster.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = true, default_missing_value = "true",
        require_equals = true, action = clap::ArgAction::Set)]
    pub events: bool,
    /// Lease by which the replicas agree on one that writes. Default: istio-sidecar-injector[-REVISION].
    #[arg(long, value_name = "NAME")]
    pub leader_elect_lease: Option<String>,
    /// What to call this replica in the Lease and in Events. Default: the name of the host.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    pub pod_name: Option<String>,
    /// Which certificate is served.
    #[command(flatten)]
    pub certificate: CertificateArgs,
    /// Collector of traces that speaks OTLP over plain HTTP, as http://collector:4318; without one there are none.
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Where the configuration comes from.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which ConfigMaps hold it.
    #[command(flatten)]
    pub config_maps: ConfigMapArgs,
    /// What to register.
    #[command(flatten)]
    pub registration: RegistrationArgs,
    /// Where.
    #[command(flatten)]
    pub client: ClientArgs,
}

impl Serve {
    /// Serves until SIGTERM or SIGINT, then finishes the requests under way.
    ///
    /// # Errors
    /// When files of the configuration or the certificate, or an address, cannot be used; when there is no cluster and one
    /// is needed.
    pub fn run(&self) -> Result<(), Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .map_err(|error| Failure::of(&error))?;
        runtime.block_on(self.serve())
    }

    async fn serve(&self) -> Result<(), Failure> {
        self.check()?;
        // First, so that whoever reads that it listens can end it properly.
        let termination = Termination::listen().map_err(|error| Failure::of(&error))?;
        let mut parts = Parts::new(self).await?;
        let tls = self.start_certificates(&mut parts)?;
        self.start_configuration(&mut parts).await?;
        self.start_registration(&mut parts)?;
        let bound =
            Bound::bind(self.https_address(), self.monitoring_address()).await.map_err(|error| Failure::of(&error))?;
        if let (Ok(https), Ok(monitoring)) = (bound.https_address(), bound.monitoring_address()) {
            tracing::info!(%https, %monitoring, "listening");
        }
        self.start_election(&mut parts)?;
        let (drain, watch) = Drain::new();
        let server = bound.serve(
            Arc::clone(&parts.current),
            tls,
            Arc::clone(&parts.metrics),
            parts.events.clone(),
            parts.readiness.clone(),
            watch,
        );
        tokio::select! {
            never = server => match never {},
            failure = parts.tasks.ended() => Err(failure),
            () = until_drained(termination, self.drain_delay(), &parts.readiness, &mut parts.election, drain) => Ok(()),
        }
    }

    /// How long connections are accepted after SIGTERM.
    pub fn drain_delay(&self) -> Duration {
        // Nobody sends traffic to a process on loopback by its readiness.
        self.drain_delay.unwrap_or(if self.dev { Duration::ZERO } else { DRAIN_DELAY })
    }

    /// The revision as part of names: empty for the one without a name, which is the same as `default`.
    pub fn revision(&self) -> &str {
        unnamed(&self.config.revision)
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
}

/// Waits for a signal, and then for the end of the drain, or for a second signal.
async fn until_drained(
    mut termination: Termination,
    delay: Duration,
    readiness: &sidecar_process::readiness::Readiness,
    election: &mut parts::Candidacy,
    drain: Drain,
) {
    let signal = termination.wait().await;
    readiness.withdraw("draining");
    drain.announce();
    tracing::info!(signal, ?delay, deadline = ?DRAIN_DEADLINE, "draining");
    let draining = async {
        // Another replica is to lead before this one is gone.
        election.resign().await;
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
