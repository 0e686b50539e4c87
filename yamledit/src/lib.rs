//! Edits YAML and JSON text so that only what changed changes.
//!
//! Core: [`documents`], [`edit`], [`error`], [`limits`], [`matching`], [`print`], [`scalar`], [`style`], [`text`],
//! [`tree`].
#![doc = include_str!("../README.md")]
#![expect(rustdoc::private_intra_doc_links, reason = "the list of modules is for who works on them")]

mod documents;
mod edit;
mod error;
mod limits;
mod matching;
mod print;
mod scalar;
mod style;
mod text;
mod tree;

pub use documents::{Document, Documents, documents};
pub use edit::edit;
pub use error::Error;
pub use limits::Limits;
pub use print::write;
