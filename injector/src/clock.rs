//! The wall clock.

use std::time::SystemTime;

/// A wall clock: [`now`], or what a test makes of it.
pub type Clock = fn() -> SystemTime;

/// What the system's clock says.
#[expect(clippy::disallowed_methods, reason = "this is the edge at which the clock is read")]
pub fn now() -> SystemTime {
    SystemTime::now()
}
