//! A data-plane worker: one thread, one single-threaded runtime, its own share of the connections.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::accept::accept;
use crate::shared::Shared;

/// A running worker, as seen from the control runtime.
pub(crate) struct Handle {
    /// Its open connections.
    pub(crate) open: TaskTracker,
    /// Resolves when the worker accepts connections.
    pub(crate) started: oneshot::Receiver<()>,
    /// Resolves when the worker has ended, with the number of connections it cut off; an error if it panicked.
    pub(crate) ended: oneshot::Receiver<io::Result<usize>>,
}

/// Starts a worker that accepts from `listeners`, duplicates of the same sockets that other workers accept from.
pub(crate) fn start(index: usize, shared: Shared, listeners: Vec<TcpListener>) -> io::Result<Handle> {
    let (started_sender, started) = oneshot::channel();
    let (ended_sender, ended) = oneshot::channel();
    let open = shared.open.clone();
    thread::Builder::new().name(format!("worker-{index}")).spawn(move || {
        let result = run(&Arc::new(shared), listeners, started_sender);
        // Nobody listens any more when the process ends without waiting for the drain.
        let _ = ended_sender.send(result);
    })?;
    Ok(Handle { open, started, ended })
}

fn run(shared: &Arc<Shared>, listeners: Vec<TcpListener>, started: oneshot::Sender<()>) -> io::Result<usize> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    // The drain watches the worker, not each connection: watching takes a lock at every wake-up.
    let watched = shared.drain.track(serve(shared.clone(), listeners, started));
    if let Some(Err(error)) = runtime.block_on(watched) {
        return Err(error);
    }
    let cut = shared.open.len();
    shared.access_log.connections_are_cut();
    // Drops the connections that are still open: they are reset, and log themselves.
    drop(runtime);
    Ok(cut)
}

/// Accepts until the drain is nearly over, then waits for the last connection to end.
async fn serve(shared: Arc<Shared>, listeners: Vec<TcpListener>, started: oneshot::Sender<()>) -> io::Result<()> {
    let mut accepting = JoinSet::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accepting.spawn(accept(shared.clone(), index, listener));
    }
    // Nobody waits for it any more when the start has failed elsewhere.
    let _ = started.send(());
    while let Some(ended) = accepting.join_next().await {
        ended.map_err(io::Error::other)?;
    }
    shared.open.close();
    shared.open.wait().await;
    Ok(())
}
