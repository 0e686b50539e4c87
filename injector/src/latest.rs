//! Following a channel that holds one value, and may be all that is left of who told it.

use tokio::sync::watch;

/// Completes at the next change, and never when there can be none: a sender that is gone leaves its last value in use.
pub(crate) async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
