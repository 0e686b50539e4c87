//! The redirection without x_tables: as nf_tables' own expressions, in `inet` tables with the names that Istio gives them.
//!
//! ```text
//! RuleSets of both families ─► ruleset (one list a chain) ─┬─► step ─► text (nft script, --dry-run --native-nftables)
//! kernel ─► present ───────────────────────────────────────┴─► step ─► expressions ─► batch ─► kernel
//! ```
//!
//! What every packet meets is what the rules for iptables say, with these differences:
//!
//! - A table holds both families. A rule that is the same in both is there once. Where only one family is wanted, the
//!   base chains let the other one pass, so that it is left alone as iptables would leave it alone; istio-iptables
//!   captures it.
//! - An expression about the owner of a socket does not hold for a packet without one, whether it is negated or not. For
//!   iptables "not the proxy" holds. A connection that the kernel itself opens over loopback, or that no group of
//!   `ISTIO_OUTBOUND_OWNER_GROUPS` opened, therefore goes to the proxy rather than past it.
//! - TPROXY without a listener drops; nf_tables' `tproxy` would go on to the next rule, so that a rule that drops follows.

pub mod expressions;
pub mod present;
pub mod ruleset;
pub mod step;
pub mod text;
pub mod words;
