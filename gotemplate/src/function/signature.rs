//! What a function takes and gives.

use std::fmt;

use crate::types::Type;

/// Types of the parameters and of the result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// In order. Of a variadic function the last is the type of each of the rest.
    pub parameters: Vec<Type>,
    /// Whether the last parameter takes any number of arguments, none included.
    pub is_variadic: bool,
    /// What it gives.
    pub result: Type,
    /// Whether it can fail, and so gives an error too in Go.
    pub can_fail: bool,
}

impl Signature {
    /// A function of these parameters.
    pub fn new(parameters: Vec<Type>, result: Type) -> Self {
        Self { parameters, is_variadic: false, result, can_fail: false }
    }

    /// A function of these parameters, whose last takes any number of arguments.
    pub fn variadic(parameters: Vec<Type>, result: Type) -> Self {
        Self { parameters, is_variadic: true, result, can_fail: false }
    }

    /// Number of arguments that must be there.
    pub fn required(&self) -> usize {
        self.parameters.len().saturating_sub(usize::from(self.is_variadic))
    }

    /// That of a method, for who calls it: the receiver is its first parameter, or among those that the last takes.
    pub(crate) fn without_receiver(&self) -> Self {
        let receiver = usize::from(self.required() > 0);
        Self { parameters: self.parameters.iter().skip(receiver).cloned().collect(), ..self.clone() }
    }

    /// The type that the argument at `position`, from 0, must have.
    pub fn parameter(&self, position: usize) -> Option<&Type> {
        self.parameters.get(position).or_else(|| self.parameters.last().filter(|_| self.is_variadic))
    }
}

/// As Go prints a function's type: `func(string, ...int) string`.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        for (position, parameter) in self.parameters.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            let dots = if self.is_variadic && position + 1 == self.parameters.len() { "..." } else { "" };
            write!(f, "{comma}{dots}{parameter}")?;
        }
        match self.can_fail {
            false => write!(f, ") {}", self.result),
            true => write!(f, ") ({}, error)", self.result),
        }
    }
}
