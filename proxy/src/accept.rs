//! The accept loop of one listener.

use std::sync::Arc;
use std::time::Instant;

use sidecar_process::accept::Acceptor;
use tokio::net::TcpListener;

use crate::connection;
use crate::seldom::Seldom;
use crate::shared::Shared;

/// Accepts connections of one listener until told to stop.
pub(crate) async fn accept(worker: Arc<Shared>, index: usize, listener: TcpListener) {
    let direction = worker.directions[index].as_str();
    let mut acceptor = Acceptor::new(listener, direction, || worker.stats.listener(index).accept_errors.add(1));
    let full = Seldom::default();
    loop {
        let (stream, remote) = tokio::select! {
            biased;
            () = worker.drain.stopping() => return,
            accepted = acceptor.next() => accepted,
        };
        // Refused at once where there is no room: a client that waits cannot tell why.
        let permit = worker.room[index].clone().try_acquire_owned().ok();
        if permit.is_none() && full.is_due(Instant::now()) {
            tracing::warn!(direction, "as many connections are open as may be; refusing others (--max-connections)");
        }
        // The task is owned by the tracker; the worker waits for it, or drops it with its runtime at the deadline.
        tokio::spawn(worker.open.track_future(connection::serve(worker.clone(), index, stream, remote, permit)));
    }
}
