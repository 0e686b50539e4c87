//! Patterns that are ready to search.

use std::ops::Range;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use super::parser::parse;
use super::subject::Subject;
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;

/// A compiled pattern.
pub(super) struct Pattern {
    regex: Regex,
    /// Names of the groups, of which the first is the whole.
    group_names: Vec<Option<Str>>,
    /// Characters that a match can be at, at the same time: a measure for the time a search takes.
    size: u64,
}

/// What the groups of a match have matched; the first is the whole.
pub(super) type Groups = [Option<Range<usize>>];

/// Bytes of a compiled pattern: some thousand times what sensible ones take.
const LARGEST: usize = 32 << 20;

/// Bytes that are compiled in the time of a step.
const COMPILED_PER_STEP: u64 = 4;

impl Pattern {
    /// Compiles a pattern of Go's syntax.
    ///
    /// # Errors
    /// Go's for what is no pattern, and that of a limit for one that takes too much memory.
    pub(super) fn compile(budget: &Budget, pattern: &[u8]) -> Result<Self, FunctionError> {
        budget.work(pattern.len() as u64 * 16)?;
        let too_large = || FunctionError::limit(format!("regular expression passes the limit of {LARGEST} bytes"));
        let parsed = parse(pattern).map_err(|error| match error.is_limit() {
            true => too_large(),
            false => FunctionError::new(error.to_string()),
        })?;
        let limit = LARGEST.min(budget.memory_left());
        let regex = compile(&parsed.hir, parsed.height, limit).ok_or_else(too_large)?;
        let memory = regex.memory_usage();
        budget.allocate(memory)?;
        budget.work(memory as u64 / COMPILED_PER_STEP)?;
        Ok(Self { regex, group_names: parsed.group_names, size: parsed.size })
    }

    pub(super) fn group_names(&self) -> &[Option<Str>] {
        &self.group_names
    }

    pub(super) fn is_match(&self, budget: &Budget, subject: &Subject<'_>) -> Result<bool, FunctionError> {
        self.charge(budget, subject.text().len())?;
        Ok(self.regex.is_match(subject.text()))
    }

    /// Calls `found` for at most `count` matches, one after the other. Nothing is matched right behind a match.
    pub(super) fn find_all(
        &self,
        budget: &Budget,
        subject: &Subject<'_>,
        count: usize,
        mut found: impl FnMut(&Groups) -> Result<(), FunctionError>,
    ) -> Result<(), FunctionError> {
        let text = subject.text();
        let mut captures = self.regex.create_captures();
        let mut groups = Vec::new();
        let (mut position, mut left, mut last_end) = (0, count, None);
        while left > 0 && position <= text.len() {
            self.charge(budget, text.len() - position)?;
            let input = Input::new(text).range(position..).anchored(Anchored::No);
            self.regex.search_captures(&input, &mut captures);
            let Some(whole) = captures.get_match() else { break };
            let is_empty_here = whole.end() == position;
            if !(is_empty_here && last_end == Some(position)) {
                groups.clear();
                groups.extend(captures.iter().map(|span| span.map(|span| span.range())));
                found(&groups)?;
                left -= 1;
            }
            last_end = Some(whole.end());
            position = if is_empty_here { next_character(text, position) } else { whole.end() };
        }
        Ok(())
    }

    /// A search may look at all of the text, for all that the pattern may have matched so far.
    fn charge(&self, budget: &Budget, length: usize) -> Result<(), FunctionError> {
        budget.work(1 + (length as u64).saturating_mul(self.size) / 256)
    }
}

fn compile(hir: &Hir, height: u32, limit: usize) -> Option<Regex> {
    let config = Config::new().nfa_size_limit(Some(limit)).utf8_empty(true);
    let mut builder = Regex::builder();
    builder.configure(config).syntax(syntax::Config::new());
    // The library calls itself for what is nested; a thousand levels take some megabytes without optimization.
    let reserve = height as usize * 16 * 1024;
    stacker::maybe_grow(64 * 1024 + reserve, 128 * 1024 + 2 * reserve, || builder.build_from_hir(hir).ok())
}

fn next_character(text: &[u8], position: usize) -> usize {
    let rest = text.get(position..).unwrap_or_default();
    position + crate::unicode::decode(rest).map_or(1, |(_, width)| width)
}
