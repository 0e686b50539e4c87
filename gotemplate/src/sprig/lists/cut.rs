//! Parts of lists.

use super::{items, make};
use crate::function::{FunctionError, Variadic};
use crate::limits::Budget;
use crate::sprig::cast::to_int;
use crate::sprig::panics;
use crate::types::Type;
use crate::value::{List, Value};

pub(super) fn first(list: Value) -> Result<Value, FunctionError> {
    Ok(items(&list, "find first on")?.first().cloned().unwrap_or_default())
}

pub(super) fn last(list: Value) -> Result<Value, FunctionError> {
    Ok(items(&list, "find last on")?.last().cloned().unwrap_or_default())
}

pub(super) fn rest(budget: &Budget, list: Value) -> Result<List, FunctionError> {
    match items(&list, "find rest on")? {
        [] => Ok(List::nil(Type::Any)),
        [_, rest @ ..] => make(budget, rest.to_vec()),
    }
}

pub(super) fn initial(budget: &Budget, list: Value) -> Result<List, FunctionError> {
    match items(&list, "find initial on")? {
        [] => Ok(List::nil(Type::Any)),
        [initial @ .., _] => make(budget, initial.to_vec()),
    }
}

/// Keeps the type of the list. Of an empty list it is nil, whatever the bounds are.
pub(super) fn slice(budget: &Budget, list: Value, bounds: Variadic<Value>) -> Result<Value, FunctionError> {
    let (items, named) = match &list {
        Value::List(items) => (items, None),
        Value::Named(named) => match named.value() {
            Value::List(items) => (items, Some(named.named_type())),
            _ => return Err(no_list(&list)),
        },
        Value::Nil => return Err(panics::nil_dereference()),
        _ => return Err(no_list(&list)),
    };
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = bounds.0.first().map_or(0, to_int);
    let end = bounds.0.get(1).map_or(items.len() as i64, to_int);
    // It may reach beyond the end of a list that is a part of another.
    budget.allocate_values(end.saturating_sub(start).clamp(0, items.capacity() as i64) as usize)?;
    let part = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = part.and_then(|(start, end)| items.part(start, end, items.capacity()));
    let part = part.map(Value::from).ok_or("reflect.Value.Slice: slice index out of bounds")?;
    Ok(match named {
        Some(named) => Value::named(named.clone(), part),
        None => part,
    })
}

fn no_list(value: &Value) -> FunctionError {
    FunctionError::new(format!("list should be type of slice or array but {}", value.kind().name()))
}

/// Go reckons the number of chunks with floating-point numbers, which shows where the size is not positive.
pub(super) fn chunk(budget: &Budget, size: isize, list: Value) -> Result<List, FunctionError> {
    let items = items(&list, "chunk")?;
    let (size, length) = (size as f64, items.len() as f64);
    let count = ((length - 1.0) / size).floor() + 1.0;
    if !count.is_finite() || count < 0.0 {
        return Err(panics::length_out_of_range());
    }
    let element = Type::list(Type::Any);
    let mut chunks = Vec::new();
    let mut start = 0;
    for position in 0..count as usize {
        let is_last = position + 1 == count as usize;
        let remainder = (length % size).floor();
        let wanted = if is_last && remainder != 0.0 { remainder } else { size };
        let Some(chunk) = (wanted >= 0.0).then(|| &items[start..(start + wanted as usize).min(items.len())]) else {
            return Err(panics::length_out_of_range());
        };
        start += chunk.len();
        chunks.push(make(budget, chunk.to_vec())?.into());
    }
    budget.allocate_values(chunks.len())?;
    Ok(List::new(element, chunks))
}
