//! The init container: redirects a pod's traffic to the sidecar's proxy with netfilter rules, then ends.
//!
//! ```text
//! flags, environment ─► settings ─► redirect (rules) ─┬─► restore::fresh, native::text ─► standard output (--dry-run)
//!                                                     │
//! kernel, iptables-legacy-save ─► saved ─► owned ─► plan (what changes, table by table), handover (in which order)
//!                                                     │
//!                         routes ─► kernel: one transaction, or iptables-legacy-restore ─► routes ─► report
//! ```
//!
//! Core: [`backend`], [`canonical`], [`change`], [`diagnosis`], [`flags`], [`groups`], [`handover`], [`listing`],
//! [`native`], [`nftables`], [`origin`], [`owned`], [`plan`], [`reason`], [`redirect`], [`report`], [`resolv_conf`],
//! [`restore`], [`rule`], [`saved`], [`settings`], [`subcommand`], [`undo`], [`validation`], [`value`].
//! Edge: [`apply`], [`child`], [`cli`], [`dry_run`], [`kernel`], [`legacy`], [`namespace`], [`probe`], [`routes`],
//! [`rtnetlink`], [`show`], [`store`], [`termination`], [`trial`].

pub mod apply;
pub mod backend;
pub mod canonical;
pub mod change;
pub mod child;
pub mod cli;
pub mod diagnosis;
pub mod dry_run;
pub mod flags;
pub mod groups;
pub mod handover;
pub mod kernel;
pub mod legacy;
pub mod listing;
pub mod namespace;
pub mod native;
pub mod nftables;
pub mod origin;
pub mod owned;
pub mod plan;
pub mod probe;
pub mod reason;
pub mod redirect;
pub mod report;
pub mod resolv_conf;
pub mod restore;
pub mod routes;
pub mod rtnetlink;
pub mod rule;
pub mod saved;
pub mod settings;
pub mod show;
pub mod store;
pub mod subcommand;
pub mod termination;
pub mod trial;
pub mod undo;
pub mod validation;
pub mod value;
