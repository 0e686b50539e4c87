//! Spans of time: Go's `time.Duration`, in nanoseconds.

use super::parse::quote;
use super::time::SECOND;

/// Units as they are written, and their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

const LIMIT: u64 = 1 << 63;

/// Reads a span such as `1h15m30.5s`. The error is Go's message.
pub(super) fn parse(text: &[u8]) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quote(text));
    let (is_negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, behind) = digits(rest);
        let (fraction, behind) = match behind.strip_prefix(b".") {
            Some(behind) => digits(behind),
            None => (&[][..], behind),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let count = whole.iter().try_fold(0_u64, |value, digit| add_digit(value, *digit)).ok_or_else(invalid)?;
        let end = behind.iter().position(|byte| matches!(byte, b'.' | b'0'..=b'9')).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quote(text)));
        }
        let Some((_, size)) = UNITS.iter().find(|(name, _)| name.as_bytes() == unit) else {
            return Err(format!("time: unknown unit {} in duration {}", quote(unit), quote(text)));
        };
        let nanoseconds = count.checked_mul(*size).filter(|value| *value <= LIMIT).ok_or_else(invalid)?;
        let part = nanoseconds + part_of(fraction, *size);
        // Two halves of the range make a zero, as in Go.
        total = total.wrapping_add(part);
        if part > LIMIT || total > LIMIT {
            return Err(invalid());
        }
        rest = behind;
    }
    match i64::try_from(total) {
        Ok(total) => Ok(if is_negative { -total } else { total }),
        Err(_) if is_negative => Ok(i64::MIN),
        Err(_) => Err(invalid()),
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn add_digit(value: u64, digit: u8) -> Option<u64> {
    (value <= LIMIT / 10).then(|| value * 10 + u64::from(digit - b'0')).filter(|value| *value <= LIMIT)
}

/// Nanoseconds of a fraction of a unit. Digits beyond what a number can hold are left out.
fn part_of(fraction: &[u8], unit: u64) -> u64 {
    let mut value = 0_u64;
    let mut scale = 1.0_f64;
    for digit in fraction {
        match add_digit(value, *digit).filter(|_| value <= (LIMIT - 1) / 10) {
            Some(more) => value = more,
            None => break,
        }
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// As Go prints it: `1h15m30.5s`, `1.5µs`.
pub(super) fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let size = nanoseconds.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let shown = match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{size}ns"),
        1_000..1_000_000 => format!("{}µs", with_fraction(size, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", with_fraction(size, 1_000_000, 6)),
        _ => {
            let (minutes, rest) = (size / second / 60, size % (60 * second));
            let seconds = with_fraction(rest, second, 9);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{shown}")
}

fn with_fraction(value: u64, unit: u64, digits: usize) -> String {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        whole.to_string()
    } else {
        format!("{whole}.{fraction:0digits$}").trim_end_matches('0').to_owned()
    }
}

/// To the nearest multiple of `unit`, half away from zero; as it is for no positive unit.
pub(super) fn round(nanoseconds: i64, unit: i64) -> i64 {
    if unit <= 0 {
        return nanoseconds;
    }
    let rest = nanoseconds % unit;
    let towards_zero = nanoseconds - rest;
    if rest.unsigned_abs() * 2 < unit.unsigned_abs() {
        towards_zero
    } else {
        towards_zero.saturating_add(if nanoseconds < 0 { -unit } else { unit })
    }
}

/// A span as sprig's `durationRound` shows it: in whole units of the largest that it is longer than.
pub(super) fn largest_unit(nanoseconds: i64) -> String {
    const HOUR: u64 = 3_600_000_000_000;
    let size = nanoseconds.unsigned_abs();
    let units = [
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3600, "s"),
    ];
    match units.iter().find(|(unit, _)| size > *unit) {
        Some((unit, name)) => format!("{}{name}", size / unit),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_printed() {
        for (text, nanoseconds, shown) in [
            ("0", 0, "0s"),
            ("-1.5h", -5_400 * SECOND, "-1h30m0s"),
            ("1h2m3.004s", 3_723_004_000_000, "1h2m3.004s"),
            ("1us2\u{3bc}s500ns", 3_500, "3.5µs"),
            (".5ms", 500_000, "500µs"),
            ("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s"),
            ("0.3333333333333333333h", 20 * 60 * SECOND, "20m0s"),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(nanoseconds), "{text}");
            assert_eq!(format(nanoseconds), shown);
        }
        for (text, error) in [
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            ("1", r#"time: missing unit in duration "1""#),
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            (".s", r#"time: invalid duration ".s""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(error.to_owned()));
        }
    }

    #[test]
    fn spans_are_rounded() {
        assert_eq!((round(7, 4), round(6, 4), round(5, 4), round(-6, 4), round(6, 0)), (8, 8, 4, -8, 6));
        assert_eq!((round(i64::MAX, 4), round(i64::MIN, 1 << 62)), (i64::MAX, i64::MIN));
        assert_eq!(largest_unit(3_600 * SECOND), "60m");
        assert_eq!(largest_unit(-400 * 24 * 3_600 * SECOND), "1y");
        assert_eq!(largest_unit(SECOND), "0s");
    }
}
