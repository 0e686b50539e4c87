//! The functions of sprig v3.

#[cfg(test)]
mod check;
mod defaults;
mod encoding;
mod flow;
mod hashes;
mod json;
mod lists;
mod outside;
mod panics;
mod paths;
mod semver;
mod text;
mod types;

use crate::function::Functions;

impl Functions {
    /// Go's own functions and those of sprig v3, but for the ones that reach outside: a template that calls one of
    /// those does not parse, and the error says why. A caller that wants them adds its own.
    pub fn sprig() -> Self {
        let mut functions = Self::new();
        for add in [
            defaults::add,
            encoding::add,
            flow::add,
            hashes::add,
            json::add,
            lists::add,
            outside::add,
            paths::add,
            semver::add,
            types::add,
        ] {
            add(&mut functions);
        }
        functions
    }
}
