//! What Go renders, this crate renders.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, and says on standard output what it did"
)]

mod cases;
mod data;
mod differential;
mod functions;
mod golden;
mod mutation;
mod person;
mod request;
