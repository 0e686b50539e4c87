//! What a scalar without quotes says.

use serde_json::{Number, Value};

use crate::yaml::value::number;

/// Longer numbers may not fit.
const MAX_DIGITS: usize = 15;
/// Texts that some YAML parser takes for something else, in some spelling; their lengths are 1 to 5.
const AMBIGUOUS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];

/// What it says; none where that takes a second look.
pub(super) fn resolve(text: &str) -> Option<Value> {
    match text {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        "null" | "~" => return Some(Value::Null),
        _ => {}
    }
    let is_text = match text.as_bytes() {
        [b'0'..=b'9', ..] => return number_or_text(text),
        [b'-', b'0'..=b'9', ..] => return integer(text).map(Value::Number),
        [b'-', b'-' | b'a'..=b'z' | b'A'..=b'Z', ..] | [b'/' | b'_' | b'$' | b'(' | 0x80.., ..] | [b'.', b'/', ..] => {
            true
        }
        [b'a'..=b'z' | b'A'..=b'Z', ..] => !is_ambiguous(text),
        _ => false,
    };
    is_text.then(|| Value::String(text.to_owned()))
}

fn is_ambiguous(text: &str) -> bool {
    text.len() <= 5 && AMBIGUOUS.iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// It begins with a digit.
fn number_or_text(text: &str) -> Option<Value> {
    let as_text = || Some(Value::String(text.to_owned()));
    let Some(other) = text.bytes().find(|byte| !byte.is_ascii_digit()) else {
        return integer(text).map(Value::Number);
    };
    // A character that is in no number, in no system and no notation; nor in a time.
    let is_of_no_number =
        |byte: u8| matches!(byte, b'/' | b'g'..=b'm' | b'p'..=b's' | b'u'..=b'w' | b'G'..=b'M' | b'P'..=b'S');
    if text.bytes().any(is_of_no_number) {
        return as_text();
    }
    let mut parts = text.split('.');
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (other, text.matches('.').count()) {
        (b'.', 1) if text.len() <= MAX_DIGITS && !text.starts_with("00") && parts.all(are_digits) => {
            text.parse().ok().and_then(number).map(Value::Number)
        }
        // As an address or a version.
        (b'.', 2..) if parts.all(are_digits) => as_text(),
        _ => None,
    }
}

/// The integer that the text is; none where a zero in front means something.
fn integer(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.len() <= MAX_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    let starts_with_zero = digits.starts_with('0') && text != "0";
    if is_plain && !starts_with_zero { text.parse::<i64>().ok().map(Number::from) } else { None }
}
