//! Complex numbers as templates write them: real part, sign and imaginary part, without spaces.

use super::parse_float;
use crate::format::quote;
use crate::text::Str;

/// Real and imaginary part. The error is that of Go's `fmt.Sscan`.
pub(super) fn parse(text: &[u8]) -> Result<(f64, f64), Str> {
    let malformed = || Str::from("syntax error scanning complex number");
    let sign = part_length(text);
    let (real, imaginary) = text.split_at_checked(sign).ok_or_else(malformed)?;
    let [b'+' | b'-', unsigned @ ..] = imaginary else { return Err(malformed()) };
    let end = 1 + part_length(unsigned);
    if imaginary.get(end) != Some(&b'i') {
        return Err(malformed());
    }
    Ok((part(real)?, part(imaginary.get(..end).unwrap_or_default())?))
}

fn part(text: &[u8]) -> Result<f64, Str> {
    parse_float(text).map_err(|error| format!("strconv.ParseFloat: parsing {}: {error}", quote(text)).into())
}

/// How much of the text looks like a floating-point number. What begins with `i`, as the beginning of `inf`, counts.
fn part_length(text: &[u8]) -> usize {
    let mut end = one_of(text, 0, b"+-");
    end = one_of(text, end, b"iI");
    let (mut digits, mut exponent): (&[u8], &[u8]) = (b"0123456789_", b"eEpP");
    if text.get(end) == Some(&b'0') {
        end += 1;
        if matches!(text.get(end), Some(b'x' | b'X')) {
            end += 1;
            (digits, exponent) = (b"0123456789abcdefABCDEF_", b"pP");
        }
    }
    end = many_of(text, end, digits);
    if text.get(end) == Some(&b'.') {
        end = many_of(text, end + 1, digits);
    }
    let mantissa = end;
    end = one_of(text, end, exponent);
    if end > mantissa {
        end = many_of(text, one_of(text, end, b"+-"), b"0123456789_");
    }
    end
}

fn one_of(text: &[u8], at: usize, bytes: &[u8]) -> usize {
    if text.get(at).is_some_and(|byte| bytes.contains(byte)) { at + 1 } else { at }
}

fn many_of(text: &[u8], at: usize, bytes: &[u8]) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| bytes.contains(byte)).count()
}
