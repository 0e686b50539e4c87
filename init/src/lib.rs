//! The init container: redirects a pod's traffic to the sidecar's proxy with netfilter rules, then ends.
//!
//! ```text
//! flags, environment ─► settings ─► redirect (rules) ─┬─► restore::fresh ─► standard output (--dry-run)
//!                            iptables-save ─► saved ─► owned ─► plan ─► restore::swap ─► iptables-restore
//! ```
//!
//! Core: [`canonical`], [`change`], [`diagnosis`], [`flags`], [`groups`], [`listing`], [`native`], [`nftables`],
//! [`origin`], [`owned`], [`plan`], [`reason`], [`redirect`], [`resolv_conf`], [`restore`], [`rule`], [`saved`],
//! [`settings`], [`subcommand`], [`validation`], [`value`].
//! Edge: [`apply`], [`child`], [`cli`], [`dry_run`], [`iptables`], [`kernel`], [`leftovers`], [`loopback`], [`probe`],
//! [`show`].

pub mod apply;
pub mod canonical;
pub mod change;
pub mod child;
pub mod cli;
pub mod diagnosis;
pub mod dry_run;
pub mod flags;
pub mod groups;
pub mod iptables;
pub mod kernel;
pub mod leftovers;
pub mod listing;
pub mod loopback;
pub mod native;
pub mod nftables;
pub mod origin;
pub mod owned;
pub mod plan;
pub mod probe;
pub mod reason;
pub mod redirect;
pub mod resolv_conf;
pub mod restore;
pub mod rule;
pub mod saved;
pub mod settings;
pub mod show;
pub mod subcommand;
pub mod validation;
pub mod value;
