//! Characters as Go 1.26 knows them: by Unicode 15.0.0, while the tables of Rust's standard library are newer.

mod tables;

use bstr::decode_utf8;

/// The first character and how many bytes it takes. A byte that begins no character is U+FFFD, one byte wide.
pub(crate) fn decode(text: &[u8]) -> Option<(char, usize)> {
    let first = *text.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    match decode_utf8(text) {
        (Some(character), width) => Some((character, width)),
        (None, _) => Some((char::REPLACEMENT_CHARACTER, 1)),
    }
}

/// `unicode.IsLetter`.
pub(crate) fn is_letter(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { contains(tables::LETTERS, character) }
}

/// `unicode.IsDigit`.
pub(crate) fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { contains(tables::DIGITS, character) }
}

/// `unicode.IsPrint`, and `strconv.IsPrint` with it.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() { (' '..='~').contains(&character) } else { contains(tables::PRINTABLE, character) }
}

/// `bytes.TrimSpace` leaves nothing.
pub(crate) fn is_blank(text: &[u8]) -> bool {
    characters(text).all(char::is_whitespace)
}

/// The characters of a text, U+FFFD for each byte that is part of none.
pub(crate) fn characters(mut text: &[u8]) -> impl Iterator<Item = char> {
    std::iter::from_fn(move || {
        let (character, width) = decode(text)?;
        text = text.get(width..).unwrap_or_default();
        Some(character)
    })
}

fn contains(runs: &[u32], character: char) -> bool {
    let code = u32::from(character);
    let at = runs.partition_point(|&bound| bound < code);
    // Odd: behind the first of a run and not behind its last.
    at % 2 == 1 || runs.get(at) == Some(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_no_character_is_decoded_by_itself() {
        assert_eq!(characters(b"a\xe2\x82\xe2\x82\xac").collect::<String>(), "a\u{fffd}\u{fffd}€");
        assert_eq!(decode(b""), None);
        // An encoded surrogate.
        assert_eq!(characters(b"\xed\xa0\x80").count(), 3);
    }

    #[test]
    fn classes_are_those_of_unicode_15() {
        assert!(is_letter('é') && is_letter('ª') && is_letter('\u{2ebe0}') && is_letter('日'));
        assert!(!is_letter('\u{301}') && !is_letter('Ⅷ') && !is_letter('5'));
        // Assigned in Unicode 15.1.
        assert!(!is_letter('\u{2ebf0}') && !is_printable('\u{2ebf0}'));
        assert!(is_digit('٣') && !is_digit('²') && !is_digit('½'));
        assert!(is_printable(' ') && is_printable('€') && is_printable('\u{301}'));
        assert!(!is_printable('\u{a0}') && !is_printable('\u{ad}') && !is_printable('\u{7f}'));
    }

    #[test]
    fn every_code_point_prints_or_not_as_in_go() {
        // FNV-1a over a byte 0 or 1 for each; both figures are what Go's hash/fnv and strconv.IsPrint give.
        let (mut count, mut hash) = (0, 0xcbf2_9ce4_8422_2325_u64);
        for code in 0..=u32::from(char::MAX) {
            let prints = char::from_u32(code).is_some_and(is_printable);
            count += u32::from(prints);
            hash = (hash ^ u64::from(prints)).wrapping_mul(0x100_0000_01b3);
        }
        assert_eq!((count, hash), (148_998, 13_519_751_649_738_224_521));
    }

    #[test]
    fn blank_is_what_unicode_calls_white_space() {
        assert!(is_blank(b"") && is_blank(b" \t\r\n\x0b\x0c") && is_blank("\u{85}\u{3000}".as_bytes()));
        assert!(!is_blank(b" \xa0") && !is_blank("\u{200b}".as_bytes()));
    }
}
