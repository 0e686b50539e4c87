//! Classes and cases of characters as Go knows them: of Unicode 15.0, and one character for one character.

use std::sync::LazyLock;

pub(super) use crate::unicode::{is_digit, is_letter};
use regex_syntax::hir::{Class, ClassUnicode, HirKind};

static ASSIGNED: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{assigned}"));
static UPPER: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{Lu}"));
// It was a lower-case letter until Unicode 16.
static LOWER: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{Ll}\x{295}"));
static TITLE: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{Lt}"));
static NUMBER: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{N}"));
static PUNCTUATION: LazyLock<ClassUnicode> = LazyLock::new(|| class(r"\p{P}"));

/// The characters of what `items`, as they stand between `[` and `]`, match and Unicode 15.0 has.
pub(super) fn class(items: &str) -> ClassUnicode {
    let parsed = regex_syntax::Parser::new().parse(&format!("[[{items}]&&\\p{{age:15.0}}]"));
    match parsed.map(regex_syntax::hir::Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        _ => ClassUnicode::empty(),
    }
}

/// All characters that Unicode 15.0 has.
pub(super) fn assigned() -> &'static ClassUnicode {
    &ASSIGNED
}

pub(super) fn contains(class: &ClassUnicode, character: char) -> bool {
    let ranges = class.ranges();
    let position = ranges.partition_point(|range| range.end() < character);
    ranges.get(position).is_some_and(|range| range.start() <= character)
}

pub(super) fn is_upper(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_uppercase() } else { contains(&UPPER, character) }
}

pub(super) fn is_lower(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_lowercase() } else { contains(&LOWER, character) }
}

pub(super) fn is_title(character: char) -> bool {
    !character.is_ascii() && contains(&TITLE, character)
}

pub(super) fn is_number(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { contains(&NUMBER, character) }
}

pub(super) fn is_punctuation(character: char) -> bool {
    contains(&PUNCTUATION, character)
}

/// The upper-case letter of a letter, or the character itself.
pub(super) fn to_upper(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let code = character as u32;
    known(
        character,
        match character {
            // Their upper case of one character is the title case.
            '\u{1f80}'..='\u{1faf}' if code & 8 == 0 => char::from_u32(code + 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(code + 9),
            _ => only(character.to_uppercase()),
        },
    )
}

/// The lower-case letter of a letter, or the character itself.
pub(super) fn to_lower(character: char) -> char {
    match character {
        '\u{130}' => 'i',
        _ if character.is_ascii() => character.to_ascii_lowercase(),
        _ => known(character, only(character.to_lowercase())),
    }
}

/// The title-case letter of a letter, or the character itself.
pub(super) fn to_title(character: char) -> char {
    match character {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no titles.
        '\u{10d0}'..='\u{10ff}' => character,
        _ => to_upper(character),
    }
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    characters.next().filter(|_| characters.next().is_none())
}

/// `mapped`, unless there is none or Go does not know of it yet.
fn known(character: char, mapped: Option<char>) -> char {
    mapped.filter(|&mapped| mapped == character || contains(&ASSIGNED, mapped)).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_maps_to_one() {
        for (character, upper, lower, title) in [
            ('a', 'A', 'a', 'A'),
            ('ß', 'ß', 'ß', 'ß'),
            ('ẞ', 'ẞ', 'ß', 'ẞ'),
            ('İ', 'İ', 'i', 'İ'),
            ('ı', 'I', 'ı', 'I'),
            ('ǆ', 'Ǆ', 'ǆ', 'ǅ'),
            ('ᾀ', 'ᾈ', 'ᾀ', 'ᾈ'),
            ('ᾳ', 'ᾼ', 'ᾳ', 'ᾼ'),
            ('ა', 'Ა', 'ა', 'ა'),
            ('ŉ', 'ŉ', 'ŉ', 'ŉ'),
        ] {
            assert_eq!((to_upper(character), to_lower(character), to_title(character)), (upper, lower, title));
        }
    }

    #[test]
    fn later_versions_of_unicode_are_unknown() {
        // Letters of Unicode 16, one of which is the capital of an old letter.
        assert_eq!(to_upper('\u{19b}'), '\u{19b}');
        assert!(!is_letter('\u{1c89}'));
        assert!(is_letter('\u{31350}'));
    }

    #[test]
    fn classes_are_general_categories() {
        assert!(is_upper('Ω') && !is_upper('ⅷ') && is_lower('ß') && is_title('ǅ'));
        assert!(is_number('½') && !is_digit('½') && is_digit('٣'));
        assert!(is_punctuation('_') && !is_punctuation('+'));
    }
}
