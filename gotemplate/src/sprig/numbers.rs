//! Numbers: converted from any value, counted and calculated with.

mod decimal;
mod round;
mod sequence;

use self::decimal::Decimal;
use super::cast::{to_float, to_int};
use super::text::{print, saturating};
use crate::function::{FunctionError, Functions, Variadic};
use crate::limits::Budget;
use crate::syntax::number::parse_signed;
use crate::text::Str;
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("atoi", |text: Str| saturating(&text) as isize)
        .add("int", |value: Value| to_int(&value) as isize)
        .add("int64", |value: Value| to_int(&value))
        .add("float64", |value: Value| to_float(&value))
        .add("toDecimal", |budget: &Budget, value: Value| {
            Ok::<_, FunctionError>(parse_signed(&print(budget, &value)?, 8).unwrap_or(0))
        });
    add_whole(functions);
    add_fractional(functions);
    round::add(functions);
    sequence::add(functions);
}

/// Arithmetic of `int64`, which wraps around.
fn add_whole(functions: &mut Functions) {
    const DIVISION: &str = "runtime error: integer divide by zero";
    functions
        .add("add1", |value: Value| to_int(&value).wrapping_add(1))
        .add("add", |values: Variadic<Value>| values.0.iter().map(to_int).fold(0, i64::wrapping_add))
        .add("sub", |a: Value, b: Value| to_int(&a).wrapping_sub(to_int(&b)))
        .add("mul", |a: Value, rest: Variadic<Value>| rest.0.iter().map(to_int).fold(to_int(&a), i64::wrapping_mul))
        .add("div", |a: Value, b: Value| match to_int(&b) {
            0 => Err(DIVISION),
            b => Ok(to_int(&a).wrapping_div(b)),
        })
        .add("mod", |a: Value, b: Value| match to_int(&b) {
            0 => Err(DIVISION),
            b => Ok(to_int(&a).wrapping_rem(b)),
        })
        .add("min", |a: Value, rest: Variadic<Value>| rest.0.iter().map(to_int).fold(to_int(&a), i64::min));
    for name in ["max", "biggest"] {
        functions.add(name, |a: Value, rest: Variadic<Value>| rest.0.iter().map(to_int).fold(to_int(&a), i64::max));
    }
}

/// Arithmetic of `float64`, by decimal numbers of any length.
fn add_fractional(functions: &mut Functions) {
    functions
        .add("add1f", |budget: &Budget, value: Value| {
            Decimal::fold(budget, to_float(&value), [1.0], |sum, next| Ok(sum.plus(next)))
        })
        .add("addf", |budget: &Budget, values: Variadic<Value>| {
            Decimal::fold(budget, 0.0, values.0.iter().map(to_float), |sum, next| Ok(sum.plus(next)))
        })
        .add("subf", |budget: &Budget, a: Value, rest: Variadic<Value>| {
            Decimal::fold(budget, to_float(&a), rest.0.iter().map(to_float), |rest, next| Ok(rest.minus(next)))
        })
        .add("mulf", |budget: &Budget, a: Value, rest: Variadic<Value>| {
            Decimal::fold(budget, to_float(&a), rest.0.iter().map(to_float), |product, next| Ok(product.times(next)))
        })
        .add("divf", |budget: &Budget, a: Value, rest: Variadic<Value>| {
            Decimal::fold(budget, to_float(&a), rest.0.iter().map(to_float), Decimal::divided_by)
        })
        .add("maxf", |a: Value, rest: Variadic<Value>| rest.0.iter().map(to_float).fold(to_float(&a), larger))
        .add("minf", |a: Value, rest: Variadic<Value>| {
            -rest.0.iter().map(|value| -to_float(value)).fold(-to_float(&a), larger)
        });
}

/// The larger number: infinity before what is no number, and that before any other; 0 before -0.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

#[cfg(test)]
mod tests;
