//! IPv6 addresses, with the errors that Go has for what is none.

use crate::format::quote;

/// Checks the address between the brackets of a URL. It may have a zone.
pub(super) fn check_ipv6(text: &[u8]) -> Result<(), String> {
    match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => match check_ipv4(text) {
            Ok(()) => Err("invalid IP-literal".to_owned()),
            Err(problem) => Err(problem.describe(text)),
        },
        Some(b':') => read_ipv6(text).map_err(|problem| problem.describe(text)),
        Some(_) => Err(Problem::new("missing IPv6 address").describe(text)),
        None => Err(Problem::new("unable to parse IP").describe(text)),
    }
}

/// What is wrong, and where when Go says so.
struct Problem<'a> {
    what: &'static str,
    at: &'a [u8],
}

impl<'a> Problem<'a> {
    fn new(what: &'static str) -> Self {
        Self { what, at: b"" }
    }

    fn at(what: &'static str, at: &'a [u8]) -> Self {
        Self { what, at }
    }

    fn describe(&self, text: &[u8]) -> String {
        let what = self.what;
        let at = if self.at.is_empty() { String::new() } else { format!(" (at {})", quote(self.at)) };
        format!("invalid host: ParseAddr({}): {what}{at}", quote(text))
    }
}

fn check_ipv4(text: &[u8]) -> Result<(), Problem<'_>> {
    let mut fields = 0;
    let mut value: Option<u32> = None;
    for (position, byte) in text.iter().enumerate() {
        let rest = &text[position..];
        match byte {
            b'0'..=b'9' if value == Some(0) => return Err(Problem::new("IPv4 field has octet with leading zero")),
            b'0'..=b'9' => {
                let longer = value.unwrap_or_default() * 10 + u32::from(byte - b'0');
                if longer > 255 {
                    return Err(Problem::new("IPv4 field has value >255"));
                }
                value = Some(longer);
            }
            b'.' if value.is_none() || rest.len() == 1 => {
                return Err(Problem::at("IPv4 field must have at least one digit", rest));
            }
            b'.' if fields == 3 => return Err(Problem::new("IPv4 address too long")),
            b'.' => {
                fields += 1;
                value = None;
            }
            _ => return Err(Problem::at("unexpected character", rest)),
        }
    }
    if fields < 3 { Err(Problem::new("IPv4 address too short")) } else { Ok(()) }
}

fn read_ipv6(text: &[u8]) -> Result<(), Problem<'_>> {
    let percent = text.iter().position(|byte| *byte == b'%');
    if percent.is_some_and(|percent| percent + 1 == text.len()) {
        return Err(Problem::new("zone must be a non-empty string"));
    }
    let mut rest = &text[..percent.unwrap_or(text.len())];
    let mut has_ellipsis = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        has_ellipsis = true;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut fields = 0;
    while fields < 8 {
        let digits = hex_digits(rest)?;
        if rest.get(digits) == Some(&b'.') {
            return check_embedded_ipv4(rest, fields, has_ellipsis);
        }
        fields += 1;
        rest = match &rest[digits..] {
            [] => &[],
            [b':'] => return Err(Problem::at("colon must be followed by more characters", b":")),
            [b':', b':', ..] if has_ellipsis => {
                return Err(Problem::at("multiple :: in address", &rest[digits + 1..]));
            }
            [b':', b':', after @ ..] => {
                has_ellipsis = true;
                after
            }
            [b':', after @ ..] => after,
            other => return Err(Problem::at("unexpected character, want colon", other)),
        };
        if rest.is_empty() {
            break;
        }
    }
    match (rest.is_empty(), fields, has_ellipsis) {
        (false, ..) => Err(Problem::at("trailing garbage after address", rest)),
        (_, 8, true) => Err(Problem::new("the :: must expand to at least one field of zeros")),
        (_, 0..8, false) => Err(Problem::new("address string too short")),
        _ => Ok(()),
    }
}

/// How many digits the field has.
fn hex_digits(text: &[u8]) -> Result<usize, Problem<'_>> {
    match text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count() {
        0 => Err(Problem::at("each colon-separated field must have at least one digit", text)),
        digits @ 1..=4 => Ok(digits),
        _ => Err(Problem::at("each group must have 4 or less digits", text)),
    }
}

fn check_embedded_ipv4(text: &[u8], fields: usize, has_ellipsis: bool) -> Result<(), Problem<'_>> {
    if !has_ellipsis && fields != 6 {
        return Err(Problem::at("embedded IPv4 address must replace the final 2 fields of the address", text));
    }
    if fields > 6 {
        return Err(Problem::at("too many hex fields to fit an embedded IPv4 at the end of the address", text));
    }
    check_ipv4(text)?;
    match (fields, has_ellipsis) {
        (6, true) => Err(Problem::new("the :: must expand to at least one field of zeros")),
        _ => Ok(()),
    }
}
