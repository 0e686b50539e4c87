//! Spans of time as Go writes them.

use std::time::Duration;

use super::Invalid;

/// Units with their lengths in nanoseconds; of two that begin alike the longer first. Micro has two code points.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// Digits after the point that are looked at: with the longest unit, the next is less than a nanosecond.
const MAX_FRACTION: usize = 13;

/// A positive span of time, written as `5s`, `1m30s` or `1.5h`.
pub(crate) fn duration(text: &str) -> Result<Duration, Invalid> {
    nanoseconds(text)
        .and_then(|nanoseconds| u64::try_from(nanoseconds).ok())
        .filter(|nanoseconds| *nanoseconds != 0)
        .map(Duration::from_nanos)
        .ok_or_else(|| Invalid::new(text, "a span of time; use one such as 5s or 1m30s"))
}

fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = 0_u128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = after.strip_prefix('.').map_or(("", after), digits);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (unit, length) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total += u128::from(whole) * u128::from(*length) + part(fraction, *length)?;
        rest = &after[unit.len()..];
    }
    Some(total)
}

/// What `0.fraction` of `length` is.
fn part(fraction: &str, length: u64) -> Option<u128> {
    let fraction = &fraction[..fraction.len().min(MAX_FRACTION)];
    if fraction.is_empty() {
        return Some(0);
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some(fraction.parse::<u128>().ok()? * u128::from(length) / scale)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("1.5h", 5_400_000),
            ("300ms", 300),
            (".5s", 500),
            ("1.s", 1_000),
            ("+2s", 2_000),
            ("2000us", 2),
            ("2000µs", 2),
            ("1h1ms", 3_600_001),
            ("1m1m", 120_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("1.00000000000000000000001s"), Ok(Duration::from_secs(1)));
    }

    #[test]
    fn what_is_no_positive_span_is_refused() {
        for text in
            ["", "0", "0s", "5", "-5s", "s", ".s", "1.2.3s", "5 s", "5s ", "5d", "1e3s", "99999999999999999999s"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration("9999999h").is_err());
    }
}
