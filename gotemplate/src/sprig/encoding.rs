//! Base64 and base32. What cannot be decoded gives the error's text as the result, as in sprig.

use data_encoding::{BASE32, BASE64, Encoding};

use super::text::text;
use crate::function::Functions;
use crate::limits::Budget;
use crate::text::Str;

pub(super) fn add(functions: &mut Functions) {
    for (name, encoding) in [("b64enc", BASE64), ("b32enc", BASE32)] {
        functions.add(name, move |budget: &Budget, bytes: Str| encode(budget, &encoding, &bytes));
    }
    functions
        .add("b64dec", |budget: &Budget, encoded: Str| {
            text(budget, decode_base64(&encoded).unwrap_or_else(String::into_bytes))
        })
        .add("b32dec", |budget: &Budget, encoded: Str| {
            text(budget, decode_base32(&encoded).unwrap_or_else(String::into_bytes))
        });
}

fn encode(budget: &Budget, encoding: &Encoding, bytes: &[u8]) -> Result<Str, crate::FunctionError> {
    text(budget, encoding.encode(bytes).into_bytes())
}

/// Decodes base64 with padding. Line ends are skipped, and bits beyond the last byte may be anything.
pub(super) fn decode_base64(encoded: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |position: usize| Err(format!("illegal base64 data at input byte {position}"));
    let mut bits = Bits::of(6);
    let mut rest = encoded.iter().copied().enumerate().filter(|(_, byte)| !is_line_end(*byte));
    while let Some((position, byte)) = rest.next() {
        if let Some(symbol) = base64_symbol(byte) {
            bits.push(symbol);
            continue;
        }
        match (byte, bits.symbols % 4) {
            (b'=', 2) => match rest.next() {
                None => return failed(encoded.len()),
                Some((_, b'=')) => {}
                Some((position, _)) => return failed(position - 1),
            },
            (b'=', 3) => {}
            _ => return failed(position),
        }
        return match rest.next() {
            Some((position, _)) => failed(position),
            None => Ok(bits.bytes),
        };
    }
    match bits.symbols % 4 {
        0 => Ok(bits.bytes),
        incomplete => failed(encoded.len() - incomplete),
    }
}

/// Decodes base32 with padding. Line ends are skipped, and positions in errors do not count them.
fn decode_base32(encoded: &[u8]) -> Result<Vec<u8>, String> {
    const GROUP: usize = 8;
    let failed = |position: usize| Err(format!("illegal base32 data at input byte {position}"));
    let encoded: Vec<u8> = encoded.iter().copied().filter(|byte| !is_line_end(*byte)).collect();
    let mut bits = Bits::of(5);
    for (position, &byte) in encoded.iter().enumerate() {
        let given = bits.symbols % GROUP;
        let rest = encoded.get(position + 1..).unwrap_or_default();
        if byte == b'=' && given >= 2 && rest.len() < GROUP {
            let missing = GROUP - 1 - given;
            if rest.len() < missing {
                return failed(encoded.len());
            }
            if let Some(wrong) = rest.iter().take(missing).position(|&byte| byte != b'=') {
                return failed(position + wrong);
            }
            // So many symbols leave a byte incomplete.
            return if matches!(given, 3 | 6) { failed(position) } else { Ok(bits.bytes) };
        }
        match base32_symbol(byte) {
            Some(symbol) => bits.push(symbol),
            None => return failed(position),
        }
    }
    match bits.symbols % GROUP {
        0 => Ok(bits.bytes),
        incomplete => failed(encoded.len() - incomplete),
    }
}

/// Symbols of a few bits each, put together to bytes.
struct Bits {
    width: u32,
    symbols: usize,
    pending: u32,
    pending_width: u32,
    bytes: Vec<u8>,
}

impl Bits {
    fn of(width: u32) -> Self {
        Self { width, symbols: 0, pending: 0, pending_width: 0, bytes: Vec::new() }
    }

    fn push(&mut self, symbol: u8) {
        self.symbols += 1;
        self.pending = (self.pending << self.width) | u32::from(symbol);
        self.pending_width += self.width;
        if self.pending_width >= 8 {
            self.pending_width -= 8;
            self.bytes.push((self.pending >> self.pending_width) as u8);
        }
    }
}

fn base64_symbol(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn base32_symbol(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => return None,
    })
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where() {
        let check = |result: Result<Vec<u8>, String>, expected: Result<&str, usize>, base: u8| match expected {
            Ok(text) => assert_eq!(result, Ok(text.as_bytes().to_vec())),
            Err(position) => assert_eq!(result, Err(format!("illegal base{base} data at input byte {position}"))),
        };
        for (encoded, expected) in [
            ("", Ok("")),
            ("Zm9v\r\nYg==\n", Ok("foob")),
            ("Zm9vYh==", Ok("foob")),
            ("Zm9", Err(0)),
            ("Zm9vYg", Err(4)),
            ("Zm9vYg=", Err(7)),
            ("Zm9vYg=x", Err(6)),
            ("Zm9vYmE=x", Err(8)),
            ("Z===", Err(1)),
            ("Zm*v", Err(2)),
        ] {
            check(decode_base64(encoded.as_bytes()), expected, 64);
        }
        for (encoded, expected) in [
            ("", Ok("")),
            ("MZXW6\nYQ=", Ok("foob")),
            ("MZXW6", Err(0)),
            ("MZXW6YQ", Err(0)),
            ("MZXW6Y==", Err(6)),
            ("MZX=====", Err(3)),
            ("MY==", Err(4)),
            ("MZXW6yQ=", Err(5)),
        ] {
            check(decode_base32(encoded.as_bytes()), expected, 32);
        }
    }
}
