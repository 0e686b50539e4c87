//! Writing strings and numbers so that every YAML parser reads them as what they are.

use serde_json::Number;

/// Where a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// As the value of a block collection, or alone.
    Block,
    /// Within a flow collection.
    Flow,
    /// Where everything is JSON.
    Json,
}

/// How a string is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    /// Not at all.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
}

/// A string on one line: in the wanted way if it is read as the same string then, otherwise quoted.
pub(crate) fn string(text: &str, wanted: Quote, fallback: Quote, context: Context) -> String {
    if context == Context::Json {
        return json(text);
    }
    let plain = wanted == Quote::Plain && is_plain(text, context);
    let quote = match wanted {
        // JSON as a text can be read in single quotes.
        Quote::Plain if text.contains(['"', '\\']) && !text.contains('\'') => Quote::Single,
        Quote::Plain => fallback,
        wanted => wanted,
    };
    match quote {
        _ if plain => text.to_owned(),
        Quote::Single if is_printable(text) => format!("'{}'", text.replace('\'', "''")),
        _ => double(text),
    }
}

/// [`string`] for one that was not there: JSON as a text is read best in single quotes, however others are quoted.
pub(crate) fn new_string(text: &str, wanted: Quote, fallback: Quote, context: Context) -> String {
    let is_json = text.starts_with(['{', '[']) && text.contains('"') && !text.contains('\'');
    string(text, if is_json { Quote::Single } else { wanted }, fallback, context)
}

/// A number: what YAML 1.1 and 1.2 both read as one.
pub(crate) fn number(number: &Number, context: Context) -> String {
    let text = number.to_string();
    match text.split_once(['e', 'E']) {
        // YAML 1.1 wants a point and a sign.
        Some((mantissa, exponent)) if context != Context::Json => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
        _ => text,
    }
}

/// Whether a string may be written as a literal block scalar.
pub(crate) fn is_literal(text: &str) -> bool {
    let first = text.trim_start_matches('\n');
    text.contains('\n')
        // Blank lines at the end would run together with those that follow.
        && !text.ends_with("\n\n")
        && !first.is_empty()
        // A line of blanks before the first one with text may pass for its indentation.
        && text.lines().take_while(|line| line.trim_matches(' ').is_empty()).all(str::is_empty)
        && text.chars().all(|char| matches!(char, '\n' | '\t') || is_printed(char))
        && !first.starts_with('\t')
}

/// Whether a string is read as the same string without quotes.
fn is_plain(text: &str, context: Context) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let starts_well = match first {
        b'-' | b'?' | b':' => bytes.get(1).is_some_and(|next| !b" ,[]{}".contains(next)),
        _ => !b" \t,[]{}#&*!|>'\"%@`=".contains(first),
    };
    starts_well
        && !matches!(last, b' ' | b':')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && (context == Context::Block || !text.contains([',', '[', ']', '{', '}', '"', '\'', '?', ':']))
        && is_printable(text)
        && !means_something_else(text)
}

/// Whether a string without quotes would be null, a boolean, a number or a date, to YAML of any version.
fn means_something_else(text: &str) -> bool {
    const WORDS: [&str; 18] = [
        "~", "<<", "=", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "+inf", "-inf",
        ".nan", ".inf",
    ];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) || looks_like_number(text)
}

/// Numbers in all bases, with underscores, sexagesimal, dates and times; and some that are none, such as `1.2.3`.
fn looks_like_number(text: &str) -> bool {
    let rest = text.trim_start_matches(['+', '-']);
    if matches!(rest.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return true;
    }
    let number = |char: char| char.is_ascii_hexdigit() || "_.:+-xXoOtTzZ ,".contains(char);
    rest.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '.' | '_'))
        && rest.contains(|char: char| char.is_ascii_digit())
        && rest.chars().all(number)
}

fn is_printable(text: &str) -> bool {
    text.chars().all(is_printed)
}

/// Whether a character stands for itself in every style; not so line breaks, tabs and what cannot be seen.
fn is_printed(char: char) -> bool {
    !char.is_control() && !matches!(char, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

fn double(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            char if is_printed(char) => quoted.push(char),
            // Everything that is not printed has at most 16 bits.
            char => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
        }
    }
    quoted.push('"');
    quoted
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> bool {
        string(text, Quote::Plain, Quote::Double, Context::Block) == text
    }

    #[test]
    fn what_means_something_else_to_any_yaml_is_quoted() {
        for text in [
            "",
            "~",
            "null",
            "Null",
            "true",
            "YES",
            "no",
            "on",
            "Off",
            "y",
            "N",
            "1",
            "-1",
            "+1",
            "0777",
            "0o17",
            "0x1F",
            "0b1",
            "1_000",
            "1.5",
            ".5",
            "1.",
            "1e3",
            "1.2e+3",
            ".inf",
            "-.INF",
            ".nan",
            "190:20:30",
            "2001-12-14",
            "<<",
            "=",
            "2001-12-14t21:59:43.10-05:00",
            "2001-12-14 21:59:43.10 -5",
            "1.2.3",
            "12:30",
        ] {
            assert!(!plain(text), "{text}");
        }
    }

    #[test]
    fn what_has_a_meaning_in_the_syntax_is_quoted() {
        for text in [
            " a", "a ", "a: b", "a:", "a #b", "- a", "-", "? a", "?", ":", "[a", "{a", "&a", "*a", "!a", "|", ">",
            "'a", "\"a", "%a", "@a", "`a", "#a", "---", "--- a", "...", "a\tb", "a\nb", "\u{85}", "\u{feff}",
            "\u{2028}", ",a", "a\r",
        ] {
            assert!(!plain(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_safe_stays_plain() {
        for text in
            ["a", "a b", "-c", "--flag", "a:b", "a#b", "100m", "http://a/b?c=d", "é", "/bin/sh", "a'b", "v1", "$(A)"]
        {
            assert!(plain(text), "{text}");
        }
    }

    #[test]
    fn what_would_have_to_be_escaped_is_in_single_quotes() {
        let written = |text| string(text, Quote::Plain, Quote::Double, Context::Block);
        assert_eq!(written("{\"a\": 1}"), "'{\"a\": 1}'");
        assert_eq!(written("{\"a\": 'b'}"), "\"{\\\"a\\\": 'b'}\"");
    }

    #[test]
    fn what_quotes_cannot_hold_is_escaped() {
        let single = |text| string(text, Quote::Single, Quote::Single, Context::Block);
        assert_eq!(single("it's"), "'it''s'");
        assert_eq!(single("a\nb\u{7f}\"\\"), r#""a\nb\u007F\"\\""#);
    }

    #[test]
    fn large_and_small_numbers_are_numbers_to_old_parsers_too() {
        let written = |value: f64| number(&Number::from_f64(value).unwrap(), Context::Block);
        assert_eq!((written(1e300), written(1.5e-9), written(0.5)), ("1.0e+300".into(), "1.5e-9".into(), "0.5".into()));
    }
}
