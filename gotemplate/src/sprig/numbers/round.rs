//! Numbers without a fraction, or with a shorter one.

use crate::function::{Functions, Variadic};
use crate::sprig::cast::to_float;
use crate::value::Value;

pub(super) fn add(functions: &mut Functions) {
    functions
        .add("ceil", |value: Value| to_float(&value).ceil())
        .add("floor", |value: Value| to_float(&value).floor())
        .add("round", |value: Value, places: isize, half: Variadic<f64>| {
            round(to_float(&value), places as f64, half.0.first().copied().unwrap_or(0.5))
        });
}

/// Rounds up when the digits behind the places are at least `half`, else down. (Down is towards minus infinity, and
/// negative numbers have negative digits there: -1.9 becomes -2 in sprig, and so does -1.1.)
fn round(value: f64, places: f64, half: f64) -> f64 {
    let power = power_of_ten(places);
    let shifted = power * value;
    let rounded = if shifted.fract() >= half { shifted.ceil() } else { shifted.floor() };
    rounded / power
}

/// 10 to a whole power by repeated squaring, in the order of Go's `math.Pow`, which decides the last bit.
fn power_of_ten(power: f64) -> f64 {
    const LIMIT: i64 = 1 << 12;
    let mut left = power.abs() as u64;
    let (mut mantissa, mut exponent) = (1.0, 0_i64);
    // 10 is 0.625 × 2^4.
    let (mut square, mut square_exponent) = (0.625, 4_i64);
    while left != 0 {
        if square_exponent > LIMIT {
            exponent += square_exponent;
            break;
        }
        if left & 1 == 1 {
            mantissa *= square;
            exponent += square_exponent;
        }
        square *= square;
        square_exponent *= 2;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        left >>= 1;
    }
    if power < 0.0 { scale(1.0 / mantissa, -exponent) } else { scale(mantissa, exponent) }
}

/// `value` × 2^`exponent`, in two steps of which only the last rounds.
fn scale(value: f64, exponent: i64) -> f64 {
    const STEP: i64 = 256;
    let exponent = exponent.clamp(-1200, 1200);
    let last = if exponent < 0 { -STEP } else { STEP };
    value * 2.0_f64.powi((exponent - last) as i32) * 2.0_f64.powi(last as i32)
}
