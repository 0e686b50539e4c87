//! The sidecar injector: decides which pods get a sidecar, and adds it.
//!
//! The webhook and the command line are shells over the same functions, which is why the offline result equals the
//! online one. A pod is a [`serde_json::Value`] from end to end: a typed pod would drop the fields it does not know.
//!
//! ```text
//! decide(pod, namespace, config) -> Decision        inject(pod, context) -> Outcome       uninject(pod) -> Uninjected
//! review(AdmissionReview)        -> AdmissionReview inject_manifest(YAML stream) -> YAML stream + report
//! ```
//!
//! Core: [`annotations`], [`certificates`], [`config`], [`containers`], [`context`], [`decide`], [`defaults`],
//! [`election`], [`explain`], [`image`], [`inject`], [`injectors`], [`json_name`], [`keyed`], [`lint`], [`loading`],
//! [`manifest`], [`merge`], [`mesh`], [`mode`], [`native`], [`openshift`], [`owner`], [`patch`], [`path_variables`],
//! [`places`], [`pod_schema`], [`proxy_config`], [`quantity`], [`registration`], [`review`], [`selection`],
//! [`selector`], [`status`], [`template`], [`undo`], [`uninject`], [`warnings`], [`webhooks`], [`workload`],
//! [`yaml`].
//! Edge: [`cli`], [`clock`], [`events`], [`files`], [`kubernetes`], [`latest`], [`metrics`], [`reload`],
//! [`server`], [`traces`] (with the feature `otlp`).

pub mod annotations;
#[cfg(test)]
mod arbitrary;
pub mod certificates;
pub mod cli;
pub mod clock;
pub mod config;
pub(crate) mod containers;
pub mod context;
pub mod decide;
pub mod defaults;
pub mod election;
pub mod events;
#[cfg(test)]
mod eventually;
pub mod explain;
pub mod files;
pub mod image;
pub mod inject;
pub mod injectors;
pub(crate) mod json_name;
pub(crate) mod keyed;
pub mod kubernetes;
pub(crate) mod latest;
pub mod lint;
pub mod loading;
pub mod manifest;
pub mod merge;
pub mod mesh;
pub mod metrics;
pub mod mode;
pub mod native;
pub mod openshift;
pub mod owner;
pub mod patch;
pub mod path_variables;
pub(crate) mod places;
pub mod pod_schema;
pub mod proxy_config;
pub mod quantity;
pub mod registration;
pub mod reload;
pub mod review;
pub mod selection;
pub mod selector;
pub mod server;
pub mod status;
pub mod template;
#[cfg(feature = "otlp")]
pub mod traces;
pub mod undo;
pub mod uninject;
pub mod warnings;
pub mod webhooks;
pub mod workload;
pub mod yaml;
