//! The sidecar injector: decides which pods get a sidecar, and adds it.
//!
//! The webhook and the command line are shells over the same functions, which is why the offline result equals the
//! online one. A pod is a [`serde_json::Value`] from end to end: a typed pod would drop the fields it does not know.
//!
//! ```text
//! decide(pod, namespace, config) -> Decision        inject(pod, context) -> Outcome
//! review(AdmissionReview)        -> AdmissionReview manifest::inject(YAML stream) -> YAML stream + report
//! ```
//!
//! Core: [`annotations`], [`config`], [`context`], [`decide`], [`defaults`], [`inject`], [`manifest`], [`merge`],
//! [`keyed`], [`mesh`], [`mode`], [`patch`], [`pod_schema`], [`quantity`], [`review`], [`selector`], [`status`],
//! [`template`], [`undo`], [`workload`], [`yaml`].
//! Edge: [`cli`], [`files`], [`metrics`], [`server`].

pub mod annotations;
#[cfg(test)]
mod arbitrary;
pub mod cli;
pub mod config;
pub mod context;
pub mod decide;
pub mod defaults;
pub mod files;
pub mod inject;
pub(crate) mod keyed;
pub mod manifest;
pub mod merge;
pub mod mesh;
pub mod metrics;
pub mod mode;
pub mod patch;
pub(crate) mod pod_schema;
pub mod quantity;
pub mod review;
pub mod selector;
pub mod server;
pub mod status;
pub mod template;
pub mod undo;
pub mod workload;
pub mod yaml;
