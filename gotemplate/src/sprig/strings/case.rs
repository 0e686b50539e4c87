//! Upper and lower case.

use crate::sprig::text::{map, push};
use crate::sprig::unicode::{is_digit, is_letter, is_lower, is_title, is_upper, to_lower, to_title, to_upper};

pub(super) fn upper(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() { text.to_ascii_uppercase() } else { map(text, to_upper) }
}

pub(super) fn lower(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() { text.to_ascii_lowercase() } else { map(text, to_lower) }
}

/// The first letter of each word in title case. A word ends at white space and at ASCII signs other than `_`.
pub(super) fn title(text: &[u8]) -> Vec<u8> {
    let mut previous = ' ';
    map(text, |character| {
        let is_first = is_separator(previous);
        previous = character;
        if is_first { to_title(character) } else { character }
    })
}

fn is_separator(character: char) -> bool {
    match character {
        _ if character.is_ascii() => !character.is_ascii_alphanumeric() && character != '_',
        _ if is_letter(character) || is_digit(character) => false,
        _ => character.is_whitespace(),
    }
}

/// The first letter of each word in lower case. A word ends at white space.
pub(super) fn untitle(text: &[u8]) -> Vec<u8> {
    let mut is_first = true;
    map(text, |character| {
        let was_first = std::mem::replace(&mut is_first, character.is_whitespace());
        if was_first && !is_first { to_lower(character) } else { character }
    })
}

/// Upper case becomes lower; lower case becomes upper, and title case at the beginning of a word.
pub(super) fn swapcase(text: &[u8]) -> Vec<u8> {
    let mut is_first = true;
    map(text, |character| {
        let was_first = is_first;
        is_first = false;
        if is_upper(character) || is_title(character) {
            to_lower(character)
        } else if is_lower(character) {
            if was_first { to_title(character) } else { to_upper(character) }
        } else {
            is_first = character.is_whitespace();
            character
        }
    })
}

/// The first byte of each word, as the character of that number. (Sprig reads bytes here, not characters.)
pub(super) fn initials(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut is_first = true;
    for character in text.iter().copied().map(char::from) {
        let was_first = std::mem::replace(&mut is_first, character.is_whitespace());
        if was_first && !is_first {
            push(&mut out, character);
        }
    }
    out
}

/// Without white space. Where there is some, each byte of the rest becomes the character of that number. (Sprig reads
/// bytes here, not characters.)
pub(super) fn nospace(text: &[u8]) -> Vec<u8> {
    if !text.iter().any(|&byte| char::from(byte).is_whitespace()) {
        return text.to_vec();
    }
    let mut out = Vec::with_capacity(text.len());
    for character in text.iter().copied().map(char::from).filter(|character| !character.is_whitespace()) {
        push(&mut out, character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_changes_rune_by_rune() {
        assert_eq!(upper("straße ŉ \u{1c6}".as_bytes()), "STRAßE ŉ \u{1c4}".as_bytes());
        assert_eq!(lower("ÀÉ İ".as_bytes()), "àé i".as_bytes());
        assert_eq!(upper(b"a\xffb"), "A\u{fffd}B".as_bytes());
        assert_eq!(title("hello wörld_x-y 3d état".as_bytes()), "Hello Wörld_x-Y 3d État".as_bytes());
        assert_eq!(untitle("Hello  WORLD".as_bytes()), b"hello  wORLD");
        assert_eq!(swapcase("This Is a.Test".as_bytes()), b"tHIS iS A.tEST");
    }

    #[test]
    fn initials_and_nospace_read_bytes() {
        assert_eq!(initials(b"First Try  x"), b"FTx");
        assert_eq!(initials("ärger".as_bytes()), "Ã".as_bytes());
        assert_eq!(nospace(b" a b\tc\n"), b"abc");
        assert_eq!(nospace("ä".as_bytes()), "ä".as_bytes());
        assert_eq!(nospace("ä b".as_bytes()), "Ã¤b".as_bytes());
    }
}
