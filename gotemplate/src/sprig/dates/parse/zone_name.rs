//! Names of time zones, as far as they can be told from other text.

/// Length of the name of a zone at the beginning of a text: three to five capitals, `GMT` with hours, or an offset.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    match text {
        [b'C', b'h', b'S', b'T', ..] | [b'M', b'e', b'S', b'T', ..] => return Some(4),
        [b'G', b'M', b'T', rest @ ..] => return Some(3 + hours(rest).map_or(0, |(_, length)| length)),
        [b'+' | b'-', _, _, ..] => return hours(text).map(|(_, length)| length),
        _ => {}
    }
    match text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count() {
        3 => Some(3),
        4 if text.get(3) == Some(&b'T') || text.starts_with(b"WITA") => Some(4),
        5 if text.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// Seconds east of Greenwich: of `GMT` with hours; other names say nothing of it.
pub(super) fn offset(name: &[u8]) -> i64 {
    name.strip_prefix(b"GMT").and_then(hours).map_or(0, |(hours, _)| hours * 3600)
}

/// A sign and up to 23 hours, and their length.
fn hours(text: &[u8]) -> Option<(i64, usize)> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let digits = std::str::from_utf8(digits.get(..count)?).ok()?;
    let hours = digits.parse::<i64>().ok().filter(|hours| *hours <= 23)?;
    Some((sign * hours, 1 + count))
}
