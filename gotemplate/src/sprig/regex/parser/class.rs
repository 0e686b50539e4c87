//! Classes of characters: `[a-z]`, `[[:alpha:]]`, `\d`, `\p{Greek}`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::error::{Error, Kind};
use super::{Parser, property};
use crate::sprig::unicode::assigned;

impl<'a> Parser<'a> {
    /// Reads a class in brackets.
    pub(super) fn class(&mut self) -> Result<ClassUnicode, Error> {
        let whole = self.rest;
        self.skip(1);
        let is_negated = self.rest.starts_with(b"^");
        if is_negated {
            self.skip(1);
        }
        // Ranges of their own, and those of classes within the class.
        let (mut ranges, mut classes) = (Vec::new(), Vec::new());
        let mut is_first = true;
        while is_first || !self.rest.starts_with(b"]") {
            is_first = false;
            let inner = match self.named_class()? {
                None => self.class_escape()?,
                named => named,
            };
            match inner {
                Some(inner) => classes.extend_from_slice(inner.ranges()),
                None => ranges.extend(self.class_range(whole)?),
            }
        }
        let mut class = self.folded(ClassUnicode::new(ranges));
        class.union(&ClassUnicode::new(classes));
        self.skip(1);
        if is_negated {
            class.negate();
        }
        Ok(class)
    }

    /// Reads one character of a class, or a range.
    fn class_range(&mut self, whole: &[u8]) -> Result<Option<ClassUnicodeRange>, Error> {
        let before = self.rest;
        let first = self.class_character(whole)?;
        let mut last = first;
        if let [b'-', next, ..] = self.rest
            && *next != b']'
        {
            self.skip(1);
            last = self.class_character(whole)?;
            if last < first {
                return Err(Error::new(Kind::InvalidCharacterRange, self.since(before)));
            }
        }
        Ok(range(first, last))
    }

    fn class_character(&mut self, whole: &[u8]) -> Result<u32, Error> {
        match self.rest.first() {
            None => Err(Error::new(Kind::MissingBracket, whole)),
            Some(b'\\') => self.character_escape(),
            Some(_) => self.character().map(u32::from),
        }
    }

    /// Reads a class such as `[:alpha:]`, if there is one.
    fn named_class(&mut self) -> Result<Option<ClassUnicode>, Error> {
        let Some(inner) = self.rest.strip_prefix(b"[:") else { return Ok(None) };
        if inner.len() < self.after_last_class {
            return Ok(None);
        }
        let Some(length) = inner.windows(2).position(|two| two == b":]") else { return Ok(None) };
        let before = self.rest;
        let name = inner.get(..length).unwrap_or_default();
        self.skip(length + 4);
        let (name, is_negated) = name.strip_prefix(b"^").map_or((name, false), |name| (name, true));
        let ranges: &[(char, char)] = match name {
            b"alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
            b"alpha" => &[('A', 'Z'), ('a', 'z')],
            b"ascii" => &[('\0', '\x7f')],
            b"blank" => &[('\t', '\t'), (' ', ' ')],
            b"cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
            b"digit" => DIGITS,
            b"graph" => &[('!', '~')],
            b"lower" => &[('a', 'z')],
            b"print" => &[(' ', '~')],
            b"punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            b"space" => &[('\t', '\r'), (' ', ' ')],
            b"upper" => &[('A', 'Z')],
            b"word" => WORD,
            b"xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => return Err(Error::new(Kind::InvalidCharacterRange, self.since(before))),
        };
        Ok(Some(self.group_of(ranges, is_negated)))
    }

    /// Reads a class such as `\d` or `\pL`, if there is one.
    pub(super) fn class_escape(&mut self) -> Result<Option<ClassUnicode>, Error> {
        let [b'\\', letter, ..] = self.rest else { return Ok(None) };
        let ranges = match letter {
            b'd' | b'D' => DIGITS,
            b's' | b'S' => SPACE,
            b'w' | b'W' => WORD,
            b'p' | b'P' => return self.property_escape(*letter == b'P').map(Some),
            _ => return Ok(None),
        };
        self.skip(2);
        Ok(Some(self.group_of(ranges, letter.is_ascii_uppercase())))
    }

    fn property_escape(&mut self, mut is_negated: bool) -> Result<ClassUnicode, Error> {
        let before = self.rest;
        self.skip(2);
        let mut name = if self.character()? == '{' {
            let Some(end) = before.iter().position(|&byte| byte == b'}') else {
                self.check_utf8(before)?;
                return Err(Error::new(Kind::InvalidCharacterRange, before));
            };
            let name = before.get(3..end).unwrap_or_default();
            self.check_utf8(name)?;
            self.rest = before.get(end + 1..).unwrap_or_default();
            name
        } else {
            self.since(before).get(2..).unwrap_or_default()
        };
        if let Some(rest) = name.strip_prefix(b"^") {
            is_negated = !is_negated;
            name = rest;
        }
        let Some(class) = property(name) else {
            return Err(Error::new(Kind::InvalidCharacterRange, self.since(before)));
        };
        self.count(PROPERTY + class.ranges().len())?;
        let mut class = self.folded(class);
        if is_negated {
            class.negate();
        }
        Ok(class)
    }

    fn group_of(&self, ranges: &[(char, char)], is_negated: bool) -> ClassUnicode {
        let ranges = ranges.iter().map(|&(first, last)| ClassUnicodeRange::new(first, last));
        let mut class = self.folded(ClassUnicode::new(ranges));
        if is_negated {
            class.negate();
        }
        class
    }

    fn folded(&self, class: ClassUnicode) -> ClassUnicode {
        if self.flags.ignores_case { fold(class) } else { class }
    }
}

/// What looking up a property takes, in ranges.
const PROPERTY: usize = 256;

const DIGITS: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

/// With the characters that differ from those of the class in case only.
pub(super) fn fold(class: ClassUnicode) -> ClassUnicode {
    let mut folded = class.clone();
    folded.case_fold_simple();
    folded.intersect(assigned());
    folded.union(&class);
    folded
}

/// The characters of a range of codes, among which surrogates are none.
pub(super) fn range(first: u32, last: u32) -> Option<ClassUnicodeRange> {
    let first = char::from_u32(first).unwrap_or('\u{e000}');
    let last = char::from_u32(last).unwrap_or('\u{d7ff}');
    // The constructor would turn a range around that consists of surrogates alone.
    (first <= last).then(|| ClassUnicodeRange::new(first, last))
}
