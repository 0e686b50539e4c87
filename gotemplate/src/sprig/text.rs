//! Texts that functions make.

use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;

/// The text that a function has made, charged to the budget.
pub(super) fn text(budget: &Budget, bytes: Vec<u8>) -> Result<Str, FunctionError> {
    budget.allocate(bytes.len())?;
    Ok(bytes.into())
}
