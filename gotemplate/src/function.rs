//! Functions that templates call.

use std::collections::HashMap;

use crate::text::Str;

/// A function.
#[derive(Clone, Debug)]
pub struct Function;

/// Functions by name.
#[derive(Clone, Debug, Default)]
pub struct Functions(HashMap<Str, Function>);

impl Functions {
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Function> {
        self.0.get(name)
    }

    #[cfg(test)]
    pub(crate) fn named(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| (Str::from(name), Function)).collect())
    }
}
