//! The functions of sprig v3.

use crate::function::Functions;

impl Functions {
    /// Go's own functions and those of sprig v3, but for the ones that reach outside: a template that calls one of
    /// those does not parse, and the error says why. A caller that wants them adds its own.
    pub fn sprig() -> Self {
        Self::new()
    }
}
