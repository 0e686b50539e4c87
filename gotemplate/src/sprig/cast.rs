//! Numbers from values of any type.

use super::dates;
use crate::syntax::number::{parse_float, parse_signed};
use crate::types::UintKind;
use crate::value::Value;

/// A value as an `int64`: numbers, texts of numbers in any base, true as 1, and what pointers point to. 0 for the rest.
pub(super) fn to_int(value: &Value) -> i64 {
    match target(value) {
        Value::Int(value, _) => *value,
        Value::Uint(value, kind) if *kind != UintKind::Uintptr => *value as i64,
        Value::Float(value, _) => truncate(*value),
        Value::String(text) => parse_signed(without_zero_fraction(text), 0).unwrap_or(0),
        Value::Bool(value) => i64::from(*value),
        value => calendar_number(value).unwrap_or(0),
    }
}

/// A value as a `float64`, as [`to_int`] makes an integer.
pub(super) fn to_float(value: &Value) -> f64 {
    match target(value) {
        Value::Int(value, _) => *value as f64,
        Value::Uint(value, kind) if *kind != UintKind::Uintptr => *value as f64,
        Value::Float(value, _) => *value,
        Value::String(text) => parse_float(text).unwrap_or(0.0),
        Value::Bool(value) => f64::from(u8::from(*value)),
        value => calendar_number(value).unwrap_or(0) as f64,
    }
}

fn target(mut value: &Value) -> &Value {
    while let Value::Pointer(pointer) = value {
        match pointer.target() {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}

/// The number of a month or of a day of the week: the only named types that count as numbers.
fn calendar_number(value: &Value) -> Option<i64> {
    match value {
        Value::Named(named) if dates::is_calendar_number(named.named_type()) => match named.value() {
            Value::Int(value, _) => Some(*value),
            _ => None,
        },
        _ => None,
    }
}

/// Towards zero. What an `int64` cannot hold is the smallest one, as processors have it.
fn truncate(value: f64) -> i64 {
    if value >= -(2.0_f64.powi(63)) && value < 2.0_f64.powi(63) { value as i64 } else { i64::MIN }
}

/// Without a point and zeros at the end: `1` of `1.00`. (Sprig takes `1.` and `1.5` for 0.)
fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|&&byte| byte == b'0').count();
    let (whole, _) = text.split_at(text.len() - zeros);
    whole.strip_suffix(b".").filter(|_| zeros > 0).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FloatKind, IntKind};
    use crate::value::Pointer;

    #[test]
    fn many_values_are_integers() {
        for (value, expected) in [
            (Value::from("0x1F"), 31),
            ("010".into(), 8),
            ("1_000".into(), 1000),
            ("-7.00".into(), -7),
            ("7.".into(), 0),
            ("7.5".into(), 0),
            ("99999999999999999999".into(), 0),
            (true.into(), 1),
            (Value::Nil, 0),
            (Value::Int(-3, IntKind::Int8), -3),
            (Value::Uint(u64::MAX, UintKind::Uint64), -1),
            (Value::Float(-2.9, FloatKind::Float32), -2),
            (Value::float(1e300), i64::MIN),
            (Value::float(f64::NAN), i64::MIN),
            (Value::Complex(1.0, 0.0), 0),
            (Pointer::new(Pointer::new("12".into()).into()).into(), 12),
        ] {
            assert_eq!(to_int(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn many_values_are_floats() {
        for (value, expected) in [
            (Value::from("1e3"), 1000.0),
            ("0x1p-2".into(), 0.25),
            ("1e999".into(), 0.0),
            (" 1".into(), 0.0),
            (false.into(), 0.0),
            (Value::int(7), 7.0),
            (Value::Uint(u64::MAX, UintKind::Uint64), 18_446_744_073_709_551_616.0),
        ] {
            assert_eq!(to_float(&value).to_bits(), f64::to_bits(expected), "{value:?}");
        }
    }
}
