//! Go's syntax of regular expressions, which is that of RE2.

mod class;
mod error;
mod escape;
mod flags;
mod node;
mod repeat;

use bstr::ByteSlice;
use regex_syntax::hir::{ClassUnicode, Dot, Hir, Look};

use self::error::{Error, Kind};
use self::flags::Flags;
use self::node::Node;
use self::repeat::Repeat;
use super::property::property;
use crate::text::Str;
use crate::unicode::decode;

/// A pattern as the library takes it.
pub(super) struct Parsed {
    pub(super) hir: Hir,
    /// Levels of nesting.
    pub(super) height: u32,
    /// Characters, classes and the like, counted as often as they are repeated.
    pub(super) size: u64,
    /// Names of the groups, of which the first is the whole.
    pub(super) group_names: Vec<Option<Str>>,
}

/// Reads a pattern.
pub(super) fn parse(pattern: &[u8]) -> Result<Parsed, Error> {
    let mut parser = Parser {
        pattern,
        rest: pattern,
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        group_names: vec![None],
        after_last_class: pattern.rfind(b":]").map_or(usize::MAX, |position| pattern.len() - position),
        ranges: 0,
    };
    // Where the last repetition began, if nothing came after it.
    let mut last_repeat = None;
    while let Some(&first) = parser.rest.first() {
        let before = parser.rest;
        let is_repeat = match first {
            b'*' | b'+' | b'?' | b'{' => parser.repeat(last_repeat)?,
            _ => {
                parser.element(first)?;
                false
            }
        };
        last_repeat = is_repeat.then_some(before);
    }
    if !parser.outer.is_empty() {
        return Err(Error::new(Kind::MissingParenthesis, pattern));
    }
    let group = std::mem::take(&mut parser.group);
    let node = parser.limited(group.finish())?;
    Ok(Parsed { hir: node.hir, height: node.height, size: node.size, group_names: parser.group_names })
}

struct Parser<'a> {
    pattern: &'a [u8],
    rest: &'a [u8],
    flags: Flags,
    /// The innermost group that is open.
    group: Group,
    /// The groups around it, the innermost last.
    outer: Vec<Group>,
    group_names: Vec<Option<Str>>,
    /// Bytes from the last `:]` on: where fewer are left, no class such as `[:alpha:]` can end.
    after_last_class: usize,
    /// Ranges of characters in all classes so far.
    ranges: usize,
}

/// Ranges that a pattern may have: they take some memory before it is compiled, and more then.
const MOST_RANGES: usize = 1 << 22;

/// A group that is read, or the whole.
#[derive(Default)]
struct Group {
    /// What counts again behind it.
    flags: Flags,
    /// Its number, if it captures.
    number: Option<u32>,
    /// The alternatives that are read.
    alternatives: Vec<Node>,
    /// The elements of the one that is not.
    elements: Vec<Node>,
}

impl Group {
    fn finish_alternative(&mut self) {
        self.alternatives.push(Node::concatenation(std::mem::take(&mut self.elements)));
    }

    fn finish(mut self) -> Node {
        self.finish_alternative();
        let node = Node::alternation(self.alternatives);
        match self.number {
            Some(number) => node.captured(number),
            None => node,
        }
    }
}

impl<'a> Parser<'a> {
    /// Reads anything but a repetition.
    fn element(&mut self, first: u8) -> Result<(), Error> {
        match first {
            b'(' if self.rest.starts_with(b"(?") => self.special_group()?,
            b'(' => {
                self.skip(1);
                self.open(Some(None));
            }
            b'|' => {
                self.skip(1);
                self.group.finish_alternative();
            }
            b')' => self.close()?,
            b'^' => self.push_and_skip(self.flags.beginning(), 1)?,
            b'$' => self.push_and_skip(self.flags.end(), 1)?,
            b'.' => self.push_and_skip(self.flags.any(), 1)?,
            b'[' => {
                let class = self.class()?;
                self.push_class(class)?;
            }
            b'\\' => self.escaped()?,
            _ => {
                let character = self.character()?;
                self.literal(u32::from(character))?;
            }
        }
        Ok(())
    }

    /// Reads what a backslash begins, outside of a class.
    fn escaped(&mut self) -> Result<(), Error> {
        match self.rest.get(1) {
            Some(b'A') => self.push_and_skip(Hir::look(Look::Start), 2),
            Some(b'z') => self.push_and_skip(Hir::look(Look::End), 2),
            Some(b'b') => self.push_and_skip(Hir::look(Look::WordAscii), 2),
            Some(b'B') => self.push_and_skip(Hir::look(Look::WordAsciiNegate), 2),
            Some(b'C') => Err(Error::new(Kind::InvalidEscape, r"\C".as_bytes())),
            Some(b'Q') => self.quotation(),
            _ => {
                if let Some(class) = self.class_escape()? {
                    return self.push_class(class);
                }
                let code = self.character_escape()?;
                self.literal(code)
            }
        }
    }

    /// Reads `\Q…\E`, or to the end.
    fn quotation(&mut self) -> Result<(), Error> {
        self.skip(2);
        let text = self.rest;
        let end = text.windows(2).position(|two| two == br"\E");
        let (quoted, rest) = text.split_at(end.unwrap_or(text.len()));
        self.rest = quoted;
        while !self.rest.is_empty() {
            let character = self.character()?;
            self.literal(u32::from(character))?;
        }
        self.rest = rest.get(2..).unwrap_or_default();
        Ok(())
    }

    /// Reads a repetition of the last element, or a brace that begins none. Says whether it is a repetition.
    fn repeat(&mut self, last_repeat: Option<&[u8]>) -> Result<bool, Error> {
        let before = self.rest;
        let Some((repeat, mut after)) = Repeat::parse(before) else {
            self.skip(1);
            self.literal(u32::from('{'))?;
            return Ok(false);
        };
        let written = |after: &[u8], before: &'a [u8]| before.get(..before.len() - after.len()).unwrap_or(before);
        if !repeat.is_in_range() {
            return Err(Error::new(Kind::InvalidRepeatSize, written(after, before)));
        }
        let mut is_greedy = !self.flags.is_ungreedy;
        if let Some(rest) = after.strip_prefix(b"?") {
            after = rest;
            is_greedy = !is_greedy;
        }
        if let Some(last) = last_repeat {
            let both = last.get(..last.len() - after.len()).unwrap_or(last);
            return Err(Error::new(Kind::InvalidRepeatOperator, both));
        }
        let Some(node) = self.group.elements.pop() else {
            return Err(Error::new(Kind::MissingRepeatArgument, written(after, before)));
        };
        let node = node.repeated(repeat, is_greedy);
        if node.repeats_too_often() {
            return Err(Error::new(Kind::InvalidRepeatSize, written(after, before)));
        }
        self.rest = after;
        self.push(node)?;
        Ok(true)
    }

    /// Opens a group: one that captures has a name or none.
    fn open(&mut self, capture: Option<Option<Str>>) {
        let number = capture.map(|name| {
            self.group_names.push(name);
            self.group_names.len() as u32 - 1
        });
        let group = Group { flags: self.flags, number, ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(outer) = self.outer.pop() else {
            return Err(Error::new(Kind::UnexpectedParenthesis, self.pattern));
        };
        self.skip(1);
        let group = std::mem::replace(&mut self.group, outer);
        self.flags = group.flags;
        self.push(group.finish())
    }

    fn literal(&mut self, code: u32) -> Result<(), Error> {
        self.push(Node::character(code, self.flags.ignores_case))
    }

    fn push_and_skip(&mut self, hir: Hir, length: usize) -> Result<(), Error> {
        self.skip(length);
        self.push(Node::leaf(hir))
    }

    fn push_class(&mut self, class: ClassUnicode) -> Result<(), Error> {
        self.count(class.ranges().len())?;
        self.push(Node::class(class))
    }

    fn count(&mut self, ranges: usize) -> Result<(), Error> {
        self.ranges += ranges;
        if self.ranges > MOST_RANGES { Err(Error::new(Kind::TooManyRanges, self.pattern)) } else { Ok(()) }
    }

    fn push(&mut self, node: Node) -> Result<(), Error> {
        let node = self.limited(node)?;
        self.group.elements.push(node);
        Ok(())
    }

    fn limited(&self, node: Node) -> Result<Node, Error> {
        node.limited().map_err(|kind| Error::new(kind, self.pattern))
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// Reads a character. U+FFFD at the end.
    fn character(&mut self) -> Result<char, Error> {
        match decode(self.rest) {
            Some((char::REPLACEMENT_CHARACTER, 1)) => Err(Error::new(Kind::InvalidUtf8, self.rest)),
            Some((character, width)) => {
                self.skip(width);
                Ok(character)
            }
            None => Ok(char::REPLACEMENT_CHARACTER),
        }
    }

    /// What was read since `before` was the rest.
    fn since(&self, before: &'a [u8]) -> &'a [u8] {
        before.get(..before.len() - self.rest.len()).unwrap_or(before)
    }
}

impl Flags {
    fn beginning(self) -> Hir {
        Hir::look(if self.is_multi_line { Look::StartLF } else { Look::Start })
    }

    fn end(self) -> Hir {
        Hir::look(if self.is_multi_line { Look::EndLF } else { Look::End })
    }

    fn any(self) -> Hir {
        Hir::dot(if self.dot_matches_line_end { Dot::AnyChar } else { Dot::AnyCharExceptLF })
    }
}
