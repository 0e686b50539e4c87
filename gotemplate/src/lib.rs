//! Go's `text/template` and the sprig functions, for Rust.
//!
//! Core: [`builtins`], [`error`], [`format`], [`function`], [`lexer`], [`limits`], [`named`], [`parser`], [`sprig`],
//! [`stack`], [`syntax`], [`text`], [`types`], [`unicode`], [`value`].

#![expect(dead_code, reason = "templates are parsed, but not yet executed")]

mod builtins;
mod error;
mod format;
mod function;
mod lexer;
mod limits;
mod named;
mod parser;
mod sprig;
mod stack;
mod syntax;
mod text;
mod types;
mod unicode;
mod value;

pub use error::ParseError;
pub use function::{FromArgument, Function, FunctionError, Functions, IntoFunction, IntoReturn, Signature, Variadic};
pub use limits::{Budget, Limits};
pub use named::{Definition, Field, Method, NamedType};
pub use text::Str;
pub use types::{FloatKind, IntKind, Kind, Type, UintKind};
pub use value::{Key, List, Map, Named, Pointer, Struct, Value};
