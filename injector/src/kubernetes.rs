//! The Kubernetes API as the injector uses it.

pub mod cluster;
pub mod config_maps;
mod watching;
