//! Functions that templates call.

/// A function.
#[derive(Clone, Debug)]
pub struct Function;
