//! Where each character of a quoted scalar is: Istio's ConfigMaps have whole templates in one, with `\n` for line ends.

use std::iter::Peekable;

use super::Position;

/// The places of the characters of each line of `value`, its line end included, if it is what the quoted scalar at `place`
/// of `text` says.
pub(super) fn characters(text: &str, place: Position, value: &str) -> Option<Vec<Vec<Position>>> {
    let mut source = Source::at(text, place)?;
    let quote = source.next().filter(|(character, _)| matches!(character, '"' | '\''))?.0;
    let mut read = Vec::new();
    let end = loop {
        let (character, place) = source.next()?;
        match character {
            '\'' if quote == '\'' && source.takes('\'') => read.push(Character { character, place, is_blank: false }),
            _ if character == quote => break place,
            '\\' if quote == '"' => source.escape(place, &mut read)?,
            '\n' => source.fold(place, &mut read),
            _ => read.push(Character { character, place, is_blank: matches!(character, ' ' | '\t') }),
        }
    };
    if !read.iter().map(|read| read.character).eq(value.chars()) {
        return None;
    }
    let mut lines = vec![Vec::new()];
    for Character { character, place, .. } in read {
        if let Some(line) = lines.last_mut() {
            line.push(place);
        }
        if character == '\n' {
            lines.push(Vec::new());
        }
    }
    if let Some(line) = lines.last_mut() {
        line.push(end);
    }
    Some(lines)
}

/// A character of the value, and where it is written.
struct Character {
    character: char,
    place: Position,
    /// A blank that is not escaped goes where a line ends.
    is_blank: bool,
}

/// The characters of a text with their places; a line end is always `\n`.
struct Source<I: Iterator<Item = (char, Position)>> {
    characters: Peekable<I>,
}

impl Source<std::vec::IntoIter<(char, Position)>> {
    fn at(text: &str, from: Position) -> Option<Self> {
        let (mut place, mut characters) = (Position { line: 1, column: 1 }, Vec::new());
        for character in text.chars().filter(|character| *character != '\r') {
            if place >= from {
                characters.push((character, place));
            }
            place = match character {
                '\n' => Position { line: place.line + 1, column: 1 },
                _ => Position { column: place.column + 1, ..place },
            };
        }
        (!characters.is_empty()).then(|| Self { characters: characters.into_iter().peekable() })
    }
}

impl<I: Iterator<Item = (char, Position)>> Source<I> {
    fn next(&mut self) -> Option<(char, Position)> {
        self.characters.next()
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.characters.next_if(|(character, _)| *character == wanted).is_some()
    }

    fn skip_blanks(&mut self) {
        while self.takes(' ') || self.takes('\t') {}
    }

    /// What follows a backslash at `place`.
    fn escape(&mut self, place: Position, read: &mut Vec<Character>) -> Option<()> {
        let character = match self.next()?.0 {
            '\n' => {
                self.skip_blanks();
                return Some(());
            }
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            'x' => char::from_u32(self.number(2)?)?,
            'U' => char::from_u32(self.number(8)?)?,
            'u' => match self.number(4)? {
                // JSON writes what is above U+FFFF in two.
                high @ 0xd800..=0xdbff if self.takes('\\') && self.takes('u') => {
                    let low = self.number(4)?.checked_sub(0xdc00)?;
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?
                }
                number => char::from_u32(number)?,
            },
            other => other,
        };
        read.push(Character { character, place, is_blank: false });
        Some(())
    }

    fn number(&mut self, digits: usize) -> Option<u32> {
        (0..digits).try_fold(0, |number, _| Some(number * 16 + self.next()?.0.to_digit(16)?))
    }

    /// A line end at `place`: a space, or as many line ends as there are empty lines after it.
    fn fold(&mut self, place: Position, read: &mut Vec<Character>) {
        while read.pop_if(|last| last.is_blank).is_some() {}
        self.skip_blanks();
        let mut is_folded = true;
        while let Some((_, place)) = self.characters.next_if(|(character, _)| *character == '\n') {
            read.push(Character { character: '\n', place, is_blank: false });
            self.skip_blanks();
            is_folded = false;
        }
        if is_folded {
            read.push(Character { character: ' ', place, is_blank: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, value: &str) -> Option<Vec<Vec<(usize, usize)>>> {
        let lines = characters(text, Position { line: 1, column: 4 }, value)?;
        Some(lines.iter().map(|line| line.iter().map(|place| (place.line, place.column)).collect()).collect())
    }

    #[test]
    fn escapes_are_one_character() {
        let expected = vec![vec![(1, 5), (1, 6)], vec![(1, 8), (1, 14), (1, 15)]];
        assert_eq!(places("a: \"x\\n\\u00fcy\"\n", "x\nüy"), Some(expected));
        assert_eq!(places("a: \"\\ud83d\\ude00y\"", "😀y").unwrap()[0], [(1, 5), (1, 17), (1, 18)]);
        assert_eq!(places("a: 'it''s'", "it's").unwrap()[0][3], (1, 9));
    }

    #[test]
    fn lines_are_folded_and_continued() {
        let text = "a: \"one \n  two\\\n  \\ three\n\n  four\"\n";
        let lines = places(text, "one two three\nfour").unwrap();
        assert_eq!((lines[0][0], lines[0][4], lines[0][8], lines[1][0]), ((1, 5), (2, 3), (3, 5), (5, 3)));
    }

    #[test]
    fn what_says_something_else_has_no_places() {
        assert_eq!(places("a: \"x\"", "y"), None);
        assert_eq!(places("a: \"x", "x"), None);
        assert_eq!(places("a: x", "x"), None);
        assert_eq!(places("a: \"\\ud83d\"", "x"), None);
        assert_eq!(places("", "x"), None);
    }
}
