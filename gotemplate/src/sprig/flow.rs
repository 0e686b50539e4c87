//! `fail`: ends the execution.

use crate::function::{FunctionError, Functions};
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    functions.add("fail", |message: Str| Err::<Str, _>(FunctionError::new(message.to_text())));
}
