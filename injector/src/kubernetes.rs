//! The Kubernetes API as the injector uses it.

pub mod certificates;
pub mod lease;
pub mod registration;
