//! Texts and characters in quotes, as Go's `strconv` writes them.

use crate::unicode::is_printable;

/// `text` as a literal of Go in double quotes, as `%q` prints it. What is not UTF-8 becomes `\xff`.
pub(super) fn quote(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    escape(&mut quoted, text, false);
    quoted.push(b'"');
    quoted
}

/// Appends what stands between the double quotes; with `ascii` nothing but ASCII.
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8], ascii: bool) {
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        while !rest.is_empty() {
            let (plain, special) = rest.split_at(rest.bytes().take_while(|byte| is_plain(*byte)).count());
            out.extend_from_slice(plain.as_bytes());
            let mut characters = special.chars();
            if let Some(character) = characters.next() {
                escape_character(out, character, '"', ascii);
            }
            rest = characters.as_str();
        }
        for byte in chunk.invalid() {
            escape_number(out, 'x', u32::from(*byte), 2);
        }
    }
}

/// Appends a character in single quotes; with `ascii` nothing but ASCII.
pub(super) fn quote_character(out: &mut Vec<u8>, character: char, ascii: bool) {
    out.push(b'\'');
    escape_character(out, character, '\'', ascii);
    out.push(b'\'');
}

/// Whether `text` can stand between backquotes, unchanged and on one line.
pub(super) fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        text.chars().all(|character| match character {
            '\t' => true,
            '\0'..='\u{1f}' | '`' | '\u{7f}' | '\u{feff}' => false,
            _ => true,
        })
    })
}

/// Splits a long text into pieces that can be escaped one by one: not within a character.
pub(super) fn pieces(text: &[u8], length: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // A character has three continuation bytes at most; a fourth begins something that is not UTF-8.
        let mut end = length.min(rest.len());
        for _ in 0..3 {
            end += usize::from(rest.get(end).is_some_and(|byte| byte & 0xc0 == 0x80));
        }
        let (piece, remainder) = rest.split_at(end);
        rest = remainder;
        Some(piece)
    })
}

/// Whether it stands for itself between double quotes.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn escape_character(out: &mut Vec<u8>, character: char, quote: char, ascii: bool) {
    let short = match character {
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\u{b}' => 'v',
        '\\' => '\\',
        _ if character == quote => quote,
        _ if is_printable(character) && (character.is_ascii() || !ascii) => return push(out, character),
        '\0'..='\u{7f}' => return escape_number(out, 'x', u32::from(character), 2),
        '\u{80}'..='\u{ffff}' => return escape_number(out, 'u', u32::from(character), 4),
        _ => return escape_number(out, 'U', u32::from(character), 8),
    };
    push(out, '\\');
    push(out, short);
}

fn escape_number(out: &mut Vec<u8>, letter: char, number: u32, digits: usize) {
    out.extend_from_slice(format!("\\{letter}{number:0digits$x}").as_bytes());
}

pub(super) fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        let cases: &[(&[u8], &str)] = &[
            (b"", r#""""#),
            (b"it's \"so\"\\", r#""it's \"so\"\\""#),
            (b"\x07\x08\x0c\n\r\t\x0b\0\x1f\x7f", r#""\a\b\f\n\r\t\v\x00\x1f\x7f""#),
            (
                "é€😀\u{a0}\u{200b}\u{feff}\u{e000}\u{10ffff}".as_bytes(),
                "\"é€😀\\u00a0\\u200b\\ufeff\\ue000\\U0010ffff\"",
            ),
            (b"a\xffb\xe2\x82c\xed\xa0\x80", r#""a\xffb\xe2\x82c\xed\xa0\x80""#),
        ];
        for (text, quoted) in cases {
            assert_eq!(String::from_utf8(quote(text)).unwrap(), *quoted);
        }
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        for text in [
            "a€😀é\u{fffd}".as_bytes(),
            b"\x80\x80\x80\x80\x80\x80\x80",
            b"\xf0\x9f\x98\xe2\x82\xac\xf0\x9f\x98\x80\x80",
        ] {
            for length in 1..8 {
                let (mut whole, mut parts) = (Vec::new(), Vec::new());
                escape(&mut whole, text, true);
                pieces(text, length).for_each(|piece| escape(&mut parts, piece, true));
                assert_eq!(whole, parts, "{length}");
            }
        }
    }
}
