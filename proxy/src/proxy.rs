//! The proxy as a whole: bind, serve, drain.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sidecar_process::drain::{Drain, DrainWatch, Drained};
use sidecar_process::readiness::Readiness;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::access_log::AccessLog;
use crate::bind::{self, BindErrors, Listening, Ports, Purpose};
use crate::http_server;
use crate::monitoring::{self, DRAINING, Server};
use crate::original_destination::OriginalDestination;
use crate::own_dials::OwnDials;
use crate::reset_ports::ResetPorts;
use crate::route::Direction;
use crate::seldom::Seldom;
use crate::shared::Shared;
use crate::socket::Liveness;
use crate::stats::{Stats, WorkerStats, listener_label};
use crate::worker::{self, Handle};
use crate::{file_limit, sizing};

/// How often a draining proxy looks whether a connection is still open.
const IDLE_CHECK: Duration = Duration::from_millis(20);

/// How long a worker may take to end once its connections are cut.
const WORKER_END: Duration = Duration::from_secs(1);

/// How to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub ports: Ports,
    /// Data-plane threads.
    pub workers: NonZeroUsize,
    /// Connections open at once in each direction, if the file descriptor limit allows.
    pub max_connections: u32,
    /// How long a destination may take to accept.
    pub connect_timeout: Duration,
    /// How long a connection may be silent of which one direction has ended; `None` for ever.
    pub half_close_timeout: Option<Duration>,
    /// How dead peers are found.
    pub liveness: Liveness,
    /// Whether a line is logged for every connection.
    pub access_log: bool,
    /// When the proxy ends: how long it goes on at least, for those who have not noticed yet.
    pub drain_minimum: Duration,
    /// When the proxy ends: how long it goes on at most, until open connections have finished.
    pub drain_duration: Duration,
}

/// All sockets are open; nothing is served yet, but connections already queue.
pub struct Bound {
    settings: Settings,
    listening: Vec<Listening>,
    original_destination: Arc<dyn OriginalDestination>,
}

/// A proxy at work.
pub struct Running {
    readiness: Readiness,
    drain: Drain,
    drain_minimum: Duration,
    drain_duration: Duration,
    /// The open connections of each worker.
    open: Vec<TaskTracker>,
    workers: Workers,
    /// Health and metrics; ends when dropped.
    _servers: JoinSet<()>,
}

/// What each worker says at its end.
type Workers = JoinSet<Result<io::Result<usize>, oneshot::error::RecvError>>;

/// The proxy cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Sockets could not be opened.
    #[error(transparent)]
    Bind(#[from] BindErrors),
    /// The operating system refused something that every start needs.
    #[error("cannot start: the system refuses {what}")]
    Start {
        /// What was refused.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A worker ended although nobody asked it to.
    #[error("a worker failed")]
    Worker(#[source] io::Error),
    /// A worker panicked.
    #[error("a worker died; its panic is on standard error")]
    WorkerDied,
}

/// Opens all sockets.
///
/// # Errors
/// [`Error::Bind`] names every socket that could not be opened.
pub fn bind(settings: Settings, original_destination: Arc<dyn OriginalDestination>) -> Result<Bound, Error> {
    let listening = bind::bind(settings.ports, settings.liveness)?;
    Ok(Bound { settings, listening, original_destination })
}

impl Bound {
    /// What listens where.
    pub fn listening(&self) -> &[Listening] {
        &self.listening
    }

    /// Starts to serve. Health is answered from the first moment, with 503 until every worker accepts connections.
    ///
    /// # Errors
    /// When the operating system gives no thread or no event queue.
    pub async fn serve(self) -> Result<Running, Error> {
        let Self { settings, listening, original_destination } = self;
        let readiness = Readiness::new();
        let accepting = readiness.register("workers");
        let (traffic, monitoring) = listening.into_iter().partition::<Vec<_>, _>(|l| traffic(l).is_some());
        let stats: Vec<_> =
            std::iter::repeat_with(|| Arc::new(WorkerStats::new(traffic.len()))).take(settings.workers.get()).collect();
        let server = Server { readiness: readiness.clone(), started: Instant::now(), workers: stats.len() };
        let listeners = traffic.iter().map(|listening| listener_label(listening.address)).collect();
        let servers = serve_monitoring(monitoring, Stats { listeners, workers: stats.clone() }, server)?;

        let (drain, watch) = Drain::new();
        let handles = start_workers(&settings, &traffic, &original_destination, stats, &watch)?;
        let mut workers = JoinSet::new();
        let mut open_connections = Vec::new();
        for Handle { open, started, ended } in handles {
            open_connections.push(open);
            // An error means that the worker is over already; why is for `failed` to tell.
            let _ = started.await;
            workers.spawn(ended);
        }
        accepting.ready();
        let Settings { drain_minimum, drain_duration, .. } = settings;
        let open = open_connections;
        Ok(Running { readiness, drain, drain_minimum, drain_duration, open, workers, _servers: servers })
    }
}

impl Running {
    /// Completes only if a worker ends although nobody asked it to.
    pub async fn failed(&mut self) -> Error {
        match self.workers.join_next().await {
            Some(Ok(Ok(Err(error)))) => Error::Worker(error),
            _ => Error::WorkerDied,
        }
    }

    /// Withdraws readiness, goes on until no connection is open, for [`Settings::drain_minimum`] at least, and resets
    /// those that are left when [`Settings::drain_duration`] is over.
    ///
    /// Connections are accepted until the end: the rules still send them here, and the application may have to call
    /// others while it shuts down.
    pub async fn drain(mut self) -> Drained {
        self.readiness.withdraw(DRAINING);
        let deadline = Instant::now() + self.drain_duration;
        let idle = async {
            tokio::time::sleep(self.drain_minimum).await;
            while self.open.iter().any(|open| !open.is_empty()) {
                tokio::time::sleep(IDLE_CHECK).await;
            }
        };
        // Idle or not, what is open when accepting ends has until the same deadline.
        let _ = tokio::time::timeout(self.drain_duration, idle).await;
        let workers = self.drain.run(deadline.saturating_duration_since(Instant::now())).await;
        let mut connections = 0;
        let all_ended = async {
            while let Some(ended) = self.workers.join_next().await {
                if let Ok(Ok(Ok(cut))) = ended {
                    connections += cut;
                }
            }
        };
        if tokio::time::timeout(WORKER_END, all_ended).await.is_err() {
            tracing::warn!(workers = self.workers.len(), "workers that did not end are abandoned");
        }
        match workers {
            Drained::Finished => Drained::Finished,
            Drained::Forced(_) => Drained::Forced(connections),
        }
    }
}

const fn traffic(listening: &Listening) -> Option<Direction> {
    match listening.purpose {
        Purpose::Traffic(direction) => Some(direction),
        Purpose::Health | Purpose::Prometheus => None,
    }
}

fn serve_monitoring(listening: Vec<Listening>, stats: Stats, server: Server) -> Result<JoinSet<()>, Error> {
    let health = monitoring::health(server.readiness.clone());
    let prometheus = monitoring::prometheus(stats, server);
    let mut servers = JoinSet::new();
    for Listening { purpose, socket, .. } in listening {
        let router = if purpose == Purpose::Health { health.clone() } else { prometheus.clone() };
        let listener = tokio::net::TcpListener::from_std(socket).map_err(refused("to serve health and metrics"))?;
        servers.spawn(async move { match http_server::serve(listener, router).await {} });
    }
    Ok(servers)
}

fn start_workers(
    settings: &Settings,
    traffic: &[Listening],
    original_destination: &Arc<dyn OriginalDestination>,
    stats: Vec<Arc<WorkerStats>>,
    drain: &DrainWatch,
) -> Result<Vec<Handle>, Error> {
    let file_limit =
        file_limit::raise().map_err(io::Error::from).map_err(refused("to tell the file descriptor limit"))?;
    let max_connections = sizing::connections(settings.max_connections, file_limit, stats.len());
    tracing::info!(workers = stats.len(), max_connections, file_limit, "serving");
    let room = || Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let (inbound, outbound) = (room(), room());
    let directions: Vec<_> = traffic.iter().filter_map(self::traffic).collect();
    let room: Vec<_> = directions
        .iter()
        .map(|direction| match direction {
            Direction::Inbound => inbound.clone(),
            Direction::Outbound => outbound.clone(),
        })
        .collect();
    let own_ports: Vec<_> = traffic.iter().map(|listening| listening.address.port()).collect();
    let (own_dials, reset_ports) = (Arc::new(OwnDials::default()), Arc::new(ResetPorts::default()));
    let start = |(index, stats)| {
        let shared = Shared {
            directions: directions.clone(),
            own_ports: own_ports.clone(),
            connect_timeout: settings.connect_timeout,
            half_close_timeout: settings.half_close_timeout,
            liveness: settings.liveness,
            own_dials: own_dials.clone(),
            own_dial_refused: Seldom::default(),
            reset_ports: reset_ports.clone(),
            original_destination: original_destination.clone(),
            room: room.clone(),
            stats,
            drain: drain.clone(),
            open: TaskTracker::new(),
            access_log: AccessLog::new(settings.access_log),
        };
        let listeners = traffic.iter().map(|listening| listening.socket.try_clone()).collect::<io::Result<_>>();
        listeners
            .and_then(|listeners| worker::start(index, shared, listeners))
            .map_err(refused("another worker thread; try a lower --concurrency"))
    };
    stats.into_iter().enumerate().map(start).collect()
}

fn refused(what: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Start { what, source }
}
