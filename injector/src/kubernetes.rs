//! The Kubernetes API as the injector uses it.

pub mod certificates;
pub mod cluster;
pub mod config_maps;
pub mod events;
pub mod lease;
pub mod registration;
mod watching;
