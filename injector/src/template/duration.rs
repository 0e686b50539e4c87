//! Durations as Go writes them: `1h30m`, `1.5s`.

use std::fmt::Write;

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Nanoseconds of a duration in Go's notation: numbers with a unit each, and a sign before them all.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(nanoseconds(number, *unit)?)?;
        if tail.is_empty() {
            return i64::try_from(sign * total).ok();
        }
        rest = tail;
    }
}

fn nanoseconds(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let parse = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
    // A unit has 13 digits at most: what lies beyond the 15th is less than a nanosecond.
    let fraction = fraction.get(..15).unwrap_or(fraction);
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    parse(whole)?.checked_mul(unit)?.checked_add(parse(fraction)? * unit / scale)
}

/// As Go prints it: `1h30m0s`, `1.5s`, `0s`; below a second in a smaller unit.
pub(super) fn text(nanoseconds: i64) -> String {
    let mut text = String::new();
    if nanoseconds < 0 {
        text.push('-');
    }
    let total = nanoseconds.unsigned_abs();
    // Writing to a string does not fail.
    let _ = match total {
        0 => write!(text, "0s"),
        1..1_000 => write!(text, "{total}ns"),
        1_000..1_000_000 => write!(text, "{}µs", decimal(total, 1_000)),
        1_000_000..1_000_000_000 => write!(text, "{}ms", decimal(total, 1_000_000)),
        _ => {
            let (hours, minutes) = (total / 3_600_000_000_000, total / 60_000_000_000 % 60);
            if hours > 0 {
                text.push_str(&format!("{hours}h"));
            }
            if hours > 0 || minutes > 0 {
                text.push_str(&format!("{minutes}m"));
            }
            write!(text, "{}s", decimal(total % 60_000_000_000, 1_000_000_000))
        }
    };
    text
}

/// `value / unit`, a power of ten, without zeros at the end.
fn decimal(value: u64, unit: u64) -> String {
    let (whole, rest) = (value / unit, value % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    format!("{whole}.{rest:0width$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_in_go() {
        for (given, expected) in [
            ("45s", "45s"),
            ("60s", "1m0s"),
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            ("1h0.5s", "1h0m0.5s"),
            ("100ms", "100ms"),
            ("1500us", "1.5ms"),
            ("-3s", "-3s"),
            ("0", "0s"),
            (".5s", "500ms"),
            ("999ns", "999ns"),
            ("2562047h47m16.854775807s", "2562047h47m16.854775807s"),
        ] {
            assert_eq!(parse(given).map(text).as_deref(), Some(expected), "{given}");
        }
        for bad in ["", "1", "s", "1 s", "1x", ".s", "3000000h", "1s1", "--1s"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
