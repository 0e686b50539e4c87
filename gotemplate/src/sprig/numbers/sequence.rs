//! Numbers in a row.

use crate::function::{FunctionError, Functions, Variadic};
use crate::limits::Budget;
use crate::sprig::collections::Ints;
use crate::sprig::text::text;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("until", |budget: &Budget, count: isize| {
            sequence(budget, 0, count, if count < 0 { -1 } else { 1 }).map(Ints)
        })
        .add("untilStep", |budget: &Budget, start: isize, end: isize, step: isize| {
            sequence(budget, start, end, step).map(Ints)
        })
        .add("seq", |budget: &Budget, bounds: Variadic<isize>| {
            let (start, end, step) = match bounds.0[..] {
                [end] => (1, end, if end < 1 { -1 } else { 1 }),
                [start, end] => (start, end, if end < start { -1 } else { 1 }),
                [start, step, end] if end >= start || step <= 0 => (start, end, step),
                _ => return text(budget, Vec::new()),
            };
            let beyond = end.wrapping_add(if end < start { -1 } else { 1 });
            let numbers = sequence(budget, start, beyond, step)?;
            let numbers: Vec<String> = numbers.iter().map(isize::to_string).collect();
            text(budget, numbers.join(" ").into_bytes())
        });
}

/// The numbers from `start` on before `end`, upwards or downwards. None at all when the step leads away.
fn sequence(budget: &Budget, start: isize, end: isize, step: isize) -> Result<Vec<isize>, FunctionError> {
    let mut numbers = Vec::new();
    if (end < start) != (step < 0) || step == 0 {
        return Ok(numbers);
    }
    let mut next = start;
    while if step < 0 { next > end } else { next < end } {
        budget.allocate_values(1)?;
        numbers.push(next);
        // A step past the largest number wraps around, and the row goes on until the budget ends it.
        next = next.wrapping_add(step);
    }
    Ok(numbers)
}
