//! The built-in chains, as iptables-nft makes them where they are missing.

use crate::rule::{Chain, Table};

/// Where in the kernel a chain is called, and what becomes of a packet at its end: it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// `filter`, `nat`, or `route`: a filter that looks up the route again where it has changed a mark.
    pub kind: &'static str,
    /// `NF_INET_PRE_ROUTING` (0) or `NF_INET_LOCAL_OUT` (3).
    pub hook: u32,
    /// The lower, the earlier.
    pub priority: i32,
}

/// `NF_INET_PRE_ROUTING`
pub const PREROUTING: u32 = 0;
/// `NF_INET_LOCAL_OUT`
pub const OUTPUT: u32 = 3;

/// How a chain of a table is made, if it is a built-in one.
pub fn base(table: Table, chain: Chain) -> Option<Base> {
    let hook = match chain {
        Chain::Prerouting => PREROUTING,
        Chain::Output => OUTPUT,
        _ => return None,
    };
    let (kind, priority) = match (table, chain) {
        (Table::Raw, _) => ("filter", -300),
        (Table::Mangle, Chain::Output) => ("route", -150),
        (Table::Mangle, _) => ("filter", -150),
        (Table::Nat, _) => ("nat", -100),
    };
    Some(Base { kind, hook, priority })
}
