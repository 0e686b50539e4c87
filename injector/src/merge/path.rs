//! Where a merge stands, and what is wrong there.

use std::fmt;

use serde_json::Value;

use super::MergeError;

/// The place of a value in a pod. Nothing is written until there is an error to tell.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Start,
    Field(&'a Path<'a>, &'a str),
    /// An element of a list, by the value of its key.
    Element(&'a Path<'a>, &'a Value),
}

impl Path<'_> {
    pub(super) fn error(&self, problem: impl Into<String>) -> MergeError {
        MergeError { path: self.to_string(), problem: problem.into() }
    }
}

/// As `spec.containers[istio-proxy].env`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Field(Path::Start, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, Value::String(key)) => write!(f, "{parent}[{key}]"),
            Self::Element(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
}
