//! Lists as texts.

use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::sprig::collections::Strings;
use crate::sprig::text::strval;
use crate::text::Str;
use crate::types::Kind;
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("toStrings", |budget: &Budget, value: Value| {
            Ok::<_, FunctionError>(Strings(Some(strings(budget, &value)?)))
        })
        .add("join", |budget: &Budget, separator: Str, value: Value| {
            let texts = strings(budget, &value)?;
            let length = texts.iter().map(|text| text.len()).sum::<usize>();
            budget.allocate(length.saturating_add(texts.len().saturating_mul(separator.len())))?;
            Ok::<_, FunctionError>(texts.join(separator.as_bytes()))
        })
        .add("sortAlpha", |budget: &Budget, value: Value| {
            let target = match &value {
                Value::Pointer(pointer) => pointer.target().unwrap_or(&value),
                value => value,
            };
            let mut texts = match target.kind() {
                Kind::List => strings(budget, &value)?,
                _ => vec![strval(budget, &value)?],
            };
            texts.sort_unstable();
            Ok::<_, FunctionError>(Strings(Some(texts)))
        });
}

/// The items of a list as texts, without the nil ones. Another value is a list of itself, and nil an empty one.
fn strings(budget: &Budget, value: &Value) -> Result<Vec<Str>, FunctionError> {
    match value.underlying() {
        Value::Nil => Ok(Vec::new()),
        Value::List(list) => {
            budget.allocate_values(list.len())?;
            list.iter().filter(|item| !matches!(item, Value::Nil)).map(|item| strval(budget, item)).collect()
        }
        _ => Ok(vec![strval(budget, value)?]),
    }
}
