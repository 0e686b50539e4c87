//! How a process of ours logs, says it is ready, drains and exits. What the process is for is not known here.
//!
//! Core: [`exit`], [`readiness`].
//! Edge: [`accept`], [`drain`], [`log`], [`log_queue`], [`signal`].

pub mod exit;
pub mod log;

#[cfg(feature = "server")]
pub mod accept;
#[cfg(feature = "server")]
pub mod drain;
#[cfg(feature = "server")]
pub mod log_queue;
#[cfg(feature = "server")]
pub mod readiness;
#[cfg(feature = "server")]
pub mod signal;
