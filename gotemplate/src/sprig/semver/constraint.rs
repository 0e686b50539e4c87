//! What `semverCompare` asks of a version: `>=1.2, <3 || ~5.x`.

use std::cmp::Ordering;

use bstr::ByteSlice;

use super::version::{Parts, Version, compare_prereleases};
use crate::function::FunctionError;
use crate::limits::Budget;
use crate::text::Str;

/// One operator with its version.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    operator: Operator,
    version: Version,
    precision: Precision,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// How much of the version is given: the rest is left out, or is `x`, `X` or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    Nothing,
    Major,
    Minor,
    Full,
}

/// Longer ones before those that they begin with.
const OPERATORS: [(&[u8], Operator); 11] = [
    (b"!=", Operator::NotEqual),
    (b">=", Operator::GreaterOrEqual),
    (b"=>", Operator::GreaterOrEqual),
    (b"<=", Operator::LessOrEqual),
    (b"=<", Operator::LessOrEqual),
    (b"~>", Operator::Tilde),
    (b"=", Operator::Equal),
    (b">", Operator::Greater),
    (b"<", Operator::Less),
    (b"~", Operator::Tilde),
    (b"^", Operator::Caret),
];

impl Constraint {
    /// Reads alternatives, of each of which all constraints must hold.
    pub(super) fn parse_all(budget: &Budget, text: &Str) -> Result<Vec<Vec<Self>>, FunctionError> {
        let text = rewrite_ranges(budget, text.as_bytes())?;
        text.split_str(b"||").map(parse_alternative).collect()
    }

    /// Whether the version is as it is asked for. A prerelease is so only where a prerelease is named.
    pub(super) fn allows(&self, version: &Version) -> bool {
        let is_unasked = !version.prerelease.is_empty() && self.version.prerelease.is_empty();
        match self.operator {
            Operator::NotEqual => self.differs(version, is_unasked),
            _ if is_unasked => false,
            Operator::Equal if self.precision == Precision::Full => self.order(version) == Ordering::Equal,
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
            Operator::Greater => self.greater(version),
            Operator::Less => self.order(version) == Ordering::Less,
            Operator::GreaterOrEqual => self.order(version) != Ordering::Less,
            Operator::LessOrEqual => self.less_or_equal(version),
        }
    }

    fn order(&self, version: &Version) -> Ordering {
        version.compare(&self.version)
    }

    fn differs(&self, version: &Version, is_unasked: bool) -> bool {
        let own = &self.version;
        match self.precision {
            Precision::Full => self.order(version) != Ordering::Equal,
            _ if is_unasked => false,
            _ if own.major != version.major => true,
            Precision::Major => false,
            _ if own.minor != version.minor => true,
            Precision::Minor => compare_prereleases(&version.prerelease, &own.prerelease) != Ordering::Equal,
            Precision::Nothing => own.patch != version.patch || self.order(version) != Ordering::Equal,
        }
    }

    fn greater(&self, version: &Version) -> bool {
        match (self.precision, version.major.cmp(&self.version.major)) {
            (Precision::Full, _) => self.order(version) == Ordering::Greater,
            (_, Ordering::Greater) => true,
            (_, Ordering::Less) | (Precision::Major, _) => false,
            (Precision::Minor, _) => version.minor > self.version.minor,
            (Precision::Nothing, _) => self.order(version) == Ordering::Greater,
        }
    }

    fn less_or_equal(&self, version: &Version) -> bool {
        match (self.precision, version.major.cmp(&self.version.major)) {
            (Precision::Full, _) => self.order(version) != Ordering::Greater,
            (_, Ordering::Greater) => false,
            (Precision::Major, _) | (_, Ordering::Less) => true,
            (_, Ordering::Equal) => version.minor <= self.version.minor,
        }
    }

    /// `~1.2.3` is from there to below 1.3.0, `~1` to below 2.0.0, `~*` whatever there is, and so is `~0.0.0`.
    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if self.order(version) == Ordering::Less {
            return false;
        }
        let is_zero = own.major == 0 && own.minor == 0 && own.patch == 0;
        if is_zero && matches!(self.precision, Precision::Nothing | Precision::Full) {
            return true;
        }
        version.major == own.major && (version.minor == own.minor || self.precision == Precision::Major)
    }

    /// `^1.2.3` is from there to below 2.0.0; below 1.0.0 it is the first number that is not zero that must stay.
    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if self.order(version) == Ordering::Less {
            return false;
        }
        if own.major > 0 || self.precision == Precision::Major || version.major > 0 {
            return version.major == own.major;
        }
        if own.minor > 0 || self.precision == Precision::Minor || version.minor > 0 {
            return version.minor == own.minor;
        }
        version.patch == own.patch
    }
}

/// Constraints with spaces, commas or both between them.
fn parse_alternative(text: &[u8]) -> Result<Vec<Constraint>, FunctionError> {
    let improper = || FunctionError::new(format!("improper constraint: {}", text.as_bstr()));
    let mut read = Vec::new();
    let mut rest = skip_space(text);
    loop {
        let (operator, after) = OPERATORS
            .iter()
            .find_map(|(name, operator)| Some((*operator, rest.strip_prefix(*name)?)))
            .unwrap_or((Operator::Equal, rest));
        let parts = Parts::read(skip_space(after), is_digit_or_wildcard).ok_or_else(improper)?;
        read.push((operator, parts));
        let after = &skip_space(after)[parts.text.len()..];
        rest = skip_space(after);
        if rest.is_empty() {
            break;
        }
        match rest.strip_prefix(b",") {
            Some(next) => rest = skip_space(next),
            None if rest.len() == after.len() => return Err(improper()),
            None => {}
        }
    }
    read.into_iter().map(|(operator, parts)| constraint(operator, parts)).collect()
}

fn constraint(operator: Operator, parts: Parts<'_>) -> Result<Constraint, FunctionError> {
    let is_open = |number: &[u8]| matches!(number, b"" | b"x" | b"X" | b"*");
    let (precision, parts) = match parts {
        Parts { major, .. } if is_open(major) => {
            (Precision::Nothing, Parts { major: b"0", minor: b"", patch: b"", metadata: b"", ..parts })
        }
        Parts { minor, .. } if is_open(minor) => {
            (Precision::Major, Parts { minor: b"", patch: b"", metadata: b"", ..parts })
        }
        Parts { patch, .. } if is_open(patch) => (Precision::Minor, Parts { patch: b"", metadata: b"", ..parts }),
        parts => (Precision::Full, parts),
    };
    let numbers = [parts.major, parts.minor, parts.patch];
    let has_digits_only = numbers.iter().all(|number| number.iter().all(u8::is_ascii_digit));
    match Version::of(parts) {
        Ok(version) if has_digits_only => Ok(Constraint { operator, version, precision }),
        _ => Err("constraint Parser Error".into()),
    }
}

/// `1.2 - 3` as `>= 1.2, <= 3`.
fn rewrite_ranges(budget: &Budget, text: &[u8]) -> Result<Vec<u8>, FunctionError> {
    let mut rewritten = text.to_vec();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(Range { from, to, length }) = range(budget, rest)? else {
            rest = &rest[1..];
            continue;
        };
        let (range, after) = rest.split_at(length);
        budget.work(rewritten.len() as u64)?;
        // As Go does it: the first text like it is replaced, wherever that is.
        let replacement = [b">= ", from, b", <= ", to, b" "].concat();
        rewritten = rewritten.replacen(range, &replacement, 1);
        rest = after;
    }
    Ok(rewritten)
}

/// A range with the spaces around it.
struct Range<'a> {
    from: &'a [u8],
    to: &'a [u8],
    length: usize,
}

/// The range that the text starts with.
fn range<'a>(budget: &Budget, text: &'a [u8]) -> Result<Option<Range<'a>>, FunctionError> {
    let start = skip_space(text);
    let Some(from) = Parts::read(start, is_digit_or_wildcard).map(|parts| parts.text) else {
        budget.work(1 + (text.len() - start.len()) as u64)?;
        return Ok(None);
    };
    let after = &start[from.len()..];
    budget.work((text.len() - skip_space(after).len()) as u64)?;
    let to = || {
        let dash =
            skip_space(after).strip_prefix(b"-").filter(|dash| starts_with_space(after) && starts_with_space(dash))?;
        let to = Parts::read(skip_space(dash), is_digit_or_wildcard)?.text;
        let length = text.len() - skip_space(&skip_space(dash)[to.len()..]).len();
        Some(Range { from, to, length })
    };
    Ok(to())
}

fn starts_with_space(text: &[u8]) -> bool {
    text.first().copied().is_some_and(is_space)
}

fn skip_space(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|byte| is_space(**byte)).count()..]
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0xc | b'\r' | b' ')
}

fn is_digit_or_wildcard(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*' | b'|')
}
