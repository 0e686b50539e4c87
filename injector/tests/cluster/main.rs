//! The injector on a real API server.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod registration;
mod requests;
