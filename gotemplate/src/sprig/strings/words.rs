//! `snakecase` and `kebabcase`: words in lower case with a sign between them.

use super::camel::is_connector;
use crate::sprig::text::{push, runes};
use crate::sprig::unicode::{is_letter, is_number, is_punctuation, is_upper, to_lower};
use crate::unicode::decode;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Invalid,
    Number,
    /// Begins with a capital: `HTTP`, `Server`
    Capital,
    /// Letters without a capital
    Alphabet,
    Connector,
    Punctuation,
    /// Such as CJK characters and symbols
    Other,
}

struct Word<'a> {
    kind: Kind,
    text: &'a [u8],
}

/// What is left to be read, and what was written.
struct Joiner<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    connector: char,
}

/// The words of a text in lower case, with `connector` between them. A number sticks to the word before it, or to the
/// letters after it: `Bld4Floor3rd` becomes `bld4_floor_3rd`.
pub(super) fn join(text: &[u8], connector: char) -> Vec<u8> {
    let mut joiner = Joiner { rest: text, out: Vec::with_capacity(text.len()), connector };
    let mut word = joiner.next();
    while !joiner.rest.is_empty() {
        if word.kind != Kind::Connector {
            joiner.write(&word);
        }
        let previous = word;
        word = joiner.next();
        match previous.kind {
            Kind::Number => word = joiner.finish_number(word),
            Kind::Connector => joiner.write(&previous),
            Kind::Punctuation => {}
            _ => word = joiner.after_letters(word),
        }
    }
    joiner.write(&word);
    joiner.out
}

impl<'a> Joiner<'a> {
    fn next(&mut self) -> Word<'a> {
        let (kind, length) = measure(self.rest);
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        Word { kind, text }
    }

    fn write(&mut self, word: &Word<'_>) {
        if !matches!(word.kind, Kind::Capital | Kind::Connector) {
            self.out.extend_from_slice(word.text);
            return;
        }
        for rune in runes(word.text) {
            let is_connector = is_connector(rune.character);
            push(&mut self.out, if is_connector { self.connector } else { lower(rune.character) });
        }
    }

    fn separate(&mut self, next: Kind) {
        if !matches!(next, Kind::Connector | Kind::Punctuation) {
            push(&mut self.out, self.connector);
        }
    }

    /// Writes the letters and numbers that follow a number; gives the word after them.
    fn finish_number(&mut self, mut word: Word<'a>) -> Word<'a> {
        while matches!(word.kind, Kind::Alphabet | Kind::Number) {
            self.write(&word);
            word = self.next();
        }
        if word.kind != Kind::Invalid {
            self.separate(word.kind);
        }
        word
    }

    /// Separates `word` from the letters before it. A number belongs to them, unless letters without a capital follow
    /// it; gives the word after it then.
    fn after_letters(&mut self, word: Word<'a>) -> Word<'a> {
        if word.kind != Kind::Number {
            self.separate(word.kind);
            return word;
        }
        if self.rest.is_empty() {
            return word;
        }
        let next = self.next();
        if next.kind != Kind::Alphabet {
            self.write(&word);
            self.separate(next.kind);
            return next;
        }
        push(&mut self.out, self.connector);
        self.write(&word);
        self.finish_number(next)
    }
}

/// Kind and length of the first word.
fn measure(text: &[u8]) -> (Kind, usize) {
    let (first, width) = valid_rune(text, char::REPLACEMENT_CHARACTER);
    let run = |is_part: &dyn Fn(char) -> bool| extend(text, width, first, is_part).0;
    match first {
        char::REPLACEMENT_CHARACTER => (Kind::Invalid, width),
        _ if is_connector(first) => (Kind::Connector, run(&is_connector)),
        _ if is_punctuation(first) => (Kind::Punctuation, run(&is_punctuation)),
        _ if is_upper(first) => (Kind::Capital, capital(text, width, first)),
        _ if is_alphabet(first) => (Kind::Alphabet, run(&is_small)),
        _ if is_number(first) => (Kind::Number, run(&is_number)),
        _ => (Kind::Other, run(&is_other)),
    }
}

/// Length of a word that begins with a capital of that width. Of several capitals the last begins the next word, if
/// other letters follow it: `HTTPServer` is `HTTP` and `Server`.
fn capital(text: &[u8], width: usize, first: char) -> usize {
    let Some(rest) = text.get(width..).filter(|rest| !rest.is_empty()) else {
        return width;
    };
    let (second, second_width) = valid_rune(rest, first);
    let end = width + second_width;
    if !is_upper(second) {
        return if is_alphabet(second) { extend(text, end, second, &is_small).0 } else { width };
    }
    match extend(text, end, second, &is_upper) {
        (end, last_width, Some(next)) if is_alphabet(next) => end - last_width.unwrap_or(second_width),
        (end, ..) => end,
    }
}

/// Goes on from `end` while `is_part` holds: the new end, the width of the last rune passed, and the rune that ended it.
fn extend(
    text: &[u8],
    mut end: usize,
    mut previous: char,
    is_part: &dyn Fn(char) -> bool,
) -> (usize, Option<usize>, Option<char>) {
    let mut last_width = None;
    while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        let (character, width) = valid_rune(rest, previous);
        if !is_part(character) {
            return (end, last_width, Some(character));
        }
        end += width;
        last_width = Some(width);
        previous = character;
    }
    (end, last_width, None)
}

/// The first rune that is valid, and its width with that of the invalid ones before it; `previous` if there is none.
fn valid_rune(text: &[u8], previous: char) -> (char, usize) {
    let mut end = 0;
    while let Some((character, width)) = text.get(end..).and_then(decode) {
        end += width;
        if character != char::REPLACEMENT_CHARACTER {
            return (character, end);
        }
    }
    (previous, end)
}

/// A letter of an alphabet; CJK characters are none.
fn is_alphabet(character: char) -> bool {
    is_letter(character)
        && !matches!(character, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

fn is_small(character: char) -> bool {
    is_alphabet(character) && !is_upper(character)
}

fn is_other(character: char) -> bool {
    !is_connector(character) && !is_alphabet(character) && !is_number(character) && !is_punctuation(character)
}

fn lower(character: char) -> char {
    if is_upper(character) { to_lower(character) } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for (text, expected) in [
            ("", ""),
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("noHTTPS", "no_https"),
            ("GO-PATH x", "go_path_x"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
            ("a.B", "a.b"),
            ("日本Foo", "日本_foo"),
        ] {
            assert_eq!(join(text.as_bytes(), '_'), expected.as_bytes(), "{text:?}");
        }
        assert_eq!(join(b"A\xffB c", '-'), "a\u{fffd}b-c".as_bytes());
    }
}
