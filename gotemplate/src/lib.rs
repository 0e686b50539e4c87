//! Go's `text/template` and the sprig functions, for Rust.

mod builtins;
mod format;
mod function;
pub mod json;
mod limits;
mod named;
mod sprig;
mod syntax;
mod text;
mod types;
mod value;

pub use function::{FromArgument, Function, FunctionError, Functions, IntoFunction, IntoReturn, Signature, Variadic};
pub use limits::{Budget, Limits};
pub use named::{Definition, Field, Method, NamedType};
pub use text::Str;
pub use types::{FloatKind, IntKind, Kind, Type, UintKind};
pub use value::{Key, List, Map, Named, Pointer, Struct, Value};
