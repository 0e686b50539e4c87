//! Go's `text/template` and the sprig functions, for Rust.
//!
//! Core: [`builtins`], [`error`], [`exec`], [`format`], [`function`], [`json`], [`lexer`], [`limits`], [`named`],
//! [`parser`], [`sprig`], [`stack`], [`syntax`], [`template`], [`text`], [`types`], [`unicode`], [`value`].
#![doc = include_str!("../README.md")]
#![expect(rustdoc::private_intra_doc_links, reason = "the list of modules is for who works on them")]

mod builtins;
mod error;
mod exec;
mod format;
mod function;
pub mod json;
mod lexer;
mod limits;
mod named;
mod parser;
mod sprig;
mod stack;
mod syntax;
mod template;
mod text;
mod types;
mod unicode;
mod value;

pub use error::{ExecError, ParseError};
pub use function::{FromArgument, Function, FunctionError, Functions, IntoFunction, IntoReturn, Signature, Variadic};
pub use limits::{Budget, Limits};
pub use named::{Definition, Display, Field, Json, Method, NamedType};
pub use template::{MissingKey, Options, Template};
pub use text::Str;
pub use types::{FloatKind, IntKind, Kind, Type, UintKind};
pub use value::{Key, List, Map, Named, Pointer, SerializeError, Struct, Value};
