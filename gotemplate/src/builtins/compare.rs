//! `eq`, `ne`, `lt`, `le`, `gt`, `ge` and `not`.

use std::cmp::Ordering;

use crate::exec::Seen;
use crate::format;
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::types::Kind;
use crate::value::{Value, is_comparable, same};

/// Whether the first equals one of the others.
pub(super) fn eq(budget: &Budget, arguments: &[Seen<'_>]) -> Result<bool, FunctionError> {
    let Some((first, others)) = arguments.split_first() else {
        return Ok(false);
    };
    if others.is_empty() {
        return Err(FunctionError::new("missing argument for comparison"));
    }
    for other in others {
        if equal(budget, first.value, other.value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Bytes that are compared in the time of a step.
const TEXT_PER_STEP: usize = 256;

fn equal(budget: &Budget, left: &Value, right: &Value) -> Result<bool, FunctionError> {
    charge(budget, left, right)?;
    Ok(match (left.underlying(), right.underlying()) {
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left, _), Value::Int(right, _)) => left == right,
        (Value::Uint(left, _), Value::Uint(right, _)) => left == right,
        (Value::Float(left, _), Value::Float(right, _)) => left == right,
        (Value::Complex(..), Value::Complex(..)) => same(left.underlying(), right.underlying()).unwrap_or_default(),
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Int(int, _), Value::Uint(uint, _)) | (Value::Uint(uint, _), Value::Int(int, _)) => {
            u64::try_from(*int).is_ok_and(|int| int == *uint)
        }
        // Nil of no type is equal to nothing else, and an error with nothing; except for nil itself.
        (left, right) if matches!(left, Value::Nil) || matches!(right, Value::Nil) => {
            !is_basic(left) && !is_basic(right) && left.is_nil() && right.is_nil()
        }
        (basic, other) if is_basic(basic) || is_basic(other) => return Err(incompatible(left, right)),
        _ => return equal_composites(budget, left, right),
    })
}

fn equal_composites(budget: &Budget, left: &Value, right: &Value) -> Result<bool, FunctionError> {
    let print = |format: &[u8], argument: &Value| {
        let mut text = Vec::new();
        format::printf(&mut text, budget, format, &[argument])?;
        Ok::<_, FunctionError>(String::from_utf8_lossy(&text).into_owned())
    };
    if left.kind() != right.kind() {
        let left = (print(b"%s", left)?, type_name(left));
        let right = (type_name(right), print(b"%v", right)?);
        let message = format!("non-comparable types {}: {}, {}: {}", left.0, left.1, right.0, right.1);
        return Err(FunctionError::new(message));
    }
    if left.is_nil() || right.is_nil() {
        return Ok(left.is_nil() == right.is_nil());
    }
    match right.type_of().filter(|own| !is_comparable(own)) {
        Some(own) => {
            let shown = print(b"%s", right)?;
            Err(FunctionError::new(format!("non-comparable type {shown}: {own}")))
        }
        // What is in an `interface {}` shows only now.
        None => same(left, right)
            .map_err(|inner| FunctionError::new(format!("runtime error: comparing uncomparable type {inner}"))),
    }
}

/// How two values of the same kind are ordered; nothing for NaN.
pub(super) fn order(budget: &Budget, left: &Value, right: &Value) -> Result<Option<Ordering>, FunctionError> {
    charge(budget, left, right)?;
    let (bare_left, bare_right) = (left.underlying(), right.underlying());
    if !is_basic(bare_left) || !is_basic(bare_right) {
        return Err(FunctionError::new("invalid type for comparison"));
    }
    Ok(match (bare_left, bare_right) {
        (Value::Int(left, _), Value::Int(right, _)) => Some(left.cmp(right)),
        (Value::Uint(left, _), Value::Uint(right, _)) => Some(left.cmp(right)),
        (Value::Float(left, _), Value::Float(right, _)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Int(int, _), Value::Uint(uint, _)) => Some(i128::from(*int).cmp(&i128::from(*uint))),
        (Value::Uint(uint, _), Value::Int(int, _)) => Some(i128::from(*uint).cmp(&i128::from(*int))),
        (Value::Bool(_), Value::Bool(_)) | (Value::Complex(..), Value::Complex(..)) => {
            return Err(FunctionError::new("invalid type for comparison"));
        }
        _ => return Err(incompatible(left, right)),
    })
}

fn charge(budget: &Budget, left: &Value, right: &Value) -> Result<(), FunctionError> {
    match (left.underlying(), right.underlying()) {
        (Value::String(left), Value::String(right)) if left.len().min(right.len()) >= TEXT_PER_STEP => {
            budget.work((left.len().min(right.len()) / TEXT_PER_STEP) as u64)
        }
        _ => Ok(()),
    }
}

fn is_basic(value: &Value) -> bool {
    matches!(value.kind(), Kind::Bool | Kind::Int(_) | Kind::Uint(_) | Kind::Float(_) | Kind::Complex | Kind::String)
}

fn incompatible(left: &Value, right: &Value) -> FunctionError {
    FunctionError::new(format!("incompatible types for comparison: {} and {}", type_name(left), type_name(right)))
}

fn type_name(value: &Value) -> String {
    value.type_of().map_or_else(|| "nil".to_owned(), |own| own.to_string())
}
