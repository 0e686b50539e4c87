//! What functions report.

use std::fmt;

/// A function failed, or did not get what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    message: String,
    is_limit: bool,
}

impl FunctionError {
    /// A failure of that message: lower case, without a full stop.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_limit: false }
    }

    /// The execution has used up one of its limits.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_limit: true }
    }

    /// The same, behind a text that says what failed.
    pub(crate) fn within(&self, what: &str) -> Self {
        Self { message: format!("{what}: {}", self.message), is_limit: self.is_limit }
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether it is about a limit, not about what the template asked for.
    pub fn is_limit(&self) -> bool {
        self.is_limit
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FunctionError {}

impl From<&str> for FunctionError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for FunctionError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
