//! Escaped characters: `\n`, `\x41`, `\.`.

use super::Parser;
use super::error::{Error, Kind};

impl Parser<'_> {
    /// Reads an escape that stands for one character, and gives its code, which may be that of a surrogate.
    pub(super) fn character_escape(&mut self) -> Result<u32, Error> {
        let before = self.rest;
        self.skip(1);
        if self.rest.is_empty() {
            return Err(Error::new(Kind::TrailingBackslash, b""));
        }
        let character = self.character()?;
        let code = match character {
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            'x' => self.hexadecimal()?,
            // A single digit would be a reference to a group, which there is none of.
            '1'..='7' if !self.rest.first().is_some_and(|byte| matches!(byte, b'0'..=b'7')) => None,
            '0'..='7' => Some(self.octal(u32::from(character) - u32::from('0'))),
            _ if character.is_ascii() && !character.is_ascii_alphanumeric() => Some(u32::from(character)),
            _ => None,
        };
        code.ok_or_else(|| Error::new(Kind::InvalidEscape, self.since(before)))
    }

    /// Reads up to two more digits.
    fn octal(&mut self, first: u32) -> u32 {
        let digits = self.rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7'));
        let (count, code) =
            digits.fold((0, first), |(count, code), byte| (count + 1, code * 8 + u32::from(byte - b'0')));
        self.skip(count);
        code
    }

    /// Reads two digits, or any number of them in braces; none, when they are something else.
    fn hexadecimal(&mut self) -> Result<Option<u32>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let first = self.character()?;
        if first != '{' {
            let second = self.character()?;
            return Ok(first.to_digit(16).zip(second.to_digit(16)).map(|(high, low)| high * 16 + low));
        }
        let mut code = None;
        while !self.rest.is_empty() {
            let digit = match self.character()? {
                '}' => return Ok(code),
                character => character.to_digit(16),
            };
            let next = digit.map(|digit| code.unwrap_or(0) * 16 + digit);
            code = next.filter(|&code| code <= u32::from(char::MAX));
            if code.is_none() {
                return Ok(None);
            }
        }
        Ok(None)
    }
}
