//! The functions of sprig v3.

mod cast;
#[cfg(test)]
mod check;
mod collections;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod flow;
mod hashes;
mod json;
mod lists;
mod numbers;
mod outside;
mod panics;
mod paths;
mod regex;
mod semver;
mod strings;
mod text;
mod types;
mod unicode;
mod urls;

use crate::function::Functions;

impl Functions {
    /// Go's own functions and those of sprig v3, but for the ones that reach outside: a template that calls one of
    /// those does not parse, and the error says why. A caller that wants them adds its own.
    pub fn sprig() -> Self {
        let mut functions = Self::new();
        for add in [
            dates::add,
            defaults::add,
            dicts::add,
            encoding::add,
            flow::add,
            hashes::add,
            json::add,
            lists::add,
            numbers::add,
            outside::add,
            paths::add,
            regex::add,
            semver::add,
            strings::add,
            types::add,
            urls::add,
        ] {
            add(&mut functions);
        }
        functions
    }
}
