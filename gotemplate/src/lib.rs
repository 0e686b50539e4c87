//! Go's `text/template` and the sprig functions, for Rust.
//!
//! Core: [`error`], [`function`], [`lexer`], [`parser`], [`stack`], [`syntax`], [`text`], [`unicode`].

#![expect(dead_code, reason = "templates are parsed, but not yet executed")]

mod error;
mod function;
mod lexer;
mod parser;
mod stack;
mod syntax;
mod text;
mod unicode;

pub use error::ParseError;
pub use function::{Function, Functions};
pub use text::Str;
