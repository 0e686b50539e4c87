//! The names and numbers that injector, init and proxy agree on, and that manifests and images repeat.
//!
//! Most are not ours to choose: they are Istio's, and changing one breaks every cluster that moves over.
//! Nothing here depends on anything else, so that every other crate may depend on this one.

pub mod address;
pub mod annotation;
pub mod config;
pub mod container;
pub mod environment;
pub mod identity;
pub mod image;
pub mod label;
pub mod namespace;
pub mod port;
