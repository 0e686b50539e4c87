//! The functions of sprig v3.

mod encoding;
mod flow;
mod hashes;
mod outside;
mod paths;
mod text;

use crate::function::Functions;

impl Functions {
    /// Go's own functions and those of sprig v3, but for the ones that reach outside: a template that calls one of
    /// those does not parse, and the error says why. A caller that wants them adds its own.
    pub fn sprig() -> Self {
        let mut functions = Self::new();
        for add in [encoding::add, flow::add, hashes::add, outside::add, paths::add] {
            add(&mut functions);
        }
        functions
    }
}
