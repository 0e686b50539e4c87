//! The injector on a real API server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod certificates;
mod check;
mod configuration;
mod installation;
mod registration;
mod requests;
mod scenarios;
