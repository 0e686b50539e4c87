//! The whole system without a cluster: an injected manifest becomes a pod in a network namespace.
//!
//! Core: [`address`], [`container`], [`counters`], [`error`], [`manifest`].
//! Edge: [`app`], [`client`], [`demo`], [`injector`], [`pod`], [`scene`].
//!
//! What the kubelet and the container runtime do with a pod, [`pod`] does here with processes: the programs, their
//! arguments, users and capabilities are those of the manifest. The programs under test are known by command line only.

pub mod address;
pub mod app;
pub mod client;
pub mod container;
pub mod counters;
pub mod demo;
pub mod error;
pub mod injector;
pub mod manifest;
pub mod pod;
pub mod scene;
