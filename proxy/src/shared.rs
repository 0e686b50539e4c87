//! What the connections of a worker look at.

use std::sync::Arc;
use std::time::Duration;

use sidecar_process::drain::DrainWatch;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::access_log::AccessLog;
use crate::original_destination::OriginalDestination;
use crate::own_dials::OwnDials;
use crate::reset_ports::ResetPorts;
use crate::route::Direction;
use crate::seldom::Seldom;
use crate::socket::Liveness;
use crate::stats::WorkerStats;

/// What the connections of one worker look at. What is in an `Arc`, workers have in common.
pub(crate) struct Shared {
    /// By position of the listener.
    pub(crate) directions: Vec<Direction>,
    pub(crate) own_ports: Vec<u16>,
    pub(crate) connect_timeout: Duration,
    pub(crate) half_close_timeout: Option<Duration>,
    pub(crate) liveness: Liveness,
    pub(crate) own_dials: Arc<OwnDials>,
    pub(crate) own_dial_refused: Seldom,
    pub(crate) reset_ports: Arc<ResetPorts>,
    pub(crate) original_destination: Arc<dyn OriginalDestination>,
    /// Places left under the limit of open connections, by position of the listener; one limit a direction, so that
    /// peers cannot keep the application from calling out, nor the other way round.
    pub(crate) room: Vec<Arc<Semaphore>>,
    pub(crate) stats: Arc<WorkerStats>,
    pub(crate) drain: DrainWatch,
    pub(crate) open: TaskTracker,
    pub(crate) access_log: AccessLog,
}
