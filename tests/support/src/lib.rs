//! What the tests of every crate share. Knows no program of ours and no Kubernetes.
//!
//! Core: [`program`].
//! Edge: [`binary`], [`command`], [`conformance`], [`eventually`], [`golden`], [`namespace`], [`privilege`], [`process`].
//!
//! Nothing here is shipped. A guard (namespace, process) undoes what it did when it is dropped, also in a panic.

pub mod binary;
pub mod command;
pub mod conformance;
pub mod eventually;
pub mod golden;
pub mod namespace;
pub mod privilege;
pub mod process;
pub mod program;
