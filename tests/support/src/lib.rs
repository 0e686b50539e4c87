//! What the tests of every crate share. Knows no program of ours.
//!
//! Core: [`program`].
//! Edge: [`api_server`], [`binary`], [`command`], [`conformance`], [`eventually`], [`golden`], [`namespace`],
//! [`privilege`], [`process`].
//!
//! Nothing here is shipped. A guard (namespace, process) undoes what it did when it is dropped, also in a panic.

pub mod api_server;
pub mod binary;
pub mod command;
pub mod conformance;
pub mod eventually;
pub mod golden;
pub mod namespace;
pub mod privilege;
pub mod process;
pub mod program;
