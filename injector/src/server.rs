//! The webhook as a server: bind first, then serve, then drain.

mod accept;
mod answer;
mod body;
pub mod certificate;
pub mod certificate_files;
pub mod certificate_load;
mod connection;
mod monitoring;
mod peers;
mod spans;
mod tls;
mod unread;
mod webhook;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use sidecar_process::drain::DrainWatch;
use sidecar_process::readiness::Readiness;
use tokio::net::TcpListener;

use crate::context::Injector;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::server::peers::Peers;
use crate::server::tls::Shared;

pub use body::MAX_BODY_BYTES;

/// The injector that answers now; none before the first configuration is there. A request keeps the one it began with.
pub type Current = Arc<ArcSwapOption<Injector>>;

/// Sockets that are bound and not served yet, so that their addresses are known and every conflict has shown.
#[derive(Debug)]
pub struct Bound {
    https: TcpListener,
    monitoring: TcpListener,
}

/// A socket that could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {purpose}; is another process using the port?")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// What it was to serve.
    pub purpose: &'static str,
    /// Why the kernel refused.
    pub source: io::Error,
}

impl Bound {
    /// Binds both sockets.
    ///
    /// # Errors
    /// When one of them cannot be bound.
    pub async fn bind(https: SocketAddr, monitoring: SocketAddr) -> Result<Self, BindError> {
        Ok(Self { https: listen(https, "the webhook").await?, monitoring: listen(monitoring, "monitoring").await? })
    }

    /// Where the webhook listens.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn https_address(&self) -> io::Result<SocketAddr> {
        self.https.local_addr()
    }

    /// Where health, readiness and metrics are.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn monitoring_address(&self) -> io::Result<SocketAddr> {
        self.monitoring.local_addr()
    }

    /// Serves reviews until `watch` says to stop, and finishes those under way; what owners of pods should know goes to
    /// `events`. Monitoring answers to the very end, so
    /// this never completes: drop it to end it.
    pub async fn serve(
        self,
        current: Current,
        tls: Arc<ServerConfig>,
        metrics: Arc<Metrics>,
        events: Events,
        readiness: Readiness,
        watch: DrainWatch,
    ) -> Infallible {
        let listening = readiness.register("webhook listener");
        let monitoring = monitoring::serve(self.monitoring, Arc::clone(&metrics), readiness);
        let peers = Peers::default();
        let router = webhook::router(current, Arc::clone(&metrics), events, peers.clone());
        let webhook = tls::serve(self.https, Shared { acceptor: tls.into(), router, peers, metrics }, watch);
        listening.ready();
        let (never, ()) = tokio::join!(monitoring, webhook);
        never
    }
}

/// An unspecified IPv6 address also takes IPv4, and falls back to it on a host without IPv6.
async fn listen(address: SocketAddr, purpose: &'static str) -> Result<TcpListener, BindError> {
    let bound = match TcpListener::bind(address).await {
        Err(error) if address.is_ipv6() && address.ip().is_unspecified() && is_ipv6_missing(&error) => {
            TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    };
    bound.map_err(|source| BindError { address, purpose, source })
}

fn is_ipv6_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::AddrNotAvailable)
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// Address family not supported by protocol (Linux); the standard library has no name for it.
const EAFNOSUPPORT: i32 = 97;
