//! Times from text: Go's `time.ParseInLocation` with the local zone.

mod fields;
mod zone_name;

use self::fields::{Fields, Problem};
use super::layout::{self, Chunk};
use super::time::Time;

/// Reads a time that is written in that layout. The error is Go's message.
pub(super) fn parse(layout: &[u8], text: &[u8]) -> Result<Time, String> {
    let mut fields = Fields::default();
    let mut rest_of_layout = layout;
    let mut rest = text;
    loop {
        let Chunk { prefix, element, rest: behind } = layout::next(rest_of_layout);
        rest = skip(rest, prefix).map_err(|rest| mismatch(layout, text, prefix, rest))?;
        let Some((element, as_written)) = element else {
            break;
        };
        rest = match fields.read(element, rest, behind) {
            Ok(rest) => rest,
            Err(Problem::Mismatch) => return Err(mismatch(layout, text, as_written, rest)),
            Err(Problem::OutOfRange(what)) => return Err(format!("parsing time {}: {what} out of range", quote(text))),
        };
        rest_of_layout = behind;
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quote(text), quote(rest)));
    }
    fields.finish().map_err(|problem| format!("parsing time {}: {problem}", quote(text)))
}

/// What follows `prefix` in a text. Spaces stand for any number of spaces, at the end for none too. The error is what
/// is left where the text differs.
fn skip<'a>(mut text: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let Some((&first, behind)) = prefix.split_first() {
        if first == b' ' {
            if text.first().is_some_and(|&byte| byte != b' ') {
                return Err(text);
            }
            prefix = without_spaces(prefix);
            text = without_spaces(text);
        } else {
            text = text.strip_prefix(&[first]).ok_or(text)?;
            prefix = behind;
        }
    }
    Ok(text)
}

fn without_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

fn mismatch(layout: &[u8], text: &[u8], element: &[u8], rest: &[u8]) -> String {
    let (layout, text, element, rest) = (quote(layout), quote(text), quote(element), quote(rest));
    format!("parsing time {text} as {layout}: cannot parse {rest} as {element}")
}

/// In double quotes, as the errors of Go's package `time` have it: bytes beyond ASCII are escaped one by one.
pub(super) fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=0x7f => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::format::format;
    use super::*;
    use crate::text::Str;

    fn check(layout: &str, text: &str, expected: &str) {
        let shown = match parse(layout.as_bytes(), text.as_bytes()) {
            Ok(time) => Str::from(format(&time, b"2006-01-02 15:04:05.999999999 -0700 MST")).to_string(),
            Err(error) => error,
        };
        assert_eq!(shown, expected, "{text} as {layout}");
    }

    #[test]
    fn times_are_read_as_they_are_laid_out() {
        check("2006-01-02", "2024-02-29", "2024-02-29 00:00:00 +0000 UTC");
        check("Jan _2 06 3:04pm", "mar  7 69 12:30am", "1969-03-07 00:30:00 +0000 UTC");
        check("2006-002", "2024-366", "2024-12-31 00:00:00 +0000 UTC");
        check("15:04:05", "01:02:03.5", "0000-01-01 01:02:03.5 +0000 UTC");
        check("15:04:05.00", "01:02:03,25", "0000-01-01 01:02:03.25 +0000 UTC");
        check("2006-01-02T15:04:05Z07:00", "2024-01-02T03:04:05+02:00", "2024-01-02 03:04:05 +0200 +0200");
        check("2006 MST", "2024 CEST", "2024-01-01 00:00:00 +0000 CEST");
        check("2006 MST", "2024 GMT-3", "2023-12-31 21:00:00 -0300 GMT-3");
        check("2006 -0700 MST", "2024 +0100 CET", "2024-01-01 00:00:00 +0100 CET");
    }

    #[test]
    fn errors_say_what_does_not_fit() {
        check("2006-01-02", "2024-1-02", r#"parsing time "2024-1-02" as "2006-01-02": cannot parse "1-02" as "01""#);
        check("2006-01-02", "2024/01", r#"parsing time "2024/01" as "2006-01-02": cannot parse "/01" as "-""#);
        check("2006-01-02", "2024-13-02", r#"parsing time "2024-13-02": month out of range"#);
        check("2006-01-02", "2023-02-29", r#"parsing time "2023-02-29": day out of range"#);
        check("2006", "2024\u{e9}", r#"parsing time "2024\xc3\xa9": extra text: "\xc3\xa9""#);
        check("2006-002 Jan", "2024-032 Jan", r#"parsing time "2024-032 Jan": day-of-year does not match month"#);
        check("-07", "*07", r#"parsing time "*07" as "-07": cannot parse "*07" as "-07""#);
    }
}
