//! Floating-point numbers, as Go's `strconv.FormatFloat` writes them.

use super::decimal;
use crate::types::FloatKind;

/// The longest exact expansion of a `float64` has fewer digits than this; what is asked for beyond is zeros.
const DIGITS: usize = 1100;

/// The power of two half-way between 2.4414062e-4 and 2.4414063e-4. Of all `float32`s this one Go 1.26 rounds to the odd
/// digit, since it looks there for the exponent where a `float64` has such a tie.
const GO_ROUNDS_UP: f64 = 1.0 / 4096.0;

/// Appends a number. The verb is one of `e`, `E`, `f`, `g`, `G`, `b`, `x`, `X`.
///
/// Without a precision come as many digits as tell the number from all others of its size; with one, so many after the
/// point, or in all for `g`. Infinity is `+Inf` or `-Inf`.
pub(crate) fn format_float(out: &mut Vec<u8>, value: f64, verb: char, precision: Option<usize>, kind: FloatKind) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    match (verb, precision) {
        ('b', _) => binary(out, Parts::of(value, kind)),
        ('x' | 'X', _) => hexadecimal(out, Parts::of(value, kind), precision, verb == 'X'),
        ('f', None) => Decimal::shortest(value, kind).plain(out),
        ('f', Some(places)) => {
            let shown = places.min(DIGITS);
            out.extend_from_slice(format!("{value:.shown$}").as_bytes());
            zeros(out, places - shown);
        }
        ('g' | 'G', _) => general(out, value, precision, kind, verb),
        (_, None) => Decimal::shortest(value, kind).exponential(out, None, verb),
        (_, Some(places)) => Decimal::rounded(value, places).exponential(out, Some(places), verb),
    }
}

/// Appends the shorter form: with an exponent when it is below -4, or not below the precision.
fn general(out: &mut Vec<u8>, value: f64, precision: Option<usize>, kind: FloatKind, verb: char) {
    // Most numbers are ports and counts, and no digit of these can be left out.
    if precision.is_none() && value < 1e6 && value.fract() == 0.0 {
        return decimal(out, value as i64);
    }
    let (decimal, limit) = match precision {
        None => (Decimal::shortest(value, kind), 6),
        Some(precision) => {
            let wanted = precision.max(1);
            let decimal = Decimal::rounded(value, wanted - 1);
            let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
            let count = decimal.count();
            let limit = if wanted > count && count >= decimal.point { count } else { wanted };
            (decimal, limit)
        }
    };
    let exponent = decimal.point - 1;
    match exponent < -4 || exponent >= limit {
        true => decimal.exponential(out, None, if verb == 'G' { 'E' } else { 'e' }),
        false => decimal.plain(out),
    }
}

/// A number in decimal digits: 0.123 for the digits 123 and the point 0, 1230 for the point 4.
struct Decimal {
    /// Without zeros at either end; none for 0.
    digits: String,
    point: i32,
}

impl Decimal {
    /// As many digits as tell the number from all others of its size. Between two that are as near, the even one: the
    /// standard library takes the other.
    fn shortest(value: f64, kind: FloatKind) -> Self {
        let mut space = zmij::Buffer::new();
        Self::parse(match kind {
            FloatKind::Float32 if value == GO_ROUNDS_UP => "2.4414063e-4",
            FloatKind::Float32 => space.format_finite(value as f32),
            FloatKind::Float64 => space.format_finite(value),
        })
    }

    /// One digit and so many more, rounded.
    fn rounded(value: f64, more: usize) -> Self {
        Self::parse(&format!("{value:.*e}", more.min(DIGITS)))
    }

    /// From `12.3`, `1.23e1` or `0.00123`.
    fn parse(text: &str) -> Self {
        let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Self { digits: String::new(), point: 0 };
        }
        let exponent: i32 = exponent.parse().unwrap_or_default();
        Self { digits: digits.to_owned(), point: exponent + length(whole) - leading as i32 }
    }

    fn count(&self) -> i32 {
        length(&self.digits)
    }

    /// Appends digits with a point: `123.45`.
    fn plain(&self, out: &mut Vec<u8>) {
        let before = usize::try_from(self.point).unwrap_or_default();
        let (whole, fraction) = self.digits.split_at(before.min(self.digits.len()));
        out.extend_from_slice(if whole.is_empty() { "0" } else { whole }.as_bytes());
        zeros(out, usize::try_from(self.point - self.count()).unwrap_or_default());
        if !fraction.is_empty() {
            out.push(b'.');
            zeros(out, usize::try_from(-self.point).unwrap_or_default());
            out.extend_from_slice(fraction.as_bytes());
        }
    }

    /// Appends one digit before the point, and an exponent: `1.2345e+02`. Zeros make up the places asked for.
    fn exponential(&self, out: &mut Vec<u8>, places: Option<usize>, letter: char) {
        let (first, fraction) = self.digits.split_at(self.digits.len().min(1));
        out.extend_from_slice(if first.is_empty() { "0" } else { first }.as_bytes());
        let places = places.unwrap_or(fraction.len());
        if places > 0 {
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
            zeros(out, places.saturating_sub(fraction.len()));
        }
        out.push(letter as u8);
        signed_exponent(out, if first.is_empty() { 0 } else { self.point - 1 });
    }
}

/// Length of digits, of which there are never more than [`DIGITS`].
fn length(digits: &str) -> i32 {
    digits.len() as i32
}

fn signed_exponent(out: &mut Vec<u8>, exponent: i32) {
    out.push(if exponent < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{:02}", exponent.unsigned_abs()).as_bytes());
}

fn zeros(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, b'0');
}

/// A number as `mantissa * 2^(exponent - bits)`.
struct Parts {
    mantissa: u64,
    exponent: i32,
    /// Bits of the mantissa behind the point.
    bits: u32,
}

impl Parts {
    fn of(value: f64, kind: FloatKind) -> Self {
        let (pattern, bits, bias) = match kind {
            FloatKind::Float32 => (u64::from((value as f32).to_bits()), 23, 127),
            FloatKind::Float64 => (value.to_bits(), 52, 1023),
        };
        let fraction = pattern & ((1 << bits) - 1);
        let exponent = (pattern >> bits) as i32;
        // Numbers close to zero lack the leading one.
        match exponent {
            0 => Self { mantissa: fraction, exponent: 1 - bias, bits },
            _ => Self { mantissa: fraction | 1 << bits, exponent: exponent - bias, bits },
        }
    }
}

/// The mantissa as an integer, and the exponent of two: `4503599627370496p-52`.
fn binary(out: &mut Vec<u8>, Parts { mantissa, exponent, bits }: Parts) {
    let exponent = exponent - bits.cast_signed();
    out.extend_from_slice(format!("{mantissa}p{exponent:+}").as_bytes());
}

/// One hexadecimal digit before the point, and the exponent of two: `0x1.8p+01`.
fn hexadecimal(out: &mut Vec<u8>, parts: Parts, precision: Option<usize>, is_upper: bool) {
    /// Place of the digit before the point.
    const ONE: u32 = 60;
    let Parts { mantissa, mut exponent, bits } = parts;
    let mut mantissa = mantissa << (ONE - bits);
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - (u64::BITS - 1 - ONE);
        mantissa <<= shift;
        exponent -= shift.cast_signed();
    }
    if let Some(places @ 0..15) = precision {
        let dropped = ONE - 4 * places as u32;
        let half = 1 << (dropped - 1);
        let rest = mantissa & ((1 << dropped) - 1);
        let kept = mantissa >> dropped;
        let is_up = rest > half || (rest == half && kept & 1 == 1);
        mantissa = (kept + u64::from(is_up)) << dropped;
        if mantissa >> (ONE + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let fraction = format!("{:015x}", mantissa & ((1 << ONE) - 1));
    let shown = match precision {
        None => fraction.trim_end_matches('0'),
        Some(places) => &fraction[..places.min(fraction.len())],
    };
    let mut number = format!("0x{}", mantissa >> ONE);
    if !shown.is_empty() {
        number.push('.');
        number.push_str(shown);
    }
    let start = out.len();
    out.extend_from_slice(number.as_bytes());
    zeros(out, precision.unwrap_or_default().saturating_sub(fraction.len()));
    out.push(b'p');
    signed_exponent(out, exponent);
    if is_upper {
        out[start..].make_ascii_uppercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64, verb: char, precision: Option<usize>, kind: FloatKind) -> String {
        let mut out = Vec::new();
        format_float(&mut out, value, verb, precision, kind);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formats_as_go_does() {
        let cases = [
            (1e6, 'g', None, "1e+06"),
            (100_000.0, 'g', None, "100000"),
            (1e21, 'g', None, "1e+21"),
            (1e-5, 'g', None, "1e-05"),
            (0.0001, 'g', None, "0.0001"),
            (123_456_789.0, 'g', None, "1.23456789e+08"),
            (0.0, 'g', None, "0"),
            (-0.0, 'g', None, "-0"),
            (100.0, 'g', Some(2), "1e+02"),
            (100.0, 'g', Some(0), "1e+02"),
            (2.5, 'f', Some(0), "2"),
            (1e21, 'f', None, "1000000000000000000000"),
            (0.0, 'e', Some(3), "0.000e+00"),
            (5e-324, 'e', None, "5e-324"),
            (1.0, 'b', None, "4503599627370496p-52"),
            (0.0, 'b', None, "0p-1074"),
            (1.5, 'x', None, "0x1.8p+00"),
            (1.5, 'x', Some(0), "0x1p+01"),
            (1.999_999, 'X', Some(2), "0X1.00P+01"),
            (5e-324, 'x', Some(20), "0x1.00000000000000000000p-1074"),
            (f64::NEG_INFINITY, 'f', Some(2), "-Inf"),
            (f64::NAN, 'x', None, "NaN"),
        ];
        for (value, verb, precision, expected) in cases {
            assert_eq!(text(value, verb, precision, FloatKind::Float64), expected, "{value} {verb} {precision:?}");
        }
    }

    #[test]
    fn a_float32_has_the_digits_that_tell_it_from_other_float32s() {
        let tenth = f64::from(0.1_f32);
        assert_eq!(text(tenth, 'g', None, FloatKind::Float32), "0.1");
        assert_eq!(text(tenth, 'g', None, FloatKind::Float64), "0.10000000149011612");
        assert_eq!(text(tenth, 'b', None, FloatKind::Float32), "13421773p-27");
    }

    #[test]
    fn ties_round_to_the_even_digit_but_for_one() {
        assert_eq!(text(-209.158_477_783_203_12, 'g', None, FloatKind::Float64), "-209.15847778320312");
        assert_eq!(text(2_331_043.25, 'g', None, FloatKind::Float32), "2.3310432e+06");
        assert_eq!(text(0.5_f64.powi(25), 'g', None, FloatKind::Float64), "2.9802322387695312e-08");
        assert_eq!(text(0.5_f64.powi(12), 'g', None, FloatKind::Float32), "0.00024414063");
    }

    #[test]
    fn places_beyond_the_exact_value_are_zeros() {
        let long = text(1.0, 'e', Some(100_000), FloatKind::Float64);
        assert_eq!((long.len(), &long[100_000..]), (100_006, "00e+00"));
        assert_eq!(text(0.5, 'f', Some(5000), FloatKind::Float64).len(), 5002);
    }
}
