//! Go's `text/template` and the sprig functions, for Rust.

mod function;
mod syntax;
mod text;

pub use text::Str;
