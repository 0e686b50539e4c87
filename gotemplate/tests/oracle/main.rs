//! What Go renders, this crate renders.

mod cases;
mod data;
mod differential;
mod functions;
mod golden;
mod mutation;
mod person;
mod request;
