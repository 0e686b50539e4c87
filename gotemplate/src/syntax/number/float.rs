//! Floating-point numbers in Go's notation: `strconv.ParseFloat`.

use super::{NumberError, underscores_separate_digits};

/// The nearest floating-point number, ties to even. Also takes `inf`, `infinity` and `nan` in any case, as Go does.
pub(crate) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    if let Some(special) = special(text) {
        return Ok(special);
    }
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        unsigned => (false, unsigned),
    };
    if text.contains(&b'_') && !underscores_separate_digits(text) {
        return Err(NumberError::Syntax);
    }
    let magnitude = match unsigned {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => hexadecimal(digits),
        digits => decimal(digits),
    }
    .ok_or(NumberError::Syntax)?;
    if magnitude.is_infinite() {
        return Err(NumberError::Range);
    }
    Ok(if negative { -magnitude } else { magnitude })
}

fn special(text: &[u8]) -> Option<f64> {
    Some(match text.to_ascii_lowercase().as_slice() {
        b"inf" | b"+inf" | b"infinity" | b"+infinity" => f64::INFINITY,
        b"-inf" | b"-infinity" => f64::NEG_INFINITY,
        b"nan" => f64::NAN,
        _ => return None,
    })
}

fn decimal(text: &[u8]) -> Option<f64> {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (text.get(..at)?, parse_exponent(text.get(at + 1..)?)?),
        None => (text, 0),
    };
    let mut plain = String::with_capacity(mantissa.len() + 8);
    for &byte in mantissa {
        match byte {
            b'0'..=b'9' | b'.' => plain.push(char::from(byte)),
            b'_' => {}
            _ => return None,
        }
    }
    plain.push('e');
    plain.push_str(&exponent.to_string());
    plain.parse().ok()
}

/// Of an exponent out of any reach Go only takes the first digits, and so does this.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let mut exponent = 0;
    for &digit in digits {
        match digit {
            b'0'..=b'9' if exponent < 10_000 => exponent = exponent * 10 + i64::from(digit - b'0'),
            b'0'..=b'9' | b'_' => {}
            _ => return None,
        }
    }
    Some(if negative { -exponent } else { exponent })
}

/// A mantissa of which only 64 bits are kept, times a power of two. Its exponent is obligatory.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let mut exponent = parse_exponent(text.get(at + 1..)?)?;
    let (mut mantissa, mut inexact): (u64, bool) = (0, false);
    let (mut any_digit, mut after_point) = (false, false);
    for &byte in text.get(..at)? {
        let digit = match byte {
            b'_' => continue,
            b'.' if !after_point => {
                after_point = true;
                continue;
            }
            _ => char::from(byte).to_digit(16)?,
        };
        any_digit = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if after_point { 4 } else { 0 };
        } else {
            inexact |= digit != 0;
            exponent += if after_point { 0 } else { 4 };
        }
    }
    any_digit.then(|| round(mantissa, exponent, inexact))
}

/// `mantissa * 2^exponent`, and a little more where inexact.
fn round(mantissa: u64, exponent: i64, inexact: bool) -> f64 {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    const LEAST_EXPONENT: i64 = f64::MIN_EXP as i64 - 1;
    if mantissa == 0 {
        return 0.0;
    }
    let zeros = mantissa.leading_zeros();
    let normal = mantissa << zeros;
    // Of the highest bit.
    let exponent = exponent + 63 - i64::from(zeros);
    if exponent > i64::from(f64::MAX_EXP) - 1 {
        return f64::INFINITY;
    }
    let below_normal = u32::try_from(LEAST_EXPONENT - exponent).unwrap_or(0);
    let dropped = (63 - FRACTION_BITS).saturating_add(below_normal);
    let (kept, remainder, half) = match dropped {
        0..=63 => (normal >> dropped, normal & ((1 << dropped) - 1), 1 << (dropped - 1)),
        64 => (0, normal, 1 << 63),
        _ => return 0.0,
    };
    let up = remainder > half || remainder == half && (inexact || kept % 2 == 1);
    // The highest bit that is kept adds one to the exponent, as does a carry; a number below the normal ones has none.
    let biased = u64::try_from(exponent - LEAST_EXPONENT).unwrap_or(0);
    f64::from_bits((biased << FRACTION_BITS) + kept + u64::from(up))
}
