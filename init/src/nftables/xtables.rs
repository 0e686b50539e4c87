//! Rules in the layout in which iptables-nft 1.8.9 writes them, so that every tool shows them as rules of iptables; and
//! rules of any iptables-nft in the words of `iptables-save`.
//!
//! ```text
//! interfaces, protocol, addresses, then the matches in their order, a counter, and the target:
//! -o lo            meta oifname ─► compare with "lo\0"
//! -p tcp           meta l4proto ─► compare
//! -d 10.0.0.0/8    payload, as many bytes as the prefix has ─► (bitwise, if it ends within a byte) ─► compare
//! --dport 80       payload ─► compare, or range
//! --mark 0x539     meta mark ─► compare
//! -m owner, …      match: name, revision, the kernel's structure
//! -j RETURN        verdict              -j REDIRECT, …    target: name, revision, the kernel's structure
//! ```

mod bytes;
mod decode;
mod encode;
mod matches;
mod targets;

pub use decode::body;
pub use encode::{Encoded, encode};
pub use matches::{Owners, PortList, Ports, XtMatch};
pub use targets::XtTarget;

#[cfg(test)]
mod tests;
