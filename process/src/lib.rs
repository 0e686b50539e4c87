//! How a process of ours logs, says it is ready, drains and exits. What the process is for is not known here.
//!
//! Core: [`readiness`], [`drain`] and [`exit`] are plain state. Edge: [`log`] writes to standard error and [`signal`]
//! listens to the kernel.

pub mod exit;
pub mod log;

#[cfg(feature = "server")]
pub mod drain;
#[cfg(feature = "server")]
pub mod readiness;
#[cfg(feature = "server")]
pub mod signal;
