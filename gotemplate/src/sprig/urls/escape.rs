//! Bytes of URLs as `%2F`.

use crate::format::quote;

/// Parts of a URL, each of which needs other bytes to be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    User,
    Host,
    /// What follows the `%25` in an IPv6 address
    Zone,
    Path,
    Fragment,
}

impl Part {
    /// Whether the byte stands in it as it is.
    fn has(self, byte: u8) -> bool {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => true,
            b'$' | b'&' | b'+' | b',' | b';' | b'=' => true,
            b':' => self != Self::User,
            b'/' | b'@' => matches!(self, Self::Path | Self::Fragment),
            b'?' => self == Self::Fragment,
            b'!' | b'(' | b')' | b'*' => matches!(self, Self::Host | Self::Zone | Self::Fragment),
            b'\'' | b'[' | b']' | b'<' | b'>' | b'"' => matches!(self, Self::Host | Self::Zone),
            _ => false,
        }
    }

    /// Whether `%` and two digits may stand in it for that byte.
    fn may_escape(self, byte: u8) -> bool {
        match self {
            // Bytes of ASCII cannot be escaped in a host, but for the `%` before a zone.
            Self::Host => byte >= 0x80 || byte == b'%',
            Self::Zone => byte == b'%' || byte == b' ' || Self::Host.has(byte),
            Self::User | Self::Path | Self::Fragment => true,
        }
    }
}

/// The part with what does not belong in it escaped.
pub(super) fn escape(bytes: &[u8], part: Part) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match part.has(*byte) {
            true => escaped.push(*byte),
            false => escaped.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    escaped
}

/// The part with what is escaped in it as the bytes that are meant.
pub(super) fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = match (first, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let byte = digit(*high) << 4 | digit(*low);
                if !part.may_escape(byte) {
                    return Err(format!("invalid URL escape {}", quote(&[b'%', *high, *low])));
                }
                rest = after;
                byte
            }
            (b'%', _) => {
                let escape = [&b"%"[..], &after[..after.len().min(2)]].concat();
                return Err(format!("invalid URL escape {}", quote(&escape)));
            }
            (0..0x80, _) if matches!(part, Part::Host | Part::Zone) && !part.has(*first) => {
                return Err(format!("invalid character {} in host name", quote(&[*first])));
            }
            _ => *first,
        };
        bytes.push(byte);
    }
    Ok(bytes)
}

fn digit(byte: u8) -> u8 {
    char::from(byte).to_digit(16).unwrap_or_default() as u8
}
