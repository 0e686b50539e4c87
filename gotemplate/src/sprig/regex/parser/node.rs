//! Parts of a pattern, with what Go limits in them.

use regex_syntax::hir::{Capture, Class, ClassUnicode, Hir, Repetition};

use super::class::{fold, range};
use super::error::Kind;
use super::repeat::Repeat;

/// A part of a pattern.
pub(super) struct Node {
    pub(super) hir: Hir,
    /// Levels of nesting.
    pub(super) height: u32,
    /// Number of its leaves, counted as often as they are repeated.
    pub(super) size: u64,
    /// How often a leaf is repeated at most, by counted repetitions.
    repeats: u32,
}

/// Levels that Go lets be nested.
const MAX_HEIGHT: u32 = 1000;
/// Leaves that Go lets there be: those of 128 MiB.
const MAX_SIZE: u64 = (128 << 20) / 40;

impl Node {
    pub(super) fn leaf(hir: Hir) -> Self {
        Self { hir, height: 1, size: 1, repeats: 1 }
    }

    pub(super) fn class(class: ClassUnicode) -> Self {
        Self::leaf(Hir::class(Class::Unicode(class)))
    }

    /// A character of that code, with those that differ in case only, if that is ignored.
    pub(super) fn character(code: u32, ignores_case: bool) -> Self {
        let literal = |character: char| Self::leaf(Hir::literal(character.encode_utf8(&mut [0; 4]).as_bytes()));
        match char::from_u32(code) {
            Some(character) if !ignores_case => literal(character),
            Some(character) if character.is_ascii() && !character.is_ascii_alphabetic() => literal(character),
            _ => Self::class(fold(ClassUnicode::new(range(code, code)))),
        }
    }

    pub(super) fn concatenation(nodes: Vec<Self>) -> Self {
        Self::join(nodes, Hir::concat)
    }

    pub(super) fn alternation(nodes: Vec<Self>) -> Self {
        Self::join(nodes, Hir::alternation)
    }

    fn join(mut nodes: Vec<Self>, join: fn(Vec<Hir>) -> Hir) -> Self {
        if let [_] = nodes.as_slice()
            && let Some(only) = nodes.pop()
        {
            return only;
        }
        let height = nodes.iter().map(|node| node.height).max().unwrap_or(0) + 1;
        let size = nodes.iter().fold(0, |size: u64, node| size.saturating_add(node.size)).max(1);
        let repeats = nodes.iter().map(|node| node.repeats).max().unwrap_or(1);
        Self { hir: join(nodes.into_iter().map(|node| node.hir).collect()), height, size, repeats }
    }

    pub(super) fn captured(self, index: u32) -> Self {
        // Names are looked up by number: the library would not take the same name twice.
        let hir = Hir::capture(Capture { index, name: None, sub: Box::new(self.hir) });
        Self { hir, height: self.height + 1, size: self.size + 2, ..self }
    }

    pub(super) fn repeated(self, repeat: Repeat, is_greedy: bool) -> Self {
        let Repeat { least, most, is_counted } = repeat;
        let times = most.unwrap_or(least);
        let repeats = match (is_counted, most) {
            (false, _) => self.repeats,
            (true, Some(0)) => 1,
            (true, _) => self.repeats.saturating_mul(times.max(1)),
        };
        let repetition = Repetition { min: least, max: most, greedy: is_greedy, sub: Box::new(self.hir) };
        Self {
            hir: Hir::repetition(repetition),
            height: self.height + 1,
            size: self.size.saturating_mul(u64::from(times.max(1))).saturating_add(2),
            repeats,
        }
    }

    pub(super) fn repeats_too_often(&self) -> bool {
        self.repeats > Repeat::LIMIT
    }

    /// The node, if Go would take it.
    pub(super) fn limited(self) -> Result<Self, Kind> {
        if self.size > MAX_SIZE {
            return Err(Kind::TooLarge);
        }
        if self.height > MAX_HEIGHT { Err(Kind::NestsTooDeeply) } else { Ok(self) }
    }
}
