//! Waiting in tests for what another task does.

use std::time::Duration;

use tokio::time::sleep;

/// Returns once it holds.
///
/// # Panics
/// When it does not in a minute: tests beside each other have little of a machine.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("not in a minute");
}
