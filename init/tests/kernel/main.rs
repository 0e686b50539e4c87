//! The rules in real kernels' tables: written with both kinds of iptables, read back with `iptables-save`.
#![expect(clippy::disallowed_methods, reason = "golden files are read, and tools are replaced by scripts")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod apply;
mod backend;
mod bytes;
mod failures;
mod footprint;
mod foreign;
mod idempotency;
mod legacy;
mod native;
mod others;
mod pod;
mod privileges;
mod rules;
mod show;
mod traffic;
mod transactions;
mod validation;
