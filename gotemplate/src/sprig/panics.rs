//! What Go says when a function panics, which a template shows as its error.

use crate::function::FunctionError;
use crate::value::Value;

/// A nil was used as if it were something.
pub(super) fn nil_dereference() -> FunctionError {
    FunctionError::new("runtime error: invalid memory address or nil pointer dereference")
}

/// A list was to be made of a negative length, or a huge one.
pub(super) fn length_out_of_range() -> FunctionError {
    FunctionError::new("runtime error: makeslice: len out of range")
}

/// A value was to be of a type that it is not of.
pub(super) fn conversion(value: &Value, wanted: &str) -> FunctionError {
    let given = value.type_of().map_or_else(|| "nil".to_owned(), |given| given.to_string());
    FunctionError::new(format!("interface conversion: interface {{}} is {given}, not {wanted}"))
}
