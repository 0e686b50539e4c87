//! The kernel's nf_tables, in bytes: what a transaction says, and what a dump says.
//!
//! ```text
//! Change, Snapshot ─► transaction (xtables: Rule ─► Expression) ─► Batch ─► bytes ─► kernel
//! kernel ─► bytes ─► dump (Expression) ─► snapshot (xtables: Expression ─► text) ─► Saved
//! ```
//!
//! Nothing in here opens a socket; [`kernel`](crate::kernel) does.

pub mod attribute;
pub mod base;
pub mod batch;
pub mod dump;
pub mod empty;
pub mod expression;
pub mod message;
pub mod snapshot;
pub mod transaction;
pub mod userdata;
pub mod xtables;
