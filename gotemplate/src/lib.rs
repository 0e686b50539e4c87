//! Go's `text/template` and the sprig functions, for Rust.
//!
//! Core: [`function`], [`lexer`], [`syntax`], [`text`], [`unicode`].

#![expect(dead_code, reason = "templates are parsed, but not yet executed")]

mod function;
mod lexer;
mod syntax;
mod text;
mod unicode;

pub use text::Str;
