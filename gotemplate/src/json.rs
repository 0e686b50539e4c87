//! JSON as Go's `encoding/json` reads and writes it.

mod decode;
mod encode;
mod fields;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub(crate) use decode::decode_partly;
pub use encode::{Style, encode};
