//! The functions of sprig v3.

mod cast;
mod collections;
mod dates;
mod encoding;
mod flow;
mod hashes;
mod numbers;
mod outside;
mod paths;
mod regex;
mod strings;
mod text;
mod unicode;

use crate::function::Functions;

impl Functions {
    /// Go's own functions and those of sprig v3, but for the ones that reach outside: a template that calls one of
    /// those does not parse, and the error says why. A caller that wants them adds its own.
    pub fn sprig() -> Self {
        let mut functions = Self::new();
        for add in
            [dates::add, encoding::add, flow::add, hashes::add, numbers::add, outside::add, paths::add, regex::add, strings::add]
        {
            add(&mut functions);
        }
        functions
    }
}
