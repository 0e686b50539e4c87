//! The Kubernetes API as the injector uses it.

pub mod events;
