//! Integers in Go's notation: `strconv.ParseInt` and `strconv.ParseUint` with 64 bits.

use super::{NumberError, underscores_separate_digits};

/// Base 0 stands for that of the prefix: `0b`, `0o`, `0` or `0x`, else 10, with underscores between digits.
pub(crate) fn parse_unsigned(text: &[u8], base: u32) -> Result<u64, NumberError> {
    let (radix, digits) = if base == 0 { prefixed(text) } else { (base, text) };
    if text.is_empty() {
        return Err(NumberError::Syntax);
    }
    let mut value = 0_u64;
    for &byte in digits {
        if byte == b'_' && base == 0 {
            continue;
        }
        let digit = char::from(byte).to_digit(radix).ok_or(NumberError::Syntax)?;
        value = value
            .checked_mul(u64::from(radix))
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or(NumberError::Range)?;
    }
    if base == 0 && text.contains(&b'_') && !underscores_separate_digits(text) {
        return Err(NumberError::Syntax);
    }
    Ok(value)
}

/// As [`parse_unsigned`], behind an optional sign.
pub(crate) fn parse_signed(text: &[u8], base: u32) -> Result<i64, NumberError> {
    let (negative, unsigned) = match text {
        [b'-', unsigned @ ..] => (true, unsigned),
        [b'+', unsigned @ ..] => (false, unsigned),
        unsigned => (false, unsigned),
    };
    let magnitude = parse_unsigned(unsigned, base)?;
    let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    value.ok_or(NumberError::Range)
}

fn prefixed(text: &[u8]) -> (u32, &[u8]) {
    match text {
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (2, digits),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (8, digits),
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        digits => (10, digits),
    }
}
